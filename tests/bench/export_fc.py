"""Writes build/bench/alexnet_fc.onnx: AlexNet's three fully connected layers with random weights.

    python3 tests/bench/export_fc.py build/bench/alexnet_fc.onnx

The input is a picture of 3x48x64, as many numbers as AlexNet's last convolutions hand over: 9216.
Source: Krizhevsky, Sutskever & Hinton, "ImageNet Classification with Deep Convolutional Neural
Networks", 2012.
"""
import sys

import torch

torch.manual_seed(1)
net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(9216, 4096), torch.nn.ReLU(),
                          torch.nn.Linear(4096, 4096), torch.nn.ReLU(), torch.nn.Linear(4096, 1000))
torch.onnx.export(net.eval(), torch.zeros(1, 3, 48, 64), sys.argv[1], input_names=["input"],
                  output_names=["logits"], opset_version=13,
                  dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
