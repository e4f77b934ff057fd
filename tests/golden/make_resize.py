"""Golden of the antialiased bicubic resize: Pillow's, in float (mode F), channel by channel.

    python3 make_resize.py
"""
import numpy as np
import torch
from PIL import Image

from golden_lib import Writer, picture

SIZES = [(97, 61), (224, 224), (331, 250), (30, 200)]  # width, height

rgb = picture(160, 224)
out = Writer("resize", height=160, width=224)
for width, height in SIZES:
    planes = [Image.fromarray(rgb[:, :, c].astype(np.float32), "F").resize((width, height), Image.BICUBIC)
              for c in range(3)]
    eight = np.asarray(Image.fromarray(rgb).resize((width, height), Image.BICUBIC)).transpose(2, 0, 1)
    exact = np.stack([np.asarray(p) for p in planes])
    out.put("%dx%d" % (width, height), torch.from_numpy(exact)[None], torch.from_numpy(eight.copy())[None])
out.close()
