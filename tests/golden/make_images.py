#!/usr/bin/env python3
"""Makes tests/golden/images/*: small pictures of every kind that the decoder must read, and what
Pillow's resize makes of one. Run from the source root with Debian's python3-pil and python3-numpy.

The JPEG and WebP pictures show four quarters: red, green / blue, white (upright, 48 x 32), so that a
turned or mirrored picture is seen at once. What they should decode to is written in test_codec.c."""
import io
import struct
import zlib

import numpy as np
from PIL import Image

OUT = "tests/golden/images/"
QUARTERS = [(220, 30, 40), (30, 180, 60), (40, 60, 200), (250, 250, 250)]


def quarters(w=48, h=32):
    a = np.zeros((h, w, 3), np.uint8)
    a[: h // 2, : w // 2], a[: h // 2, w // 2 :] = QUARTERS[0], QUARTERS[1]
    a[h // 2 :, : w // 2], a[h // 2 :, w // 2 :] = QUARTERS[2], QUARTERS[3]
    return Image.fromarray(a)


# What the camera's sensor stored for an upright scene, by orientation.
STORED = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def stored(n):
    im = quarters()
    exif = Image.Exif()
    exif[0x0112] = n
    return (im.transpose(STORED[n]) if STORED[n] is not None else im), exif


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(
        ">I", zlib.crc32(name + body))


def png(w, h, depth, colour, rows, extra=b"", interlace=0):
    raw = b"".join(b"\0" + r for r in rows)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, colour, 0, 0, interlace))
            + extra + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def write(name, data):
    with open(OUT + name, "wb") as f:
        f.write(data)


def jpegs():
    for n in range(1, 9):
        im, exif = stored(n)
        im.save(OUT + f"orient{n}.jpg", quality=95, subsampling=0, exif=exif)
    im = quarters()
    im.save(OUT + "progressive.jpg", quality=95, subsampling=0, progressive=True)
    im.convert("L").save(OUT + "gray.jpg", quality=95)
    im.save(OUT + "subsampled.jpg", quality=90, subsampling=2)
    cmyk = np.asarray(im.convert("CMYK"))
    # Pillow writes an Adobe marker, and so stores the inks inverted.
    write("cmyk_adobe.jpg", save_cmyk(cmyk))
    data = save_cmyk(255 - cmyk)  # stored: ink as it is; without the marker that is what it means
    at = data.index(b"\xff\xee")
    size = struct.unpack(">H", data[at + 2 : at + 4])[0]
    write("cmyk_bare.jpg", data[:at] + data[at + 2 + size :])


def many_scans():
    """A progressive file whose first scan comes a hundred times: small to send, slow to decode."""
    buf = io.BytesIO()
    quarters().convert("L").save(buf, "JPEG", quality=50, progressive=True)
    data = buf.getvalue()
    at = data.index(b"\xff\xda")
    end = at + 2
    while data[end] != 0xFF or data[end + 1] in (0, *range(0xD0, 0xD8)):
        end += 1
    scan = bytearray(data[at:end])
    scan[9] = 0  # no successive approximation, so that it may be repeated
    write("scans.jpg", data[:at] + bytes(scan) * 100 + data[end:])


def save_cmyk(planes):
    buf = io.BytesIO()
    Image.fromarray(planes, "CMYK").save(buf, "JPEG", quality=95)
    return buf.getvalue()


def ycck():
    """YCbCrK, the marker's transform byte 2: libjpeg makes C = 255 - R of the stored YCbCr, and by
    Adobe's custom that C is inverted ink, that is the picture's red."""
    ycc = np.asarray(Image.fromarray(255 - np.asarray(quarters())).convert("YCbCr"))
    k = np.full(ycc.shape[:2] + (1,), 255, np.uint8)
    data = bytearray(save_cmyk(255 - np.concatenate([ycc, k], 2)))
    data[data.index(b"Adobe") + 11] = 2
    write("ycck_adobe.jpg", bytes(data))


