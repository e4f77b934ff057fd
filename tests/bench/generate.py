"""Seconds per step, and of all processors together, of the methods that make pictures by gradients, beside
PyTorch, 512 x 512 pixels.

    python3 generate.py LUCIDA MODELS resnet50|vgg19_features NETWORK_FILE PHOTOGRAPH [METHOD...]

lucida's step is what STEPS more steps take than one, whole program runs, the quickest of ROUNDS each; PyTorch's
the least median of as many. In turns, with two threads each. PyTorch does the same passes and
losses, without the views and penalties that lucida's times include; its weights are taken as they are, batch
normalisation unfolded. OPENBLAS_CORETYPE, where PyTorch's OpenBLAS needs it (ARCHITECTURE.md), is taken from
the environment and not handed on to lucida, which finds its own.
"""
import os
import resource
import subprocess
import sys
import tempfile
import time

import torch
import torch.nn.functional as F
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import make_resnet50  # noqa: E402
import onnx_torch     # noqa: E402

SIDE, CLASS, CHANNEL, STEPS, ROUNDS, THREADS = 512, 99, 10, 5, 3, 2
LAYERS = {"resnet50": ["activation", "activation_9", "activation_21", "activation_39"],
          "vgg19_features": ["relu1_1", "relu2_1", "relu3_1", "relu4_1"]}
SHOWN = {"resnet50": None, "vgg19_features": "relu5_1"}  # by visualize; None: a class


class Resnet:
    def __init__(self, path):
        self.net = make_resnet50.KerasNet(path)
        self.net.w = {k: v.float() for k, v in self.net.w.items()}
        self.all = self.net.layers

    def up_to(self, layer):
        names = [one["name"] for one in self.all]
        self.net.layers = self.all[:names.index(layer) + 1] if layer else self.all

    def values(self, x):
        return self.net.run(x, None)


class Vgg:
    def __init__(self, path):
        self.net = onnx_torch.OnnxNet(path)
        self.params = self.net.params(torch.float32)
        self.nodes, self.names, block, nth = list(self.net.graph.node), {}, 1, 1
        for node in self.nodes:
            if node.op_type == "Relu":
                self.names["relu%d_%d" % (block, nth)] = node.output[0]
                nth += 1
            block, nth = (block + 1, 1) if node.op_type == "MaxPool" else (block, nth)

    def up_to(self, layer):
        outputs = [node.output[0] for node in self.nodes]
        del self.net.graph.node[:]
        self.net.graph.node.extend(self.nodes[:outputs.index(self.names[layer]) + 1])

    def values(self, x):
        values = self.net.run(x, None, self.params)
        return {name: values[out] for name, out in self.names.items() if out in values}


def gram(f):
    m = f[0].reshape(f.shape[1], -1)
    return m @ m.T / m.numel()


def loss_of(method, network, net, x):
    """The loss of all values, with the network cut after the last layer that is asked for."""
    layers, last = LAYERS[network], LAYERS[network][-1]
    if method == "visualize":
        net.up_to(SHOWN[network])
        if SHOWN[network]:
            return lambda v: -v[SHOWN[network]][0, CHANNEL].mean()
        return lambda v: -(v["logits"][0, CLASS] + 4 * F.log_softmax(v["logits"], 1)[0, CLASS])
    net.up_to(last)
    with torch.no_grad():
        have = {n: v for n, v in net.values(x).items() if n in layers}
    if method == "dream":
        return lambda v: -0.5 * (v[last] ** 2).sum()
    if method == "invert":
        want = have[last] + 1
        return lambda v: ((v[last] - want) ** 2).sum() / (want ** 2).sum()
    want = {n: gram(v) + 1e-3 for n, v in have.items()}
    return lambda v: sum(((gram(v[n]) - want[n]) ** 2).sum() / (want[n] ** 2).sum() for n in layers)


def torch_seconds(method, network, net):
    relu = F.relu
    if method == "visualize":
        F.relu = lambda t, *_: F.softplus(t, beta=3)
    x = 50 * torch.randn(1, 3, SIDE, SIDE)
    loss = loss_of(method, network, net, x)
    x.requires_grad_(True)
    adam = torch.optim.Adam([x], lr=1.0)
    times = []
    for _ in range(1 + STEPS):
        start, busy = time.time(), time.process_time()
        adam.zero_grad()
        loss(net.values(x)).backward()
        adam.step()
        times.append((time.time() - start, time.process_time() - busy))
    F.relu = relu
    return sorted(times[1:])[STEPS // 2]


def lucida_seconds(program, models, method, network, photograph):
    """Of one step and of 1 + STEPS: the clock's, the processors'."""
    layers = LAYERS[network]
    more = {"visualize": ["--size", SIDE] + (["--layer", SHOWN[network], "--channel", CHANNEL]
                                             if SHOWN[network] else ["--target", CLASS]),
            "invert": [photograph, "--size", SIDE, "--layers", layers[-1], "--jitter", 0],
            "texture": [photograph, "--size", SIDE, "--layers", ",".join(layers)],
            "dream": [photograph, "--size", SIDE, "--octaves", 1, "--layers", layers[-1]]}[method]
    env = {k: v for k, v in os.environ.items() if k != "OPENBLAS_CORETYPE"}
    env["LUCIDA_THREADS"] = str(THREADS)
    spent = []
    for steps in (1, 1 + STEPS):
        start, before = time.time(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([program, "run", method, "--models", models, "--model", network, "--steps", str(steps),
                        "-o", os.devnull] + [str(m) for m in more], check=True, env=env,
                       stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append((time.time() - start,
                      after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
    return spent


def main():
    program, models, network, path, photograph = sys.argv[1:6]
    torch.set_num_threads(THREADS)
    net = (Resnet if network == "resnet50" else Vgg)(path)
    with tempfile.TemporaryDirectory() as folder:
        square = os.path.join(folder, "square.png")
        Image.open(photograph).convert("RGB").resize((SIDE, SIDE), Image.BICUBIC).save(square)
        for method in sys.argv[6:] or ["visualize", "invert", "texture", "dream"]:
            rounds = [(lucida_seconds(program, models, method, network, square),
                       torch_seconds(method, network, net)) for _ in range(ROUNDS)]
            one, more = (min(r[0][i] for r in rounds) for i in (0, 1))
            ours, theirs = [(b - a) / STEPS for a, b in zip(one, more)], min(r[1] for r in rounds)
            print("%-14s %-9s seconds a step (of processors): lucida %.2f (%.2f)  PyTorch %.2f (%.2f)  "
                  "ratio %.2f" % (network, method, *ours, *theirs, ours[0] / theirs[0]), flush=True)


if __name__ == "__main__":
    main()
