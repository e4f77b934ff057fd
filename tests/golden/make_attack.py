"""Golden of attacks' first steps on SqueezeNet: the slope of the cross-entropy with respect to pixels,
without and with a wanted class, and DeepFool's first step.

    python3 make_attack.py MODELS
"""
import os
import sys

import torch
import torch.nn.functional as F

from golden_lib import Writer, picture
from onnx_torch import OnnxNet

DIM, WANTED, CLASSES = 40, 281, 5
MEAN, SCALE = [123.675, 116.28, 103.53], [1 / 58.395, 1 / 57.12, 1 / 57.375]


def main():
    net = OnnxNet(os.path.join(sys.argv[1], "squeezenet1_1.onnx"))
    clean = torch.from_numpy(picture(224, 224, DIM).transpose(2, 0, 1).copy())

    def column(v, dtype):
        return torch.tensor(v, dtype=dtype)[None, :, None, None]

    def steps(dtype):
        x = clean[None].to(dtype).requires_grad_(True)
        z = net.run((x - column(MEAN, dtype)) * column(SCALE, dtype))[net.graph.output[0].name].reshape(1, -1)
        top = z.argmax().item()
        slope = lambda loss: torch.autograd.grad(loss, x, retain_graph=True)[0]
        rivals = [k for k in z[0].argsort(descending=True).tolist() if k != top][:CLASSES]
        best = None
        for k in rivals:
            w = slope(z[0, k] - z[0, top])
            f = (z[0, k] - z[0, top]).abs().item()
            if best is None or f / w.norm().item() < best[0]:
                best = (f / w.norm().item(), f * w / w.norm() ** 2)
        return top, {"leave": -slope(F.cross_entropy(z, torch.tensor([top]))),
                     "towards": slope(F.cross_entropy(z, torch.tensor([WANTED]))), "deepfool": best[1]}

    top, exact = steps(torch.float64)
    _, rounded = steps(torch.float32)
    out = Writer("squeezenet_attack", height=224, width=224, dim=DIM, target=top)
    for name in exact:
        out.put(name, exact[name], rounded[name])
    out.close()


if __name__ == "__main__":
    main()
