"""Seconds per step, and of both processors together, at 512 pixels, ResNet-50: visualize (lucid, views) and texture, beside PyTorch.

    python3 generate.py LUCIDA MODELS SAMPLE.jpg [STEPS]

lucida's step is what STEPS more steps take than one, whole program runs. PyTorch does the same passes
and losses, without views; its weights are taken as they are, batch normalisation unfolded. Its OpenBLAS may
need OPENBLAS_CORETYPE (ARCHITECTURE.md).
"""
import os
import resource
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import make_resnet50  # noqa: E402

SIDE, CLASS = 512, 99
LAYERS = ["activation", "activation_9", "activation_21", "activation_39"]


def lucida(program, models, method, steps, *more):
    start, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([program, "run", method, "--models", models, "--size", str(SIDE), "--steps",
                    str(steps), "-o", os.devnull, *more], check=True, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (time.time() - start,
            after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def gram(f):
    m = f[0].reshape(f.shape[1], -1)
    return m @ m.T / m.numel()


def torch_seconds(net, steps, loss, x, rate):
    x = x.requires_grad_(True)
    adam = torch.optim.Adam([x], lr=rate)
    times = []
    for _ in range(steps):
        start, busy = time.time(), time.process_time()
        adam.zero_grad()
        loss(net.run(x, None)).backward()
        adam.step()
        times.append((time.time() - start, time.process_time() - busy))
    return sorted(times)[len(times) // 2]


def main():
    program, models, sample = sys.argv[1:4]
    steps = int(sys.argv[4]) if len(sys.argv) > 4 else 4
    net = make_resnet50.KerasNet(os.path.join(models, "resnet50"))
    net.w = {k: v.float() for k, v in net.w.items()}
    torch.set_num_threads(2)
    for method, more in (("visualize", ()), ("texture", (sample,))):
        one, many = (lucida(program, models, method, n, *more) for n in (1, 1 + steps))
        print("%s: lucida %.2f s a step, %.2f s of processors" % (
            method, *((b - a) / steps for a, b in zip(one, many))), flush=True)

    x = 50 * torch.randn(1, 3, SIDE, SIDE)
    relu, F.relu = F.relu, lambda t, *_: F.softplus(t, beta=3)
    score = lambda v: -(v["logits"][0, CLASS] + 4 * F.log_softmax(v["logits"], 1)[0, CLASS])
    print("visualize: PyTorch %.2f s a step, %.2f s of processors" % torch_seconds(net, steps, score, x, 1.0), flush=True)
    F.relu = relu
    want = [gram(torch.zeros_like(v)) + 1e-3 for v in
            (net.run(x, None)[n].detach() for n in LAYERS)]
    style = lambda v: sum(((gram(v[n]) - g) ** 2).sum() / (g ** 2).sum()
                          for n, g in zip(LAYERS, want))
    truncated(net)
    print("texture: PyTorch %.2f s a step, %.2f s of processors" % torch_seconds(net, steps, style, x, 1.0))


def truncated(net):
    """Up to the last layer that is asked for."""
    names = [layer["name"] for layer in net.layers]
    net.layers = net.layers[:names.index(LAYERS[-1]) + 1]


if __name__ == "__main__":
    main()
