"""Goldens of pictures made by gradients: SqueezeNet 1.1, 64 x 64.

    python3 make_generate.py ../shared/models

For visualize, invert and texture: the gradient with respect to the variables at the start, and the
loss before each of STEPS steps of Adam. Losses and parametrisations are written down here again from
their formulas. The path is followed in float64, and in float32 from STARTS starts that differ in their
last bits: sooner or later two neighbours in a maximum change places on one way and not on the other, and
from there on the ways part. The distance kept for comparison is the farthest of these.
"""
import math
import os
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F

from golden_lib import Writer, picture, weights
from onnx_torch import OnnxNet, step

STEPS, SIDE, DIM, TARGET, STARTS = 50, 64, 40, 281, 8
MEAN, SCALE = [123.675, 116.28, 103.53], [1 / 58.395, 1 / 57.12, 1 / 57.375]
COLOUR = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
COLOUR = COLOUR / np.sqrt((COLOUR ** 2).sum(0)).max()


def features(net, pictures, softplus=0):
    """All values by name; pictures [N, 3, H, W] of 0..255."""
    dtype = pictures.dtype
    mean, scale = (torch.tensor(v, dtype=dtype).reshape(1, 3, 1, 1) for v in (MEAN, SCALE))
    values = dict(net.params(dtype))
    values[net.graph.input[0].name] = (pictures - mean) * scale
    for node in net.graph.node:
        attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        ins = [values[i] if i else None for i in node.input]
        if node.op_type == "Relu" and softplus:
            out = F.softplus(ins[0], beta=softplus, threshold=40)
        else:
            out = step(node.op_type, ins, attrs, "plain")
        values[node.output[0]] = out
    return values


def scale_of(h, w, dtype):
    fy, fx = np.fft.fftfreq(h)[:, None], np.fft.rfftfreq(w)[None]
    f = np.maximum(np.sqrt(fy ** 2 + fx ** 2), 1 / max(h, w))
    return torch.tensor(math.sqrt(h * w) / f, dtype=dtype)


def to_spectrum(p):
    """[3, H, W] -> [3, H, W/2 + 1, 2]"""
    t = (p / 255).clamp(0.02, 0.98)
    planes = torch.einsum("cr,rhw->chw", torch.tensor(np.linalg.inv(COLOUR), dtype=p.dtype),
                          torch.log(t / (1 - t))) * 4
    return torch.view_as_real(torch.fft.rfft2(planes) / scale_of(*p.shape[1:], p.dtype)).clone()


def from_spectrum(s):
    h, w = s.shape[1], 2 * (s.shape[2] - 1)
    planes = torch.fft.irfft2(torch.view_as_complex(s) * scale_of(h, w, s.dtype), s=(h, w))
    return 255 * torch.sigmoid(torch.einsum("rc,chw->rhw", torch.tensor(COLOUR, dtype=s.dtype),
                                            planes) / 4)


def gram(f):
    m = f[0].reshape(f.shape[1], -1)
    return m @ m.T / m.numel()


def distance(p, power, unit):
    c = torch.tensor(MEAN, dtype=p.dtype).reshape(3, 1, 1)
    return ((p - c).abs() / unit).pow(power).mean()


def variation(p):
    d = p / 255
    return (d[:, :, 1:] - d[:, :, :-1]).pow(2).mean() + (d[:, 1:] - d[:, :-1]).pow(2).mean()


def beta_variation(p, beta):
    d = p / 255
    dx = F.pad(d[:, :, 1:] - d[:, :, :-1], (0, 1))
    dy = F.pad(d[:, 1:] - d[:, :-1], (0, 0, 0, 1))
    return (dx ** 2 + dy ** 2 + 1e-8).pow(beta / 2).mean()


def visualize(net, names, sample):
    def loss(p):
        z = features(net, p[None], 3)[names["logits"]].reshape(-1)
        return (-(z[TARGET] + 4 * F.log_softmax(z, 0)[TARGET]) + 5 * distance(p, 2, 255) +
                100 * variation(p))
    return loss


def invert(net, names, sample):
    want = features(net, sample[None])[names["fire5"]].detach()

    def loss(p):
        got = features(net, p[None])[names["fire5"]]
        return ((got - want) ** 2).mean() / (want ** 2).mean() + distance(p, 6, 128) + \
            beta_variation(p, 1.5)
    return loss


def texture(net, names, sample):
    layers = [names[n] for n in ("conv1", "fire3", "fire5")]
    first = features(net, sample[None])
    want = [gram(first[n]).detach() for n in layers]

    def loss(p):
        values = features(net, p[None])
        return sum(((gram(values[n]) - g) ** 2).sum() / (g ** 2).sum()
                   for n, g in zip(layers, want)) / 3
    return loss


def follow(make, fourier, rate, dtype, net, names, nudge=0):
    """Gradient at the start, and STEPS losses. nudge: seeds changes of the start's last bits."""
    sample = torch.tensor(picture(SIDE, SIDE, DIM).transpose(2, 0, 1).astype(np.float64)).to(dtype)
    loss = make(net, names, sample)
    # a pattern, so that no two neighbours are alike: maxima of equals are anybody's choice
    pattern = (np.arange(3 * SIDE * SIDE) * 7919 % 1009).astype(np.float32) / 126
    start = torch.flip(sample, (1,)) * 0.5 + 64 + torch.from_numpy(pattern).to(dtype).reshape(sample.shape)
    if nudge:
        start = start * (1 + 1e-7 * weights(start.shape, nudge)).to(dtype)
    x = (to_spectrum(start) if fourier else start.clone()).requires_grad_(True)
    adam = torch.optim.Adam([x], lr=rate)
    gradient, path = None, []
    for _ in range(STEPS):
        adam.zero_grad()
        now = loss(from_spectrum(x) if fourier else x)
        now.backward()
        if gradient is None:
            gradient = x.grad.clone()
        path.append(now.item())
        adam.step()
        if not fourier:
            with torch.no_grad():
                x.clamp_(0, 255)
    return gradient, torch.tensor(path, dtype=torch.float64)


def main():
    net = OnnxNet(os.path.join(sys.argv[1], "squeezenet1_1.onnx"))
    nth = lambda op, k: [n.output[0] for n in net.graph.node if n.op_type == op][k]
    names = {"logits": net.graph.output[0].name, "conv1": nth("Relu", 0), "fire3": nth("Concat", 1),
             "fire5": nth("Concat", 3)}
    out = Writer("squeezenet_generate", height=SIDE, width=SIDE, dim=DIM, target=TARGET)
    for make, fourier, rate in ((visualize, True, 0.05), (invert, False, 3), (texture, True, 0.05)):
        wide = follow(make, fourier, rate, torch.float64, net, names)
        narrow = [follow(make, fourier, rate, torch.float32, net, names, k) for k in range(STARTS)]
        away = [((n[1] - wide[1]).norm() / wide[1].norm()).item() for n in narrow]
        out.put("gradient " + make.__name__, wide[0], narrow[0][0])
        out.put("path " + make.__name__, wide[1], narrow[int(np.argmax(away))][1])
        print("   ", wide[1][[0, 1, 10, 49]].tolist(), " ".join("%.1e" % a for a in away))
    out.close()


if __name__ == "__main__":
    main()
