"""Golden of attacks' first steps on SqueezeNet: the slope of the cross-entropy with respect to pixels,
without and with a wanted class, DeepFool's first step in both norms, and three steps of C&W: the slope of the
first (Adam's moment) and the variable after the third.

    python3 make_attack.py MODELS
"""
import os
import sys

import torch
import torch.nn.functional as F

from golden_lib import Writer, picture
from onnx_torch import OnnxNet

DIM, WANTED, CLASSES, CW_STEPS = 40, 281, 5, 3
MEAN, SCALE = [123.675, 116.28, 103.53], [1 / 58.395, 1 / 57.12, 1 / 57.375]


def main():
    net = OnnxNet(os.path.join(sys.argv[1], "squeezenet1_1.onnx"))
    clean = torch.from_numpy(picture(224, 224, DIM).transpose(2, 0, 1).copy())

    def column(v, dtype):
        return torch.tensor(v, dtype=dtype)[None, :, None, None]

    def logits(x):
        given = (x - column(MEAN, x.dtype)) * column(SCALE, x.dtype)
        return net.run(given)[net.graph.output[0].name].reshape(1, -1)

    def carlini_wagner(dtype, top):
        """Adam over tanh with c = 1; whole values decide whether it has won."""
        start = torch.atanh(0.999999 * (clean[None].double() / 127.5 - 1)).float().to(dtype)
        w = start.clone().requires_grad_(True)
        adam, first, best = torch.optim.Adam([w], 0.01), None, float("inf")
        for _ in range(CW_STEPS):
            x = 127.5 * (torch.tanh(w) + 1)
            z = logits(x)[0]
            loss = ((x - clean) ** 2).sum() / 255 ** 2
            others = torch.cat([z[:top], z[top + 1:]])
            whole = x.detach().round()
            size = (whole - clean).norm().item()
            won = z.argmax() != top and (size >= best or logits(whole).argmax() != top)
            best = min(best, size) if won else best
            if not won:
                loss = loss + z[top] - others.max()
            print("    C&W: loss %.6f, won: %d" % (loss.item(), won))
            adam.zero_grad()
            loss.backward()
            first = w.grad.clone() if first is None else first
            adam.step()
        # what no maximum comes from has no slope: there Adam divides rounding by rounding
        return first, torch.where(first.abs() > 1e-6, (w - start).detach(), torch.zeros_like(w))

    def steps(dtype):
        x = clean[None].to(dtype).requires_grad_(True)
        z = logits(x)
        top = z.argmax().item()
        slope = lambda loss: torch.autograd.grad(loss, x, retain_graph=True)[0]
        rivals = [k for k in z[0].argsort(descending=True).tolist() if k != top][:CLASSES]
        l2, linf = [], []
        for k in rivals:
            w = slope(z[0, k] - z[0, top])
            f = (z[0, k] - z[0, top]).abs().item()
            l2.append((f / w.norm().item(), f * w / w.norm() ** 2))
            linf.append((f / w.abs().sum().item(), f / w.abs().sum() * w.sign()))
        nearest = lambda steps: min(steps, key=lambda s: s[0])[1]
        first, way = carlini_wagner(dtype, top)
        return top, {"leave": -slope(F.cross_entropy(z, torch.tensor([top]))),
                     "towards": slope(F.cross_entropy(z, torch.tensor([WANTED]))),
                     "deepfool": nearest(l2), "deepfool linf": nearest(linf),
                     "cw slope": first, "cw way": way}

    top, exact = steps(torch.float64)
    _, rounded = steps(torch.float32)
    out = Writer("squeezenet_attack", height=224, width=224, dim=DIM, target=top)
    for name in exact:
        out.put(name, exact[name], rounded[name])
    out.close()


if __name__ == "__main__":
    main()
