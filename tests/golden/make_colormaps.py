#!/usr/bin/env python3
"""Prints core/tensor/colormap_data.c. Needs python3-matplotlib for viridis and inferno (van der Walt
and Smith, CC0); the others are computed:
turbo: Mikhailov, "Turbo, an improved rainbow colormap", 2019, its published polynomial;
coolwarm: Moreland, "Diverging color maps for scientific visualization", 2009, in Msh space."""
import math

from matplotlib import colormaps


def packed(rgb):
    r, g, b = (min(255, max(0, round(255 * c))) for c in rgb)
    return r << 16 | g << 8 | b


def turbo(t):
    red = [0.13572138, 4.61539260, -42.66032258, 132.13108234, -152.94239396, 59.28637943]
    green = [0.09140261, 2.19418839, 4.84296658, -14.18503333, 4.27729857, 2.82956604]
    blue = [0.10667330, 12.64194608, -60.58204836, 110.36276771, -89.90310912, 27.34824973]
    return [sum(c * t**k for k, c in enumerate(p)) for p in (red, green, blue)]


WHITE = (95.047, 100.0, 108.883)


def to_msh(rgb):
    lin = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    rows = [(0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)]
    x, y, z = (100 * sum(a * b for a, b in zip(r, lin)) / w for r, w in zip(rows, WHITE))
    f = [v ** (1 / 3) if v > 0.008856 else 7.787 * v + 16 / 116 for v in (x, y, z)]
    L, a, b = 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])
    m = math.sqrt(L * L + a * a + b * b)
    return m, math.acos(L / m), math.atan2(b, a)


def to_rgb(m, s, h):
    L, a, b = m * math.cos(s), m * math.sin(s) * math.cos(h), m * math.sin(s) * math.sin(h)
    fy = (L + 16) / 116
    f = (fy + a / 500, fy, fy - b / 200)
    x, y, z = (w / 100 * (v**3 if v**3 > 0.008856 else (v - 16 / 116) / 7.787)
               for v, w in zip(f, WHITE))
    lin = (3.2406 * x - 1.5372 * y - 0.4986 * z, -0.9689 * x + 1.8758 * y + 0.0415 * z,
           0.0557 * x - 0.2040 * y + 1.0570 * z)
    return [12.92 * c if c <= 0.0031308 else 1.055 * c ** (1 / 2.4) - 0.055 for c in lin]


def toward_white(m, s, h, mid):
    """The hue that a colour turns to as it nears the unsaturated middle."""
    if m >= mid:
        return h
    turn = s * math.sqrt(mid * mid - m * m) / (m * math.sin(s))
    return h + turn if h > -math.pi / 3 else h - turn


def coolwarm(t):
    ends = to_msh((59 / 255, 76 / 255, 192 / 255)), to_msh((180 / 255, 4 / 255, 38 / 255))
    mid = max(ends[0][0], ends[1][0], 88)
    m, s, h = ends[0] if t < 0.5 else ends[1]
    k = abs(2 * t - 1)  # 1 at the ends
    hue = toward_white(m, s, h, mid)
    return to_rgb(k * m + (1 - k) * mid, k * s, k * h + (1 - k) * hue)


MAPS = [
    ("viridis", lambda t: colormaps["viridis"](t)[:3]),
    ("inferno", lambda t: colormaps["inferno"](t)[:3]),
    ("turbo", turbo),
    ("gray", lambda t: (t, t, t)),
    ("coolwarm", coolwarm),
]

print("/* Made by tests/golden/make_colormaps.py, which names the sources. */")
print('#include "core/tensor/colormap.h"\n')
print("/* clang-format off */")
print("const struct luc_colormap luc_colormap_tables[LUC_N_COLORMAPS] = {")
for name, f in MAPS:
    print(f'    {{ "{name}", {{')
    values = [packed(f(i / 255)) for i in range(256)]
    for i in range(0, 256, 8):
        print("        " + " ".join(f"0x{v:06x}," for v in values[i : i + 8]))
    print("    } },")
print("};")
print("/* clang-format on */")
