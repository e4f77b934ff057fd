"""Compares a saliency map of ResNet-50, as the server or the command line gave it, with PyTorch's.

    lucida run saliency PHOTO --format npy -o map.npy
    python3 tests/check_saliency.py map.npy PHOTO build/models/resnet50

The photograph is resized by Pillow (bicubic, 8 bit), so the whole way from file to map is compared.
PyTorch answers in float64 and in float32: where a ReLU's input is within rounding of zero, its own
two answers differ as well (tests/golden/README.md).
"""
import os
import sys

import numpy as np
import torch
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "golden"))
from make_resnet50 import MEAN, KerasNet  # noqa: E402


def saliency(net, x):
    x = x.clone().requires_grad_(True)
    logits = net.run(x)["logits"][0]
    best = logits.argmax().item()
    (g,) = torch.autograd.grad(logits[best], x)
    return best, torch.softmax(logits, 0)[best].item(), g.abs().amax(1)[0].double().numpy()


def apart(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


def main():
    mine = np.squeeze(np.load(sys.argv[1])).astype(np.float64)
    photo = Image.open(sys.argv[2]).convert("RGB").resize((224, 224), Image.BICUBIC)
    bgr = np.asarray(photo)[:, :, ::-1].astype(np.float32) - np.array(MEAN, np.float32)
    x = torch.from_numpy(bgr.transpose(2, 0, 1).copy())[None]
    net = KerasNet(sys.argv[3])
    best, p, want = saliency(net, x.double())
    _, _, single = saliency(net, x)
    _, _, nhwc = saliency(net, x.contiguous(memory_format=torch.channels_last))
    distance = apart(mine, want)
    print("class %d, probability %.4f" % (best, p))
    print("relative L2 distance to PyTorch float64: lucida %.2e, PyTorch float32 %.2e, "
          "in channels_last %.2e" % (distance, apart(single, want), apart(nhwc, want)))
    print("lucida to PyTorch float32 %.2e, cosine %.7f" % (
        apart(mine, single), (mine * want).sum() / np.linalg.norm(mine) / np.linalg.norm(want)))
    return 0 if min(distance, apart(mine, single)) <= 1e-3 else 1


sys.exit(main())
