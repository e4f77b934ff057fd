"""Goldens of the explanations: SqueezeNet 1.1 and ResNet-50.

    python3 make_explain.py ../shared/models build/models/.../ResNet50

Every map is written down here again from its formula, in float64 and in float32. Seeds were chosen
so that no noisy copy and no point of a path lies on a kink (README.md): there PyTorch's own float32
is 1e-3 to 1e-2 away.
"""
import math
import os
import sys

import numpy as np
import torch

from golden_lib import Rng, Writer, network_input
from make_resnet50 import KerasNet
from make_resnet50 import DIM as RESNET_DIM
from make_resnet50 import MEAN as RESNET_MEAN
from onnx_torch import OnnxNet

STEPS, SAMPLES, NOISE, CHANNELS, MASKS, CELLS, KEEP = 3, 2, 0.15, 6, 6, 7, 0.5
VS, PATCH, STRIDE = 281, 96, 64  # tabby; squares of the occlusion and their distance


def normal(rng):
    """Box-Muller, as core/base/rng.c takes its two draws."""
    u, v = 1.0 - rng.uniform(), rng.uniform()
    return math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)


def gradient(run, x, target, rule="plain", layer=None):
    x = x.clone().requires_grad_(True)
    values = run(x, rule)
    wrt = values[layer] if layer else x
    return torch.autograd.grad(score(values, target), wrt)[0].detach(), values


def score(values, target):
    """The logit of a class, the difference of two (target, vs), or the activation of a neuron
    (layer, index)."""
    logits = values["logits"].reshape(1, -1)
    if isinstance(target, int):
        return logits[0, target]
    if isinstance(target[0], int):
        return logits[0, target[0]] - logits[0, target[1]]
    return values[target[0]].reshape(-1)[target[1]]


def largest(g):
    return g.abs().amax(1, keepdim=True)


def enlarge(m, size, first, stride):
    """A layer's map at the input's pixels, linear between units, the rim going on: unit i looks at
    the pixel `first` + i * stride."""
    def axis(pixels, units):
        at = np.clip((np.arange(pixels) - first) / stride, 0, units - 1)
        return np.maximum(0, 1 - np.abs(at[:, None] - np.arange(units)))
    rows, columns = (torch.from_numpy(axis(p, u)).to(m.dtype) for p, u in zip(size, m.shape[2:]))
    return rows @ m @ columns.T


def cams(run, x, target, layer, look):
    g, values = gradient(run, x, target, layer=layer)
    a = values[layer].detach()
    w = g.mean((2, 3), keepdim=True)
    alpha = g ** 2 / (2 * g ** 2 + g ** 3 * a.sum((2, 3), keepdim=True))
    wpp = (torch.nan_to_num(alpha) * g.clamp(min=0)).sum((2, 3), keepdim=True)
    plain = (w * a).sum(1, keepdim=True).clamp(min=0)
    guided, _ = gradient(run, x, target, "guided")
    large = enlarge(plain, x.shape[2:], *look)
    return {
        "grad_cam plain": plain,
        "grad_cam plusplus": (wpp * a).sum(1, keepdim=True).clamp(min=0),
        "grad_cam layercam": (g.clamp(min=0) * a).sum(1, keepdim=True).clamp(min=0),
        "grad_cam hirescam": (g * a).sum(1, keepdim=True).clamp(min=0),
        "grad_cam guided": largest(guided * large),
    }


def noise(x, seed, mean, scale):
    """luc_fill_picture()'s noise: float32 arithmetic, channel by channel."""
    rng = Rng(seed)
    u = np.array([np.float32(255 * rng.uniform()) for _ in range(x.numel())], np.float32)
    column = lambda v: np.array(v, np.float32).reshape(1, 3, 1, 1)
    return torch.from_numpy((u.reshape(x.shape) - column(mean)) * column(scale)).to(x.dtype)


