"""PyTorch's side of bench.py: the same turns as bench_net.c, with the same words on stdin and stdout.

    python3 peer_torch.py resnet50|FILE.onnx HEIGHT WIDTH BATCH forward|gradient THREADS LAYOUT

LAYOUT is plain or channels_last.
"""
import json
import os
import sys
import time

import torch

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

name, height, width, batch, mode, threads, layout = sys.argv[1:8]
torch.set_num_threads(int(threads))


class Net(torch.nn.Module):
    """Weights as buffers, so that channels_last and freezing reach them."""

    def __init__(self, source, logits):
        super().__init__()
        self.source, self.logits = source, logits

    def forward(self, x):
        return self.source(x)


def onnx_net(path):
    from onnx_torch import OnnxNet
    net = OnnxNet(path)
    last = net.graph.output[0].name
    params = net.params(torch.float32)
    if layout == "channels_last":
        params = {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
                  for k, v in params.items()}
    return lambda x: net.run(x, None, params)[last]


def keras_net(folder):
    from make_resnet50 import KerasNet
    net = KerasNet(folder)
    if layout == "channels_last":
        net.w = {k: v.contiguous(memory_format=torch.channels_last) if v.dim() == 4 else v
                 for k, v in net.w.items()}
    return lambda x: net.run(x, None)["logits"]


models = os.environ.get("LUCIDA_TEST_MODELS") or "build/models"
run = onnx_net(name) if name.endswith(".onnx") else keras_net(os.path.join(models, name))
shape = [int(batch), 3, int(height), int(width)]
numbers = torch.arange(shape[0] * 3 * shape[2] * shape[3])
x = ((numbers * 7919) % 255 - 127).float().reshape(shape)
if layout == "channels_last":
    x = x.contiguous(memory_format=torch.channels_last)

# Traced and frozen: no Python between the layers, batch norm folded into the convolutions.
traced = torch.jit.trace(Net(run, None).eval(), x, check_trace=False)
traced = torch.jit.freeze(traced)


def turn():
    start = time.perf_counter()
    if mode == "forward":
        with torch.no_grad():
            traced(x)
    else:
        t = x.detach().requires_grad_(True)
        y = traced(t)
        (y.sum() if y.dim() == 4 else y[:, 285].sum()).backward()
        assert t.grad is not None
    return (time.perf_counter() - start) * 1e3


for _ in range(3):
    turn()
print("ready", json.dumps({"version": torch.__version__}), flush=True)
for _ in sys.stdin:
    print("%.4f" % turn(), flush=True)
for line in open("/proc/self/status"):
    if line.startswith("VmHWM"):
        print("peak", line.split()[1], flush=True)
