#!/usr/bin/env python3
"""Makes tests/golden/odd/: odd files that cameras, phones and programs write, and the pixels that
Pillow (LittleCMS for profiles) makes of each, for test_codec_odd.c. Run from the source root with
Debian's python3-pil, python3-numpy and libheif-examples (heif-enc, heif-convert). Made with Pillow
9.4.0, libjpeg-turbo 2.1.5, libpng 1.6.39, LittleCMS 2.14, libheif 1.15.1.

  index.txt   NAME WANT TOLERANCE FRAMES WIDTH HEIGHT OFFSET, a line a file
              WANT: pixels; or what the error says, '_' for blanks; FRAMES: still or animated
  pixels.bin  RGB bytes of all files that decode, transparent ones over (10, 20, 30)
"""
import io
import os
import struct
import subprocess
import tempfile
import zlib

import numpy as np
from PIL import Image, ImageCms, ImageFile, ImageOps

OUT = "tests/golden/odd/"
BACKGROUND = (10, 20, 30)
W, H = 37, 26
rows, pixels = [], bytearray()


def scene(w=W, h=H):
    """Smooth ramps, a hard edge and a little texture; its corners differ, so turns show."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    a = np.stack([x / w * 255, y / h * 255, 128 + 100 * np.sin(x / 5) * np.cos(y / 4)], 2)
    a[: h // 3, : w // 3] = (230, 30, 40)
    return Image.fromarray(a.clip(0, 255).astype(np.uint8))


def with_alpha():
    im = scene().convert("RGBA")
    y, x = np.mgrid[0:H, 0:W]
    im.putalpha(Image.fromarray(((x * 255) // (W - 1)).astype(np.uint8)))
    return im


# ---- what is expected ----------------------------------------------------------------------------


def over(im):
    """Straight alpha over the background, rounded as lucida states it."""
    a = np.asarray(im.convert("RGBA")).astype(int)
    alpha, back = a[..., 3:], np.array(BACKGROUND)
    return Image.fromarray(((alpha * a[..., :3] + (255 - alpha) * back + 127) // 255).astype(np.uint8))


def to_srgb(im, profile):
    space = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    srgb = ImageCms.createProfile("sRGB")
    alpha = im.getchannel("A") if im.mode == "RGBA" else None
    if alpha:
        im = im.convert("RGB")
    im = ImageCms.profileToProfile(im, space, srgb, renderingIntent=0, outputMode="RGB")
    if alpha:
        im.putalpha(alpha)
    return im


def pillow(data, profile=True):
    im = Image.open(io.BytesIO(data))
    im.load()
    icc = im.info.get("icc_profile") if profile else None
    orientation = im.getexif().get(0x0112, 1)
    if im.mode == "P" or (im.mode in ("L", "RGB", "1") and "transparency" in im.info):
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    if im.mode in ("LA", "PA"):
        im = im.convert("RGBA")
    if im.mode in ("I;16", "I"):
        im = Image.fromarray((np.asarray(im).astype(float) / 257).round().astype(np.uint8))
    if icc:
        im = to_srgb(im, icc)
    im = over(im) if im.mode == "RGBA" else im.convert("RGB")
    exif = im.getexif()
    exif[0x0112] = orientation
    return ImageOps.exif_transpose(im)


def put(name, data, want=None, tolerance=0, frames="still", says=None):
    """`want`: the picture where Pillow is not the yardstick; `says`: the error's words."""
    with open(OUT + name, "wb") as f:
        f.write(data)
    if says:
        rows.append(f"{name} {says.replace(' ', '_')} 0 {frames} 0 0 0")
        return
    im = want if want is not None else pillow(data)
    im = im.convert("RGB")
    rows.append(f"{name} pixels {tolerance} {frames} {im.width} {im.height} {len(pixels)}")
    pixels.extend(im.tobytes())


# ---- profiles ------------------------------------------------------------------------------------


def s15(v):
    return struct.pack(">i", int(round(v * 65536)))


