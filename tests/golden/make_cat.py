"""Makes cat_64.npy, the picture behind every golden, from scikit-image's chelsea.png (CC0).

    python3 make_cat.py chelsea.png
"""
import sys

import numpy as np
from PIL import Image

cat = Image.open(sys.argv[1]).convert("RGB").resize((64, 64), Image.BICUBIC)
np.save("cat_64.npy", np.asarray(cat))