def black(x, mean, scale):
    column = lambda v: torch.tensor(v, dtype=torch.float64).reshape(1, 3, 1, 1)
    return ((0 - column(mean)) * column(scale)).to(x.dtype).expand_as(x)


def integrated(run, x, target, baseline, channels=False):
    nodes, weights = np.polynomial.legendre.leggauss(STEPS)
    total = 0
    for z, w in zip(nodes, weights):
        at = (baseline.double() + (z + 1) / 2 * (x.double() - baseline.double())).float().to(x.dtype)
        total = total + w / 2 * gradient(run, at, target)[0]
    return (x - baseline) * total if channels else ((x - baseline) * total).sum(1, keepdim=True)


def smooth(run, x, target, neuron, seed, zero):
    """Over integrated gradients: of a neuron, whose paths meet fewer kinks than those of a class."""
    rng = Rng(seed)
    sigma = NOISE * (x.max().item() - x.min().item())
    grads, paths = [], []
    for _ in range(SAMPLES):
        e = np.array([sigma * normal(rng) for _ in range(x.numel())]).astype(np.float32)
        noisy = (x.float() + torch.from_numpy(e).reshape(x.shape)).to(x.dtype)
        grads.append(gradient(run, noisy, target)[0])
        paths.append(integrated(run, noisy, neuron, zero, channels=True))
    g = torch.stack(grads)
    return {"smoothgrad": largest(g.mean(0)), "smoothgrad squared": largest((g ** 2).mean(0)),
            "smoothgrad variance": largest((g ** 2).mean(0) - g.mean(0) ** 2),
            "smoothgrad over ig": largest(torch.stack(paths).mean(0))}


def probability(run, x, target):
    with torch.no_grad():
        return run(x, "plain")["logits"].reshape(1, -1).softmax(1)[0, target]


def plain_score(run, x, target):
    with torch.no_grad():
        return score(run(x, "plain"), target)


def occlusion(run, x, target, how):
    """Squares in the mean colour of each channel, a last one flush with the far side."""
    mean, base = x.mean((2, 3), keepdim=True), how(run, x, target)
    corners = [sorted({*range(0, size - PATCH, STRIDE), size - PATCH}) for size in x.shape[2:]]
    total, count = torch.zeros_like(x[:, :1]), torch.zeros_like(x[:, :1])
    for top in corners[0]:
        for left in corners[1]:
            box = (..., slice(top, top + PATCH), slice(left, left + PATCH))
            covered = x.clone()
            covered[box] = mean
            total[box] += base - how(run, covered, target)
            count[box] += 1
    return total / count


def score_cam(run, x, target, layer, gray, look):
    """Algorithm 1 of arXiv:1910.01279, and the same with increases of the probability as weights."""
    with torch.no_grad():
        a = run(x, "plain")[layer]
    best = (a ** 2).sum((0, 2, 3)).argsort(descending=True)[:CHANNELS]
    masked = []
    for k in best:
        m = enlarge(a[:, k:k + 1], x.shape[2:], *look)
        m = (m - m.min()) / (m.max() - m.min())
        masked.append(gray + m * (x - gray))
    out = {}
    for name, how, weigh in (("score_cam", plain_score, lambda s: s.softmax(0)),
                             ("score_cam increase", probability, lambda s: s)):
        base = how(run, gray, target)
        w = weigh(torch.stack([how(run, m, target) - base for m in masked]))
        out[name] = (w.reshape(1, -1, 1, 1) * a[:, best]).sum(1, keepdim=True).clamp(min=0)
    return out


def rise(run, x, target, gray, seed):
    rng, total, shown = Rng(seed), 0, 0
    for _ in range(MASKS):
        grid = np.array([float(rng.uniform() < KEEP) for _ in range((CELLS + 2) ** 2)])
        grid = grid.reshape(CELLS + 2, CELLS + 2)
        axes = []
        for size in x.shape[2:]:
            at = (np.arange(size) + 0.5) * CELLS / size + rng.uniform()
            hat = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(CELLS + 2)))
            axes.append(hat)
        mask = torch.from_numpy(axes[0] @ grid @ axes[1].T).to(x.dtype)[None, None]
        total = total + probability(run, gray + mask * (x - gray), target) * mask
        shown = shown + mask
    return total / shown