def icc(kind, space, tags):
    table, data = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for tag, body in tags:
        body += b"\0" * (-len(body) % 4)
        table += tag + struct.pack(">II", start + len(data), len(body))
        data += body
    size = start + len(data)
    head = (struct.pack(">I", size) + b"\0" * 4 + struct.pack(">I", 0x02400000) + kind + space
            + (b"Lab " if kind == b"prtr" else b"XYZ ") + b"\0" * 12 + b"acsp" + b"\0" * 28
            + s15(0.9642) + s15(1) + s15(0.8249) + b"\0" * 48)
    return head + table + data


def xyz(v):
    return b"XYZ \0\0\0\0" + b"".join(s15(x) for x in v)


def gamma(g):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, int(round(g * 256)))


def text(t):
    return b"desc\0\0\0\0" + struct.pack(">I", len(t) + 1) + t + b"\0" * 79


def matrix_profile(name, primaries, white, g):
    bradford = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367],
                         [0.0389, -0.0685, 1.0296]])
    d50 = np.array([0.9642, 1, 0.8249])
    w = np.array([white[0] / white[1], 1, (1 - white[0] - white[1]) / white[1]])
    p = np.array([[x / y, 1, (1 - x - y) / y] for x, y in primaries]).T
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d50) / (bradford @ w)) @ bradford
    m = adapt @ (p * np.linalg.solve(p, w))
    return icc(b"mntr", b"RGB ", [(b"desc", text(name)), (b"wtpt", xyz(d50)),
                                  (b"rXYZ", xyz(m[:, 0])), (b"gXYZ", xyz(m[:, 1])),
                                  (b"bXYZ", xyz(m[:, 2])), (b"rTRC", gamma(g)),
                                  (b"gTRC", gamma(g)), (b"bTRC", gamma(g))])


