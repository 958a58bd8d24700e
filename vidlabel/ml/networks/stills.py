"""What single pictures show: EfficientNet-Lite0, an image network small enough for a laptop without a GPU.

The layout is Google's (2020, after Tan and Le 2019, "EfficientNet": no squeeze-and-excitation, ReLU6). Each batch norm
is folded into its convolution, as it is for good once weights are trained: half the tensors, and quicker.
"""

from __future__ import annotations

import torch
import torch.nn.functional as functional
from torch import nn

CLASSES = 1000
FEATURES = 1280
_STEM = 32
_STAGES = (
    # widening, kernel, stride, channels, blocks
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
)


class Stills(nn.Module):
    """Pictures to features and to the 1,000 classes of ImageNet."""

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_layer(3, _STEM, kernel=3, stride=2)]
        inputs = _STEM
        for widening, kernel, stride, outputs, count in _STAGES:
            for number in range(count):
                step = stride if number == 0 else 1
                blocks.append(_Block(inputs, outputs, widening=widening, kernel=kernel, stride=step))
                inputs = outputs
        blocks.append(_layer(inputs, FEATURES, kernel=1))
        self.layers = nn.Sequential(*blocks)
        self.classes = nn.Linear(FEATURES, CLASSES)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3, H, W) in -1..1 to features (N, 1280) and ImageNet logits (N, 1000)."""
        features = self.layers(x).mean(dim=(2, 3))
        return features, self.classes(features)


class _Block(nn.Module):
    """Widen, filter each channel, narrow; with a short cut where nothing shrinks."""

    def __init__(self, inputs: int, outputs: int, *, widening: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = inputs * widening
        body: list[nn.Module] = [_layer(inputs, wide, kernel=1)] if widening > 1 else []
        body.append(_layer(wide, wide, kernel=kernel, stride=stride, groups=wide))
        body.append(nn.Conv2d(wide, outputs, 1))
        self.body = nn.Sequential(*body)
        self.short_cut = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.body(x)
        return out + x if self.short_cut else out


class _Shrinking(nn.Conv2d):
    """A strided convolution that pads as TensorFlow does, where these weights come from: more at the far side."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        stride, kernel = self.stride[0], self.kernel_size[0]
        height, width = (max((-(-size // stride) - 1) * stride + kernel - size, 0) for size in x.shape[-2:])
        x = functional.pad(x, (width // 2, width - width // 2, height // 2, height - height // 2))
        return functional.conv2d(x, self.weight, self.bias, self.stride, groups=self.groups)


def _layer(inputs: int, outputs: int, *, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    convolution: nn.Conv2d
    if stride > 1:
        convolution = _Shrinking(inputs, outputs, kernel, stride=stride, groups=groups)
    else:
        convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, groups=groups)
    return nn.Sequential(convolution, nn.ReLU6(inplace=True))
