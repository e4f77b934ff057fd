"""Golden of the TensorFlow.js ResNet-50, and of a saliency map made with it.

    python3 make_resnet50.py build/models/.../ResNet50 [chelsea.png]

With a photograph, prints its classes first (chelsea.png squashed to 224 x 224 is an Egyptian cat
with 0.9476).
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

from golden_lib import Relu, Writer, both, network_input

MEAN = [103.939, 116.779, 123.68]
# Of 9.5 million ReLU inputs a few lie within float32 rounding of zero, and each that flips moves the
# gradient: PyTorch's own float32 gradient is 1e-4 to 9e-3 away from its float64 one, depending on
# the picture. At this brightness none of four differently rounded runs met such a kink.
DIM = 36


class KerasNet:
    """Runs a tfjs layers model in NCHW, layer by layer as its JSON says."""

    def __init__(self, folder):
        doc = json.load(open(os.path.join(folder, "model.json")))
        self.layers = doc["modelTopology"]["model_config"]["config"]["layers"]
        blob = b"".join(open(os.path.join(folder, p), "rb").read()
                        for p in doc["weightsManifest"][0]["paths"])
        self.w, at = {}, 0
        for entry in doc["weightsManifest"][0]["weights"]:
            n = int(np.prod(entry["shape"]))
            a = np.frombuffer(blob, "<f4", n, at).reshape(entry["shape"])
            at += 4 * n
            if a.ndim == 4:
                a = a.transpose(3, 2, 0, 1)  # HWIO -> OIHW
            self.w[entry["name"]] = torch.from_numpy(a.copy())
        assert at == len(blob)

    def run(self, x, rule="plain"):
        values = {}
        for layer in self.layers:
            name, c = layer["name"], layer["config"]
            ins = [values[i[0]] for i in layer["inbound_nodes"][0]] if layer["inbound_nodes"] else [x]
            w = lambda key: self.w[name + "/" + key].to(x.dtype)
            values[name] = step(layer["class_name"], c, ins, w, rule)
            if layer["class_name"] == "Dense":
                values["logits"] = values[name]
                values[name] = values[name].softmax(1)
        return values


def step(kind, c, ins, w, rule):
    if kind == "InputLayer":
        return ins[0]
    if kind == "ZeroPadding2D":
        (top, bottom), (left, right) = c["padding"]
        return F.pad(ins[0], (left, right, top, bottom))
    if kind == "Conv2D":
        same = c["padding"] == "same"
        assert not same or c["strides"] == [1, 1]
        return F.conv2d(ins[0], w("kernel"), w("bias"), c["strides"],
                        c["kernel_size"][0] // 2 if same else 0)
    if kind == "BatchNormalization":
        return F.batch_norm(ins[0], w("moving_mean"), w("moving_variance"), w("gamma"), w("beta"),
                            eps=c["epsilon"])
    if kind == "Activation":
        assert c["activation"] == "relu"
        return Relu.apply(ins[0], rule) if rule else F.relu(ins[0])
    if kind == "MaxPooling2D":
        return F.max_pool2d(ins[0], c["pool_size"], c["strides"])
    if kind == "Add":
        return ins[0] + ins[1]
    if kind == "GlobalAveragePooling2D":
        return ins[0].mean((2, 3))
    if kind == "Dense":
        assert c["activation"] == "softmax"
        return ins[0] @ w("kernel") + w("bias")
    raise NotImplementedError(kind)


def main():
    net = KerasNet(sys.argv[1])
    if len(sys.argv) > 2:
        from PIL import Image
        cat = Image.open(sys.argv[2]).convert("RGB").resize((224, 224), Image.BICUBIC)
        x = np.asarray(cat)[:, :, ::-1].astype(np.float32) - np.array(MEAN, np.float32)
        p = net.run(torch.from_numpy(x.transpose(2, 0, 1).copy())[None])["fc1000"][0]
        print("photograph:", [(i.item(), round(p[i].item(), 4)) for i in p.argsort(descending=True)[:3]])

    x = network_input(224, 224, "BGR", MEAN, [1, 1, 1], DIM)
    target = net.run(x)["logits"].argmax().item()
    taps = ["logits", "fc1000", "bn_conv1", "max_pooling2d", "activation_9", "add_7", "activation_48",
            "avg_pool"]
    out = Writer("resnet50", height=224, width=224, dim=DIM, target=target,
                 probability=net.run(x)["fc1000"][0, target].item())
    for name, pair in zip(taps, both(lambda t: [net.run(t)[k] for k in taps], x)):
        out.put(name, *pair)

    def grad(rule):
        def run(t):
            t = t.clone().requires_grad_(True)
            return torch.autograd.grad(net.run(t, rule)["logits"][0, target], t)
        return run

    for rule in ("plain", "guided", "deconv"):
        pair = both(grad(rule), x)[0]
        out.put("grad " + rule, *pair)
        if rule == "plain":
            saliency = [g.abs().amax(1, keepdim=True) for g in pair]
    out.put("saliency", *saliency)
    out.close()
    print("target", target, "probability", out.head["probability"])


if __name__ == "__main__":
    main()
