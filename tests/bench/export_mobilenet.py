"""Writes build/bench/mobilenet.onnx: MobileNet v2 at width 1 with random weights.

    python3 tests/bench/export_mobilenet.py build/bench/mobilenet.onnx

Source: Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", 2018, table 2.
"""
import sys

import torch
from torch import nn

# expansion, channels, blocks, stride of the first: a row of the table
ROWS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
        (6, 320, 1, 1))


def conv(c_in, c_out, kernel, stride=1, groups=1, clip=True):
    layers = [nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, groups=groups)]
    return layers + [nn.ReLU6()] if clip else layers


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride, expansion):
        super().__init__()
        wide = c_in * expansion
        layers = conv(c_in, wide, 1) if expansion > 1 else []
        layers += conv(wide, wide, 3, stride, wide) + conv(wide, c_out, 1, clip=False)
        self.layers = nn.Sequential(*layers)
        self.skips = stride == 1 and c_in == c_out

    def forward(self, x):
        return x + self.layers(x) if self.skips else self.layers(x)


def network():
    layers, width = conv(3, 32, 3, 2), 32
    for expansion, channels, blocks, stride in ROWS:
        for i in range(blocks):
            layers.append(Block(width, channels, stride if i == 0 else 1, expansion))
            width = channels
    layers += conv(width, 1280, 1) + [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1280, 1000)]
    return nn.Sequential(*layers)


torch.manual_seed(1)
torch.onnx.export(network().eval(), torch.zeros(1, 3, 224, 224), sys.argv[1],
                  input_names=["input"], output_names=["logits"], opset_version=13,
                  dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})