def pngs():
    im = quarters()
    im.save(OUT + "rgb.png")
    im.quantize(4).save(OUT + "palette.png")
    im.convert("L").save(OUT + "gray.png")
    im.convert("1").save(OUT + "bits.png")
    rgba = im.convert("RGBA")
    alpha = np.zeros((32, 48), np.uint8)
    alpha[:, :24], alpha[:, 24:] = 255, 128
    alpha[16:, 24:] = 0
    rgba.putalpha(Image.fromarray(alpha))
    rgba.save(OUT + "alpha.png")
    pal = im.quantize(4)
    pal.save(OUT + "palette_clear.png", transparency=pal.getpixel((0, 0)))
    wide = np.asarray(im).astype(">u2") * 257
    write("rgb16.png", png(48, 32, 16, 2, [r.tobytes() for r in wide]))
    linear = (((np.asarray(im) / 255.0) ** 2.2) * 65535 + 0.5).astype(">u2")
    gama = chunk(b"gAMA", struct.pack(">I", 100000))
    write("linear16.png", png(48, 32, 16, 2, [r.tobytes() for r in linear], gama))
    gray16 = (np.arange(16) * 4369).astype(">u2")
    write("gray16.png", png(16, 1, 16, 0, [gray16.tobytes()]))
    exif = struct.pack("<2sHIHHHIHHI", b"II", 42, 8, 1, 0x0112, 3, 1, 6, 0, 0)  # little-endian
    turned = np.asarray(im.transpose(STORED[6]))
    write("orient6.png", png(32, 48, 8, 2, [r.tobytes() for r in turned], chunk(b"eXIf", exif)))
    write("interlaced.png", interlaced(np.asarray(im)))
    huge = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    write("huge.png", b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", huge)
          + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b""))


def interlaced(a):
    """Adam7: the seven sub-pictures, one after the other."""
    raw = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)]:
        raw += b"".join(b"\0" + r.tobytes() for r in np.ascontiguousarray(a[y0::dy, x0::dx]))
    h, w = a.shape[:2]
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 1))
            + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def webps():
    im = quarters()
    im.save(OUT + "lossless.webp", lossless=True)
    im.save(OUT + "lossy.webp", quality=95)
    rgba = Image.open(OUT + "alpha.png")
    rgba.save(OUT + "alpha.webp", lossless=True, exact=True)
    turned, exif = stored(8)
    turned.save(OUT + "orient8.webp", lossless=True, exif=exif)
    frames = [im, im.transpose(Image.Transpose.ROTATE_180)]
    frames[0].save(OUT + "animated.webp", save_all=True, append_images=frames[1:], lossless=True)


def resizes():
    """A textured source and Pillow's answers; binary PPM-like npy keeps them exact."""
    rng = np.random.default_rng(7)
    y, x = np.mgrid[0:40, 0:56]
    a = np.stack([127 + 120 * np.sin(x / 3.0 + y / 5), 3.0 * y + 2 * x, 255 * ((x // 7 + y // 5) % 2)],
                 2) + rng.normal(0, 12, (40, 56, 3))
    a = np.clip(a, 0, 255).astype(np.uint8)
    np.save(OUT + "resize_source.npy", a)
    im = Image.fromarray(a)
    for name, filt in [("bicubic", Image.BICUBIC), ("bilinear", Image.BILINEAR)]:
        np.save(OUT + f"resize_{name}_down.npy", np.asarray(im.resize((17, 13), filt)))
        np.save(OUT + f"resize_{name}_up.npy", np.asarray(im.resize((70, 61), filt)))
        box = (3.25, 1.5, 50.75, 37.0)
        np.save(OUT + f"resize_{name}_box.npy", np.asarray(im.resize((24, 20), filt, box)))


jpegs()
many_scans()
ycck()
pngs()
webps()
resizes()
