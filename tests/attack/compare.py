#!/usr/bin/env python3
"""Success rates of `lucida run fool` beside the same attacks written here in PyTorch, with the same
weights, on the same pictures.

    compare.py LUCIDA MODELS squeezenet1_1|resnet50 NETWORK_FILE PHOTOGRAPHS [N] [METHOD:EPSILON...]

N photographs of the folder, evenly spread (50). A success is a picture of whole pixel values that
the network classifies otherwise than the clean one. METHOD is fgsm or pgd (linf, epsilon in gray
levels), towards (pgd with a class to reach, the clean one's index + 500 of 1000), deepfool or cw (l2,
no epsilon). PyTorch's code shares nothing with the engine; its random numbers are its own. Needs
python3-torch, python3-onnx, python3-numpy, python3-pil."""
import glob
import json
import os
import subprocess
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from make_resnet50 import KerasNet  # noqa: E402
from onnx_torch import OnnxNet      # noqa: E402

STEPS = {"fgsm": 1, "pgd": 10, "towards": 20, "deepfool": 50, "cw": 60}
CLASSES, OVERSHOOT, STARTS = 5, 0.02, 4


class Net:
    def __init__(self, name, path):
        if name == "resnet50":
            net = KerasNet(path)
            self.values = lambda x: net.run(x, None)
            self.mean, self.scale, self.flip = [103.939, 116.779, 123.68], [1.0, 1.0, 1.0], True
        else:
            net = OnnxNet(path)
            params = net.params(torch.float32)
            self.values = lambda x: net.run(x, None, params)
            self.output = net.graph.output[0].name
            self.mean, self.scale, self.flip = [123.675, 116.28, 103.53], [1 / 58.395, 1 / 57.12, 1 / 57.375], False
        self.name = name

    def logits(self, pixels):
        """pixels: [3, H, W] RGB of 0..255."""
        x = pixels.flip(0) if self.flip else pixels
        x = (x - torch.tensor(self.mean)[:, None, None]) * torch.tensor(self.scale)[:, None, None]
        values = self.values(x[None])
        return values["logits" if self.name == "resnet50" else self.output].reshape(-1)

    def top(self, pixels):
        with torch.no_grad():
            return self.logits(pixels).argmax().item()

    def slope(self, pixels, of):
        """Logits, and the gradient of of(logits)."""
        x = pixels.clone().requires_grad_(True)
        z = self.logits(x)
        return z.detach(), torch.autograd.grad(of(z), x)[0]


def loss_of(label):
    return lambda z: F.cross_entropy(z[None], torch.tensor([label]))


def fgsm(net, clean, label, epsilon):
    _, g = net.slope(clean, loss_of(label))
    return (clean + epsilon * g.sign()).clamp(0, 255).round()


def descend(net, clean, epsilon, steps, loss, won):
    step = 2.5 * epsilon / steps
    x = (clean + (2 * torch.rand(clean.shape) - 1) * epsilon).clamp(0, 255)
    for i in range(steps + 1):
        rounded = x.round()
        if won(net.top(rounded)) or i == steps:
            return rounded
        _, g = net.slope(x, loss)
        x = clean + (x - step * g.sign() - clean).clamp(-epsilon, epsilon)
        x = x.clamp(0, 255)


def pgd(net, clean, label, epsilon):
    return descend(net, clean, epsilon, STEPS["pgd"], lambda z: -loss_of(label)(z), lambda k: k != label)


def wanted(label):
    return (label + 500) % 1000


def towards(net, clean, label, epsilon):
    to = wanted(label)
    return descend(net, clean, epsilon, STEPS["towards"], loss_of(to), lambda k: k == to)


