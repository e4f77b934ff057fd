"""PyTorch's side of a style transfer's step: the same losses as bench_gatys.c.

    python3 peer_gatys.py resnet50|FILE.onnx SIDE pixel|fourier lbfgs|adam LAYERS THREADS LAYOUT

Gram matrices by bmm; the network is traced up to the last layer that is asked for. L-BFGS does one
evaluation a step and keeps twenty pairs, as ours.
"""
import sys

import torch

import peer_nets

BETA, TV = 30.0, 1.0
name, side, paint, kind, layers, threads, layout = sys.argv[1:8]
side = int(side)
torch.set_num_threads(int(threads))

run, relus, _ = peer_nets.load(name, layout)
wanted = [relus[int(i)] for i in layers.split(",")]
n_styles = len(wanted) - 1
fitted = (lambda t: t.contiguous(memory_format=torch.channels_last)) if layout == "channels_last" \
    else (lambda t: t)
noise = lambda seed: 255 * torch.rand((1, 3, side, side),
                                      generator=torch.Generator().manual_seed(seed))
net = peer_nets.trace(run, wanted, fitted(noise(0)))


def gram(f):
    m = f.reshape(1, f.shape[1], -1)
    return torch.bmm(m, m.transpose(1, 2)) / m.numel()


with torch.no_grad():
    styles = [gram(f) for f in net(fitted(noise(1)))[:n_styles]]
    content = net(fitted(noise(2)))[n_styles].clone()
style_sizes = [float((g * g).sum()) for g in styles]
content_size = float((content * content).mean())

# the spectrum of core/generate/paint.h, with colours left as they are
fy, fx = torch.fft.fftfreq(side)[:, None], torch.fft.rfftfreq(side)[None, :]
scale = side / torch.sqrt(fy * fy + fx * fx).clamp(min=1 / side)
variable = noise(3) if paint == "pixel" else \
    torch.view_as_real(torch.fft.rfft2(torch.logit(noise(3) / 255, 0.02) * 4) / scale).contiguous()
variable.requires_grad_(True)
if kind == "lbfgs":
    optimiser = torch.optim.LBFGS([variable], lr=1, max_iter=1, history_size=20,
                                  tolerance_grad=0, tolerance_change=0)
else:
    optimiser = torch.optim.Adam([variable], lr=3 if paint == "pixel" else 0.05)


def picture():
    if paint == "pixel":
        return variable
    planes = torch.fft.irfft2(torch.view_as_complex(variable) * scale, s=(side, side))
    return 255 * torch.sigmoid(planes / 4)


def loss():
    optimiser.zero_grad()
    p = picture()
    features = net(fitted(p))
    total = ((features[n_styles] - content) ** 2).mean() / content_size
    for f, g, size in zip(features, styles, style_sizes):
        total = total + BETA / n_styles * ((gram(f) - g) ** 2).sum() / size
    down, right = p[:, :, 1:] - p[:, :, :-1], p[:, :, :, 1:] - p[:, :, :, :-1]
    total = total + TV * ((down ** 2).mean() + (right ** 2).mean()) / 255 ** 2
    total.backward()
    return total


peer_nets.converse(lambda: optimiser.step(loss))
