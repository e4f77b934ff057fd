"""Writes build/bench/resnet50.onnx, the network that onnxruntime is timed with.

    python3 tests/bench/export_resnet50.py PULLED/resnet50 build/bench/resnet50.onnx
"""
import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden"))
from make_resnet50 import KerasNet  # noqa: E402


class Net(torch.nn.Module):
    def __init__(self, folder):
        super().__init__()
        self.net = KerasNet(folder)

    def forward(self, x):
        return self.net.run(x, None)["logits"]


torch.onnx.export(Net(sys.argv[1]).eval(), torch.zeros(1, 3, 224, 224), sys.argv[2],
                  input_names=["input"], output_names=["logits"], opset_version=13,
                  dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