def explain(net, run, x, layer, cam_weights, mean, scale, dim, seed, ig_seed, look, inner):
    plane = lambda v: ((torch.full((3,), v) - torch.tensor(mean)) * torch.tensor(scale))
    values = run(x, "plain")
    target = values["logits"].argmax().item()
    neuron = (inner, values[inner].argmax().item())

    def maps(t):
        fill = lambda v: plane(v).reshape(1, 3, 1, 1).to(t.dtype).expand_as(t).contiguous()
        gray, random = fill(128.0), noise(t, ig_seed, mean, scale)
        out = {rule: largest(gradient(run, t, target, rule)[0]) for rule in ("guided", "deconv")}
        out["saliency"] = largest(gradient(run, t, target)[0])
        out["saliency vs"] = largest(gradient(run, t, (target, VS))[0])
        out["saliency neuron"] = largest(gradient(run, t, neuron)[0])
        out["guided vs"] = largest(gradient(run, t, (target, VS), "guided")[0])
        out["guided neuron"] = largest(gradient(run, t, neuron, "guided")[0])
        out["deconv neuron"] = largest(gradient(run, t, neuron, "deconv")[0])
        out.update(cams(run, t, target, layer, look))
        g, held = gradient(run, t, (target, VS), layer=layer)
        out["grad_cam vs"] = (g.mean((2, 3), keepdim=True) * held[layer]).sum(1, keepdim=True).clamp(min=0)
        a = run(t, "plain")[layer].detach()
        out["cam"] = (cam_weights(target).to(t.dtype).reshape(1, -1, 1, 1) * a).sum(1, keepdim=True)
        out["integrated_gradients"] = integrated(run, t, target, random)
        out["integrated_gradients vs"] = integrated(run, t, (target, VS), random)
        out["integrated_gradients neuron"] = integrated(run, t, neuron, random)
        out.update(smooth(run, t, target, neuron, seed, black(t, mean, scale)))
        out.update(score_cam(run, t, target, layer, gray, look))
        out["rise"] = rise(run, t, target, gray, seed)
        out["occlusion"] = occlusion(run, t, target, probability)
        out["occlusion vs"] = occlusion(run, t, (target, VS), plain_score)
        out["occlusion neuron"] = occlusion(run, t, neuron, plain_score)
        return out

    exact, rounded = maps(x), maps(x.float())
    out = Writer(net, height=224, width=224, dim=dim, target=target)
    for name in exact:
        out.put(name, exact[name], rounded[name])
    out.close()


def main():
    mean, scale = [123.675, 116.28, 103.53], [1 / 58.395, 1 / 57.12, 1 / 57.375]
    squeeze = OnnxNet(os.path.join(sys.argv[1], "squeezenet1_1.onnx"))
    last = [n.output[0] for n in squeeze.graph.node if n.op_type == "Relu"][-1]
    one = lambda target: torch.eye(1000, dtype=torch.float64)[target]
    explain("squeezenet_explain", lambda t, rule: squeeze.run(t, rule),
            network_input(224, 224, "RGB", mean, scale, 40), last, one, mean, scale, 40, 23, 31, (15, 16),
            "/features/features.9/Concat_output_0")

    resnet = KerasNet(sys.argv[2])
    explain("resnet50_explain", resnet.run,
            network_input(224, 224, "BGR", RESNET_MEAN, [1, 1, 1], RESNET_DIM), "activation_48",
            lambda target: resnet.w["fc1000/kernel"][:, target], RESNET_MEAN, [1.0, 1.0, 1.0],
            RESNET_DIM, 8, 2, (0, 32), "activation_39")


if __name__ == "__main__":
    main()