def deepfool(net, clean, label, _):
    total, overshoot, x = torch.zeros_like(clean), OVERSHOOT, clean
    for _ in range(STEPS["deepfool"]):
        if net.top(x) != label:
            if net.top(x.round()) != label:
                break
            overshoot *= 2
        else:
            v = x.clone().requires_grad_(True)
            z = net.logits(v)
            rivals = [k for k in z.argsort(descending=True).tolist() if k != label][:CLASSES]
            best = None
            for k in rivals:
                w = torch.autograd.grad(z[k] - z[label], v, retain_graph=True)[0]
                f = (z[k] - z[label]).abs().item() + 1e-4
                if best is None or f / w.norm() < best[0]:
                    best = (f / w.norm(), f * w / w.norm() ** 2)
            total = total + best[1]
        x = (clean + (1 + overshoot) * total).clamp(0, 255)
    return x.round()


def cw(net, clean, label, _):
    low, high, c, best, found = 0.0, np.inf, 1.0, np.inf, clean
    for _ in range(STARTS):
        w = torch.atanh(0.999999 * (clean.double() / 127.5 - 1)).float().requires_grad_(True)
        adam, won = torch.optim.Adam([w], 0.01), False
        for _ in range(STEPS["cw"]):
            x = 127.5 * (torch.tanh(w) + 1)
            z = net.logits(x)
            fooled = False
            if z.argmax().item() != label:
                rounded = x.detach().round()
                norm = (rounded - clean).norm().item()
                fooled = norm >= best or net.top(rounded) != label
                if fooled and norm < best:
                    best, found = norm, rounded
            won |= fooled
            loss = ((x - clean) ** 2).sum() / 255 ** 2
            if not fooled:
                others = torch.cat([z[:label], z[label + 1:]])
                loss = loss + c * (z[label] - others.max())
            adam.zero_grad()
            loss.backward()
            adam.step()
        low, high = (low, c) if won else (c, high)
        c = (low + high) / 2 if np.isfinite(high) else 10 * c
    return found


def ours(lucida, models, network, photograph, method, epsilon, label):
    target = str(wanted(label)) if method == "towards" else "none"
    command = [lucida, "run", "fool", photograph, "--models", models, "--model", network,
               "--method", "pgd" if method == "towards" else method, "--target", target,
               "--steps", str(STEPS[method]), "--classes", str(CLASSES), "--overshoot", str(OVERSHOOT),
               "--starts", str(STARTS if method == "cw" else 1), "--format", "json"]
    if epsilon:
        command += ["--epsilon", str(epsilon)]
    result = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["result"]
    return result["success"] == 1, result["l2"], result["before"][0]["index"]


def main():
    lucida, models, network, path, photographs = sys.argv[1:6]
    rest = sys.argv[6:]
    n = int(rest.pop(0)) if rest and rest[0].isdigit() else 50
    torch.set_num_threads(1)
    torch.manual_seed(0)
    net = Net(network, path)
    files = sorted(glob.glob(os.path.join(photographs, "*.jpg")))
    files = [files[i * len(files) // n] for i in range(n)]
    for what in rest or ["fgsm:2", "fgsm:8", "pgd:2", "pgd:8", "deepfool:0", "cw:0"]:
        method, epsilon = what.split(":")
        rows, otherwise = [], 0
        for f in files:
            picture = Image.open(f).convert("RGB").resize((224, 224), Image.BICUBIC)
            clean = torch.from_numpy(np.asarray(picture).astype(np.float32).transpose(2, 0, 1).copy())
            label = net.top(clean)
            made = globals()[method](net, clean, label, float(epsilon))
            success, l2, before = ours(lucida, models, network, f, method, float(epsilon), label)
            otherwise += before != label
            top = net.top(made)
            rows.append([success, top == wanted(label) if method == "towards" else top != label, l2, (made - clean).norm().item()])
        r = np.array(rows, float)
        print("%-14s %-9s eps %s/255  success: lucida %5.1f %%  PyTorch %5.1f %%   median L2/255: %.4f %.4f"
              "   %d pictures, %d clean classes differ" %
              (network, method, epsilon, 100 * r[:, 0].mean(), 100 * r[:, 1].mean(),
               np.median(r[:, 2]) / 255, np.median(r[:, 3]) / 255, n, otherwise), flush=True)


if __name__ == "__main__":
    main()
