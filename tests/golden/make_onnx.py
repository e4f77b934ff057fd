"""Goldens of SqueezeNet 1.1, VGG-19 features and two style networks, from their ONNX files.

    python3 make_onnx.py ../shared/models ../shared/golden
"""
import os
import sys

import numpy as np
import torch

from golden_lib import Writer, both, network_input, weights
from onnx_torch import OnnxNet

DIM = 40  # keeps SqueezeNet off kinks: README.md

MODELS, SHARED = sys.argv[1], sys.argv[2]


def load(name):
    return OnnxNet(os.path.join(MODELS, name + ".onnx"))


def squeezenet():
    net = load("squeezenet1_1")
    given = torch.from_numpy(np.load(os.path.join(SHARED, "squeezenet1_1/input_0.npy")))
    want = torch.from_numpy(np.load(os.path.join(SHARED, "squeezenet1_1/output_0.npy")))
    got = net.run(given)["logits"]
    print("squeezenet1_1 beside the published output:", ((got - want).norm() / want.norm()).item())

    x = network_input(224, 224, "RGB", [123.675, 116.28, 103.53],
                      [1 / 58.395, 1 / 57.12, 1 / 57.375], DIM)
    taps = ["/features/features.0/Conv_output_0", "/features/features.3/Concat_output_0",
            "/features/features.7/Concat_output_0", "/features/features.12/Concat_output_0"]
    target = net.run(x)["logits"].argmax().item()
    out = Writer("squeezenet1_1", height=224, width=224, dim=DIM, target=target)
    for name, pair in zip(["logits"] + taps, both(lambda t: [net.run(t)[k] for k in ["logits"] + taps], x)):
        out.put(name, *pair)

    def grad(loss, rule, wrt=()):
        def run(t):
            t = t.clone().requires_grad_(True)
            p = net.params(t.dtype)
            for k in wrt:
                p[k].requires_grad_(True)
            values = net.run(t, rule, p)
            return torch.autograd.grad(loss(values), [p[k] for k in wrt] if wrt else t)
        return run

    for rule in ("plain", "guided", "deconv"):
        out.put("grad " + rule, *both(grad(lambda v: v["logits"][0, target], rule), x)[0])
    seed = taps[2]
    w = weights(net.run(x)[seed].shape, 7)
    out.put("grad weighted", *both(grad(lambda v: (v[seed] * w.to(v[seed].dtype)).sum(), "plain"), x)[0])
    wrt = ["features.0.weight", "features.3.squeeze.weight", "features.12.expand3x3.bias"]
    for name, pair in zip(wrt, both(grad(lambda v: v["logits"][0, target], "plain", wrt), x)):
        out.put("grad " + name, *pair)
    out.close()


def vgg19():
    net = load("vgg19_features")
    x = network_input(96, 72, "RGB", [123.68, 116.779, 103.939], [1, 1, 1])
    taps = ["/1/Relu_output_0", "/21/Conv_output_0", "/29/Relu_output_0", "pool5"]
    out = Writer("vgg19_features", height=96, width=72)
    for name, pair in zip(taps, both(lambda t: [net.run(t)[k] for k in taps], x)):
        out.put(name, *pair)

    def grad(*seeds):
        def run(t):
            t = t.clone().requires_grad_(True)
            v = net.run(t)
            loss = sum((v[k] * weights(v[k].shape, s).to(t.dtype)).sum() for k, s in seeds)
            return torch.autograd.grad(loss, t)
        return run

    out.put("grad pool5", *both(grad(("pool5", 11)), x)[0])
    out.put("grad three seeds", *both(grad(("/6/Relu_output_0", 12), ("/20/Relu_output_0", 13),
                                           ("/28/Conv_output_0", 14)), x)[0])
    out.close()


def style(name):
    net = load(name)
    x = network_input(60, 70, "RGB", [0, 0, 0], [1, 1, 1])
    taps = ["stylized", "/res3/Add_output_0", "/Relu_4_output_0"]
    out = Writer(name, height=60, width=70)
    for k, pair in zip(taps, both(lambda t: [net.run(t)[k] for k in taps], x)):
        out.put(k, *pair)
    wrt = ["in1.weight", "res5.in2.weight", "deconv3.conv2d.weight"]

    def grads(t):
        t = t.clone().requires_grad_(True)
        p = net.params(t.dtype)
        for k in wrt:
            p[k].requires_grad_(True)
        y = net.run(t, "plain", p)["stylized"]
        return torch.autograd.grad((y * weights(y.shape, 21).to(t.dtype)).sum(), [t] + [p[k] for k in wrt])

    for k, pair in zip(["weighted"] + wrt, both(grads, x)):
        out.put("grad " + k, *pair)
    out.close()


squeezenet()
vgg19()
style("style_candy")
style("style_mosaic")