D65 = (0.3127, 0.3290)
P3 = matrix_profile(b"P3", [(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)], D65, 2.2)
ADOBE = matrix_profile(b"Adobe", [(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], D65, 2.19921875)
PROPHOTO = matrix_profile(b"ProPhoto", [(0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)],
                          (0.3457, 0.3585), 1.8)
GRAY = icc(b"mntr", b"GRAY", [(b"desc", text(b"gray 1.4")), (b"wtpt", xyz((0.9642, 1, 0.8249))),
                              (b"kTRC", gamma(1.4))])


def cmyk_profile():
    """A made-up press: each ink takes away its complement, and paper is a little warm."""
    srgb = ImageCms.createProfile("sRGB")
    lab = ImageCms.createProfile("LAB")
    grid = []
    for i in range(16):
        c, m, y, k = (i >> 3) & 1, (i >> 2) & 1, (i >> 1) & 1, i & 1
        paper = (250, 245, 232)
        rgb = tuple(int(p * (1 - 0.9 * ink) * (1 - 0.92 * k)) for p, ink in zip(paper, (c, m, y)))
        im = ImageCms.profileToProfile(Image.new("RGB", (1, 1), rgb), srgb, lab, outputMode="LAB")
        l, a, b = im.getpixel((0, 0))
        grid.append(bytes([l, (a + 128) & 255, (b + 128) & 255]))
    line = bytes(range(256))
    lut = (b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + b"".join(s15(x) for x in (1, 0, 0, 0, 1, 0, 0, 0, 1))
           + line * 4 + b"".join(grid) + line * 3)
    return icc(b"prtr", b"CMYK", [(b"desc", text(b"press")), (b"wtpt", xyz((0.9642, 1, 0.8249))),
                                  (b"A2B0", lut)])


# ---- JPEG ----------------------------------------------------------------------------------------


def jpeg(im=None, **options):
    out = io.BytesIO()
    options.setdefault("quality", 92)
    (im or scene()).save(out, "JPEG", **options)
    return out.getvalue()


def segment(marker, body):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def after_soi(data, extra):
    return data[:2] + extra + data[2:]


def exif_block(n, big=False):
    e = ">" if big else "<"
    return ((b"MM" if big else b"II") + struct.pack(e + "HIHHHIHHI", 42, 8, 1, 0x0112, 3, 1, n, 0, 0))


def sos(data, three):
    at = data.index(b"\xff\xda")
    end = at + 2 + struct.unpack(">H", data[at + 2:at + 4])[0]
    return data[:end - 3] + three + data[end:]


def jpegs():
    plain = jpeg()
    put("plain.jpg", plain)
    for name, sub in (("444", 0), ("422", 1), ("420", 2)):
        put(f"sub{name}.jpg", jpeg(subsampling=sub))
    put("progressive.jpg", jpeg(progressive=True))
    put("gray.jpg", jpeg(scene().convert("L")))
    put("gray_progressive.jpg", jpeg(scene().convert("L"), progressive=True))
    put("coarse.jpg", jpeg(quality=3))
    put("best.jpg", jpeg(quality=100, subsampling=0))
    put("one_pixel.jpg", jpeg(scene().crop((0, 0, 1, 1))))
    put("column.jpg", jpeg(scene().crop((20, 0, 21, 26))))
    put("optimised.jpg", jpeg(optimize=True))
    put("cmyk.jpg", jpeg(scene().convert("CMYK")), tolerance=1)
    # ends and beginnings
    put("sos_zero.jpg", sos(plain, b"\0\0\0"), pillow(plain))
    put("sos_ahal.jpg", sos(plain, b"\0\x3f\x10"), pillow(plain))
    put("no_eoi.jpg", plain[:-2], pillow(plain))
    put("half_eoi.jpg", plain[:-1], pillow(plain))
    put("no_eoi_progressive.jpg", jpeg(progressive=True)[:-2], pillow(jpeg(progressive=True)))
    put("no_eoi_gray.jpg", jpeg(scene().convert("L"))[:-2], pillow(jpeg(scene().convert("L"))))
    put("trailer.jpg", plain + b"\0" * 500 + b"ftypmp42" * 30)
    put("trailer_no_eoi.jpg", plain[:-2] + b"\0\0\1\0" + b"SEFT trailer" * 40, pillow(plain))
    put("two.jpg", plain + jpeg(scene().transpose(Image.Transpose.ROTATE_180)))
    put("fill_bytes.jpg", after_soi(plain, b"\xff\xff\xff" + segment(0xFE, b"fill")), pillow(plain))
    put("stray_bytes.jpg", after_soi(plain, segment(0xFE, b"x") + b"\0\0\0\0"), pillow(plain))
    put("comments.jpg", after_soi(plain, segment(0xFE, b"a" * 300) * 5 + segment(0xEF, b"junk")))
    put("cut.jpg", plain[: len(plain) * 3 // 4], says="truncated")
    put("cut_scan.jpg", cut_scan(jpeg(progressive=True)), says="truncated")
    put("bad_huffman.jpg", plain[:-60] + b"\xff\x00" * 20 + plain[-20:], says="damaged")
    # EXIF
    for n in range(1, 9):
        put(f"turn{n}.jpg", after_soi(plain, segment(0xE1, b"Exif\0\0" + exif_block(n))))
    put("turn_big_endian.jpg", after_soi(plain, segment(0xE1, b"Exif\0\0" + exif_block(6, True))))
    put("exif_9.jpg", after_soi(plain, segment(0xE1, b"Exif\0\0" + exif_block(9))), pillow(plain))
    put("exif_junk.jpg", after_soi(plain, segment(0xE1, b"Exif\0\0" + b"\xee" * 50)), pillow(plain))
    put("exif_short.jpg", after_soi(plain, segment(0xE1, b"Exif")), pillow(plain))
    # colours
    for name, profile in (("p3", P3), ("adobe", ADOBE), ("prophoto", PROPHOTO)):
        put(f"{name}.jpg", jpeg(icc_profile=profile, subsampling=0), tolerance=1)
    put("p3_turned.jpg", after_soi(jpeg(icc_profile=P3), segment(0xE1, b"Exif\0\0" + exif_block(8))),
        tolerance=1)
    put("gray_profile.jpg", jpeg(scene().convert("L"), icc_profile=GRAY), tolerance=1)
    press = cmyk_profile()
    put("cmyk_press.jpg", jpeg(scene().convert("CMYK"), icc_profile=press), tolerance=1)
    plain444 = pillow(jpeg(subsampling=0))
    put("icc_cut.jpg", jpeg(icc_profile=P3[:90], subsampling=0), plain444)
    put("icc_other_space.jpg", jpeg(icc_profile=press, subsampling=0), plain444)


def cut_scan(data):
    """A progressive file that ends after a whole scan: complete to look at, coarse to see."""
    at = [i for i in range(len(data) - 1) if data[i] == 0xFF and data[i + 1] == 0xDA]
    return data[: at[-1]]


# ---- PNG -----------------------------------------------------------------------------------------


def chunk(name, body, bad=0):
    return struct.pack(">I", len(body)) + name + body + struct.pack(
        ">I", zlib.crc32(name + body) ^ bad)


SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(im=None, **options):
    out = io.BytesIO()
    (im or scene()).save(out, "PNG", **options)
    return out.getvalue()


def raw_png(w, h, depth, colour, lines, before=b"", after=b"", pieces=1, filters=None):
    raw = b"".join(bytes([0]) + line for line in lines)
    data = zlib.compress(raw)
    step = max(1, len(data) // pieces)
    idat = b"".join(chunk(b"IDAT", data[i:i + step]) for i in range(0, len(data), step))
    return (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, 0))
            + before + idat + after + chunk(b"IEND", b""))


def after_ihdr(data, extra):
    return data[:33] + extra + data[33:]


def lines_of(a):
    return [row.tobytes() for row in a]


def pngs():
    plain = png()
    put("plain.png", plain)
    put("trailer.png", plain + b"\n" * 200)
    put("no_iend.png", plain[:-12], pillow(plain))
    put("bad_text.png", after_ihdr(plain, chunk(b"tEXt", b"Comment\0hello", bad=1)), pillow(plain))
    put("bad_time.png", after_ihdr(plain, chunk(b"tIME", b"\x07\xe6\1\1\1\1\1", bad=1)), pillow(plain))
    put("bad_phys.png", after_ihdr(plain, chunk(b"pHYs", b"\0\0\1\0\0\0\1\0\1", bad=1)), pillow(plain))
    put("unknown_chunk.png", after_ihdr(plain, chunk(b"maKe", b"x" * 40)))
    put("bad_idat.png", plain[:-14] + bytes([plain[-14] ^ 1]) + plain[-13:], says="damaged")
    put("cut.png", plain[: len(plain) * 2 // 3], says="truncated")
    rgb = np.asarray(scene())
    gray = np.asarray(scene().convert("L"))
    rgb_lines = lines_of(rgb)
    put("many_idat.png", raw_png(W, H, 8, 2, rgb_lines, pieces=60))
    put("bad_trns.png", raw_png(W, H, 8, 2, rgb_lines, chunk(b"tRNS", b"\0\1\0\2\0\3", bad=1)),
        says="damaged")
    for bits in (1, 2, 4):
        q = gray >> (8 - bits)
        packed = [np.packbits(((r[:, None] >> np.arange(bits - 1, -1, -1)) & 1).reshape(-1)).tobytes()
                  for r in q]
        levels = (q.astype(int) * 255 // (2**bits - 1)).astype(np.uint8)
        put(f"gray{bits}.png", raw_png(W, H, bits, 0, packed), Image.fromarray(levels))
        palette = b"".join(bytes([v * 40 % 256, v * 90 % 256, 255 - v * 10]) for v in range(2**bits))
        put(f"palette{bits}.png", raw_png(W, H, bits, 3, packed, chunk(b"PLTE", palette)))
    put("gray8.png", png(scene().convert("L")))
    wide = gray.astype(">u2") * 257
    put("gray16.png", raw_png(W, H, 16, 0, lines_of(wide)), tolerance=0)
    put("rgb16.png", raw_png(W, H, 16, 2, lines_of(rgb.astype(">u2") * 257)), scene())
    put("gray_alpha.png", png(with_alpha().convert("LA")), tolerance=1)
    put("alpha.png", png(with_alpha()))
    deep = (np.asarray(with_alpha()).astype(">u2") * 257)
    put("alpha16.png", raw_png(W, H, 16, 6, lines_of(deep)), over(with_alpha()))
    put("palette8.png", png(scene().quantize(200)))
    p = scene().quantize(16)
    put("palette_clear.png", png(p, transparency=3))
    put("gray_clear.png", raw_png(W, H, 8, 0, lines_of(gray), chunk(b"tRNS", b"\0" + bytes([gray[5, 30]]))))
    key = b"".join(b"\0" + bytes([v]) for v in rgb[3, 3])
    put("rgb_clear.png", raw_png(W, H, 8, 2, rgb_lines, chunk(b"tRNS", key)))
    put("turned.png", after_ihdr(plain, chunk(b"eXIf", exif_block(6))))
    put("p3.png", png(icc_profile=P3), tolerance=1)
    put("p3_alpha.png", png(with_alpha(), icc_profile=P3), tolerance=1)
    put("p3_gama.png", after_ihdr(png(icc_profile=P3), chunk(b"gAMA", struct.pack(">I", 100000))),
        pillow(png(icc_profile=P3)), tolerance=1)
    put("prophoto.png", png(icc_profile=PROPHOTO), tolerance=1)
    put("gray_profile.png", png(scene().convert("L"), icc_profile=GRAY), tolerance=1)
    put("srgb_chunk.png", after_ihdr(plain, chunk(b"gAMA", struct.pack(">I", 100000)) +
                                     chunk(b"sRGB", b"\0")), pillow(plain))
    frames = [scene(), scene().transpose(Image.Transpose.ROTATE_180)]
    put("frames.png", png(frames[0], save_all=True, append_images=frames[1:], default_image=False),
        frames[0], frames="animated")


# ---- WebP, GIF, HEIC, AVIF -----------------------------------------------------------------------


def save(im, kind, **options):
    out = io.BytesIO()
    im.save(out, kind, **options)
    return out.getvalue()


def webps():
    put("plain.webp", save(scene(), "WEBP", quality=90))
    put("lossless.webp", save(scene(), "WEBP", lossless=True))
    put("alpha.webp", save(with_alpha(), "WEBP", lossless=True, exact=True))
    put("p3.webp", save(scene(), "WEBP", lossless=True, icc_profile=P3), tolerance=1)
    put("turned.webp", save(scene(), "WEBP", lossless=True, exif=b"Exif\0\0" + exif_block(8)))
    frames = [with_alpha(), scene().convert("RGBA")]
    data = save(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True, exact=True)
    put("frames.webp", data, frames="animated")
    put("cut.webp", save(scene(), "WEBP", quality=90)[:-40], says="truncated")


def gifs():
    p = scene().quantize(64)
    put("plain.gif", save(p, "GIF"))
    put("gray.gif", save(scene().convert("L"), "GIF"))
    put("interlaced.gif", save(p, "GIF", interlace=1))
    put("not_interlaced.gif", save(p, "GIF", interlace=0))
    put("clear.gif", save(p, "GIF", transparency=3))
    put("comment.gif", save(p, "GIF", comment=b"hello" * 80))
    flipped = scene().transpose(Image.Transpose.ROTATE_180).quantize(64)
    put("frames.gif", save(p, "GIF", save_all=True, append_images=[flipped]), frames="animated")
    put("cut.gif", save(p, "GIF")[:-300], says="truncated")


def heifs():
    """libheif's own converter is the yardstick."""
    with tempfile.TemporaryDirectory() as d:
        png_path = os.path.join(d, "scene.png")
        scene(64, 48).save(png_path)
        for ending, flags in (("heic", []), ("avif", ["-A"])):
            out, back = os.path.join(d, "x." + ending), os.path.join(d, "back.png")
            subprocess.run(["heif-enc", *flags, "-q", "90", "-o", out, png_path], check=True,
                           capture_output=True)
            subprocess.run(["heif-convert", out, back], check=True, capture_output=True)
            put("plain." + ending, open(out, "rb").read(), Image.open(back).convert("RGB"), tolerance=1)
            put("cut." + ending, open(out, "rb").read()[:-30], says="HEIF")


def main():
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    jpegs()
    pngs()
    webps()
    gifs()
    heifs()
    put("tiff.tif", save(scene(), "TIFF"), says="this is a TIFF")
    put("bmp.bmp", save(scene(), "BMP"), says="this is a BMP")
    put("icon.ico", save(scene(), "ICO", sizes=[(16, 16)]), says="this is an icon")
    put("text.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', says="this is an SVG")
    put("movie.mp4", b"\0\0\0\x18ftypisom\0\0\0\1isommp42", says="this is a video")
    with open(OUT + "index.txt", "w") as f:
        f.write("\n".join(rows) + "\n")
    with open(OUT + "pixels.bin", "wb") as f:
        f.write(bytes(pixels))
    print(len(rows), "files")


if __name__ == "__main__":
    main()
