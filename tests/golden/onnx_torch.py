"""A small ONNX interpreter in PyTorch: just the operators of the networks that goldens are made of."""
import numpy as np
import onnx
import onnx.numpy_helper
import torch
import torch.nn.functional as F

from golden_lib import Relu


class OnnxNet:
    def __init__(self, path):
        self.graph = onnx.load(path).graph
        self.init = {i.name: onnx.numpy_helper.to_array(i) for i in self.graph.initializer}

    def params(self, dtype=torch.float64):
        return {k: torch.from_numpy(v.copy()).to(dtype) if v.dtype == np.float32 else
                torch.from_numpy(v.copy()) for k, v in self.init.items()}

    def run(self, x, rule="plain", params=None):
        """All values by name."""
        values = dict(params if params is not None else self.params(x.dtype))
        values[self.graph.input[0].name] = x
        for node in self.graph.node:
            attrs = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            ins = [values[i] if i else None for i in node.input]
            values[node.output[0]] = step(node.op_type, ins, attrs, rule)
        return values


def step(op, ins, a, rule):
    if op == "Conv":
        top, left, bottom, right = a["pads"]
        even = (top, left) == (bottom, right)
        x = ins[0] if even else F.pad(ins[0], (left, right, top, bottom))
        return F.conv2d(x, ins[1], ins[2] if len(ins) > 2 else None, stride=a["strides"],
                        padding=(top, left) if even else 0, dilation=a["dilations"],
                        groups=a["group"])
    if op == "Relu":
        return Relu.apply(ins[0], rule) if rule else F.relu(ins[0])
    if op == "Clip":
        return torch.clamp(ins[0], ins[1].item(), ins[2].item())
    if op == "MaxPool":
        assert not any(a["pads"]) and not a.get("ceil_mode", 0)
        return F.max_pool2d(ins[0], a["kernel_shape"], a["strides"])
    if op == "Concat":
        return torch.cat(ins, a["axis"])
    if op == "GlobalAveragePool":
        return ins[0].mean((2, 3), keepdim=True)
    if op == "Flatten":
        assert a["axis"] == 1
        return ins[0].reshape(ins[0].shape[0], -1)
    if op == "Gemm":
        assert a.get("transB", 0) and not a.get("transA", 0)
        return F.linear(ins[0], ins[1], ins[2])
    if op == "Constant":
        return torch.from_numpy(onnx.numpy_helper.to_array(a["value"]).copy())
    if op == "ConstantOfShape":
        fill = onnx.numpy_helper.to_array(a["value"])
        return torch.full(ins[0].tolist(), fill.item(), dtype=torch.from_numpy(fill.copy()).dtype)
    if op == "Reshape":
        return ins[0].reshape(ins[1].tolist())
    if op == "Slice":
        x = ins[0].numpy()
        index = [slice(None)] * x.ndim
        steps = ins[4].tolist() if len(ins) > 4 else [1] * len(ins[1])
        for start, end, axis, by in zip(ins[1].tolist(), ins[2].tolist(), ins[3].tolist(), steps):
            end = None if by < 0 and end < -x.shape[axis] else end
            index[axis] = slice(start, end, by)
        return torch.from_numpy(x[tuple(index)].copy())
    if op == "Transpose":
        return ins[0].permute(a["perm"])
    if op == "Cast":
        assert a["to"] == onnx.TensorProto.INT64
        return ins[0].to(torch.int64)
    if op == "Pad":
        p = ins[1].tolist()
        assert a["mode"] == b"reflect" and p[0] == p[1] == p[4] == p[5] == 0
        return F.pad(ins[0], (p[3], p[7], p[2], p[6]), mode="reflect")
    if op == "InstanceNormalization":
        return F.instance_norm(ins[0], weight=ins[1], bias=ins[2], eps=a["epsilon"])
    if op == "Add":
        return ins[0] + ins[1]
    if op == "Resize":
        s = ins[2].tolist()
        assert a["mode"] == b"nearest" and a["nearest_mode"] == b"floor" and s[:2] == [1, 1]
        return ins[0].repeat_interleave(int(s[2]), 2).repeat_interleave(int(s[3]), 3)
    raise NotImplementedError(op)
