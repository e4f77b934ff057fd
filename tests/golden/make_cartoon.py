"""Golden of a CartoonGAN network (TensorFlow.js graph model with 8-bit weights).

    python3 make_cartoon.py build/models/.../hayao [photograph out.png]

With a photograph, also writes its cartoon, to be looked at.
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F

from golden_lib import Writer, both, network_input, weights

DIM = 2  # keeps the picture off kinks: README.md


def text(attr):
    return "".join(map(chr, attr["s"]))


class TfGraph:
    """Runs the frozen graph in NHWC as it stands, with TensorFlow's meaning of every node."""

    def __init__(self, folder):
        doc = json.load(open(os.path.join(folder, "model.json")))
        self.nodes = {n["name"]: n for n in doc["modelTopology"]["node"]}
        blob = b"".join(open(os.path.join(folder, p), "rb").read()
                        for p in doc["weightsManifest"][0]["paths"])
        self.w, at = {}, 0
        for e in doc["weightsManifest"][0]["weights"]:
            n = int(np.prod(e["shape"]))
            q = np.frombuffer(blob, np.uint8, n, at).astype(np.float64).reshape(e["shape"])
            at += n
            a = q * e["quantization"]["scale"] + e["quantization"]["min"]
            self.w[e["name"]] = torch.from_numpy(np.array(a)) if e["dtype"] == "float32" else a.astype(np.int64)
        assert at == len(blob)

    def run(self, x):
        values = {}

        def value(name):
            name = name.split(":")[0].lstrip("^")
            if name not in values:
                node = self.nodes[name]
                if node["op"] == "Placeholder":
                    values[name] = x
                elif node["op"] == "Const":
                    w = self.w[name]
                    # float32(scale, min) arithmetic would differ by an ulp only
                    values[name] = w.to(x.dtype) if torch.is_tensor(w) else w
                else:
                    values[name] = step(node, [value(i) for i in node["input"]])
            return values[name]

        used = {i for n in self.nodes.values() for i in n.get("input") or []}
        self.output = [n for n in self.nodes if n not in used and self.nodes[n]["op"] != "Const"][0]
        value(self.output)
        return values


def conv(x, kernel, strides):
    y = F.conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), stride=strides[1:3])
    return y.permute(0, 2, 3, 1)


def strided_slice(x, begin, end, strides, a):
    mask = lambda k: int(a[k].get("i", 0))
    assert not mask("ellipsis_mask") and not mask("new_axis_mask")
    index = []
    for k in range(len(begin)):
        if mask("shrink_axis_mask") >> k & 1:
            index.append(int(begin[k]))
            continue
        index.append(slice(None if mask("begin_mask") >> k & 1 else int(begin[k]),
                           None if mask("end_mask") >> k & 1 else int(end[k]), int(strides[k])))
    return x[tuple(index)]


def step(node, i):
    op, a = node["op"], node["attr"]
    if op in ("Conv2D", "Conv2DBackpropInput"):
        assert text(a["padding"]) == "VALID" and text(a["data_format"]) == "NHWC"
        strides = [int(s) for s in a["strides"]["list"]["i"]]
        if op == "Conv2D":
            return conv(i[0], i[1], strides)
        # kernel [h, w, out, in]; the output size is exactly the full one
        y = F.conv_transpose2d(i[2].permute(0, 3, 1, 2), i[1].permute(3, 2, 0, 1), stride=strides[1:3])
        y = y.permute(0, 2, 3, 1)
        assert list(y.shape) == [int(n) for n in i[0]], (y.shape, i[0])
        return y
    if op == "Pad":
        p = [tuple(r) for r in i[1]]
        assert p[0] == p[3] == (0, 0)
        return F.pad(i[0], (0, 0, int(p[2][0]), int(p[2][1]), int(p[1][0]), int(p[1][1])))
    if op == "Mean":
        axes = [int(k) for k in np.atleast_1d(i[1])]
        return i[0].mean(axes, keepdim=bool(a["keep_dims"]["b"]))
    if op == "StridedSlice":
        return strided_slice(*i, a)
    if op == "Shape":
        return np.array(i[0].shape)
    if op == "Pack":
        return np.stack([np.asarray(k) for k in i], int(a["axis"].get("i", 0)))
    simple = {
        "Add": lambda p, q: p + q, "BiasAdd": lambda p, q: p + q, "Sub": lambda p, q: p - q,
        "Mul": lambda p, q: p * q, "SquaredDifference": lambda p, q: (p - q) ** 2,
        "Rsqrt": lambda p: p.rsqrt(), "Relu": lambda p: p.clamp(min=0), "Tanh": lambda p: p.tanh(),
    }
    return simple[op](*i)


def main():
    net = TfGraph(sys.argv[1])
    if len(sys.argv) > 3:
        from PIL import Image
        photo = Image.open(sys.argv[2]).convert("RGB")
        x = torch.from_numpy(np.asarray(photo).astype(np.float32))[None] / 127.5 - 1
        values = net.run(x)
        y = ((values[net.output][0] + 1) * 127.5).clamp(0, 255).round().byte().numpy()
        Image.fromarray(y).save(sys.argv[3])

    # [1, 3, H, W] for the file, as the engine sees it; the graph runs in NHWC
    x = network_input(56, 72, "RGB", [127.5] * 3, [1 / 127.5] * 3, DIM)
    names = ["generator_hayao/Tanh", "generator_hayao/Relu_1", "generator_hayao/add_7",
             "generator_hayao/deconv01_1/BiasAdd"]
    out = Writer("cartoon_hayao", height=56, width=72, dim=DIM)

    def values(t):
        v = net.run(t.permute(0, 2, 3, 1))
        assert net.output == names[0]
        return [v[k].permute(0, 3, 1, 2) for k in names]

    def grad(t):
        t = t.clone().requires_grad_(True)
        y = values(t)[0]
        return torch.autograd.grad((y * weights(y.shape, 31).to(t.dtype)).sum(), t)

    for name, pair in zip(names, both(values, x)):
        out.put(name, *pair)
    out.put("grad weighted", *both(grad, x)[0])
    out.close()


if __name__ == "__main__":
    main()
