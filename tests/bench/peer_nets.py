"""The bench's networks in PyTorch: every value by name, weights laid out as asked."""
import os
import sys

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))


def laid_out(weights, layout):
    if layout != "channels_last":
        return weights
    return {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
            for k, v in weights.items()}


def load(name, layout):
    """(run, names of ReLUs in their order, name of the output); run(x) -> values by name."""
    if name.endswith(".onnx"):
        from onnx_torch import OnnxNet
        net = OnnxNet(name)
        params = laid_out(net.params(torch.float32), layout)
        relus = [n.output[0] for n in net.graph.node if n.op_type == "Relu"]
        return lambda x: net.run(x, None, params), relus, net.graph.output[0].name
    from make_resnet50 import KerasNet
    models = os.environ.get("LUCIDA_TEST_MODELS") or "build/models"
    net = KerasNet(os.path.join(models, name))
    net.w = laid_out(net.w, layout)
    relus = [layer["name"] for layer in net.layers if layer["class_name"] == "Activation"]
    return lambda x: net.run(x, None), relus, "logits"


class Traced(torch.nn.Module):
    """For tracing: the values wanted, as a tuple."""

    def __init__(self, run, names):
        super().__init__()
        self.net, self.names = run, names

    def forward(self, x):
        values = self.net(x)
        return tuple(values[n] for n in self.names)


def trace(run, names, x):
    """Traced and frozen: no Python between the layers, nothing computed that is not wanted, batch
    normalisation folded into the convolutions."""
    return torch.jit.freeze(torch.jit.trace(Traced(run, names).eval(), x, check_trace=False))


def converse(turn, warm_up=3):
    """What bench_common.c says: ready, milliseconds for each line, the peak."""
    import json
    import time
    for _ in range(warm_up):
        turn()
    print("ready", json.dumps({"version": torch.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        turn()
        print("%.4f" % ((time.perf_counter() - start) * 1e3), flush=True)
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            print("peak", line.split()[1], flush=True)
