"""PyTorch's side of bench.py: the same turns as bench_net.c, with the same words on stdin and stdout.

    python3 peer_torch.py resnet50|FILE.onnx HEIGHT WIDTH BATCH forward|gradient THREADS LAYOUT

LAYOUT is plain or channels_last.
"""
import sys

import torch

import peer_nets

name, height, width, batch, mode, threads, layout = sys.argv[1:8]
torch.set_num_threads(int(threads))

run, _, output = peer_nets.load(name, layout)
shape = [int(batch), 3, int(height), int(width)]
numbers = torch.arange(shape[0] * 3 * shape[2] * shape[3])
x = ((numbers * 7919) % 255 - 127).float().reshape(shape)
if layout == "channels_last":
    x = x.contiguous(memory_format=torch.channels_last)
traced = peer_nets.trace(run, [output], x)


def turn():
    if mode == "forward":
        with torch.no_grad():
            traced(x)
        return
    t = x.detach().requires_grad_(True)
    y, = traced(t)
    (y.sum() if y.dim() == 4 else y[:, 285].sum()).backward()
    assert t.grad is not None


peer_nets.converse(turn)
