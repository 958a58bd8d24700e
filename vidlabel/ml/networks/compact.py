"""``compact3d``: a small network of (2+1)D residual blocks that suggests on a laptop without a GPU.

Each 3x3x3 convolution is split in one over the picture and one over time, with a non-linearity between
(Tran et al. 2018, "A Closer Look at Spatiotemporal Convolutions"); time keeps its length until late, since
with 16 frames it is the scarcer axis.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from vidlabel.ml.networks.embedder import Embedder


class _Convolution(nn.Sequential):
    """(2+1)D convolution: over the picture, then over time, batch norm after each, no last ReLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: tuple[int, int] = (1, 1)) -> None:
        time, picture = stride
        super().__init__(
            nn.Conv3d(
                inputs, outputs, (1, 3, 3), stride=(1, picture, picture), padding=(0, 1, 1), bias=False
            ),
            nn.BatchNorm3d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv3d(outputs, outputs, (3, 1, 1), stride=(time, 1, 1), padding=(1, 0, 0), bias=False),
            nn.BatchNorm3d(outputs),
        )


class _Block(nn.Module):
    """A residual block; where it shrinks, the short cut averages before it projects: nothing is dropped."""

    def __init__(self, inputs: int, outputs: int, *, stride: tuple[int, int]) -> None:
        super().__init__()
        self.body = _Convolution(inputs, outputs, stride=stride)
        self.relu = nn.ReLU(inplace=True)
        window = (stride[0], stride[1], stride[1])
        self.short_cut: nn.Module = nn.Identity()
        if inputs != outputs or stride != (1, 1):
            self.short_cut = nn.Sequential(
                nn.AvgPool3d(window, stride=window, ceil_mode=True, count_include_pad=False),
                nn.Conv3d(inputs, outputs, 1, bias=False),
                nn.BatchNorm3d(outputs),
            )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.relu(self.body(x) + self.short_cut(x))
        return out


class Compact3D(Embedder):
    """The bundled model's network.

    Args:
        labels: how many labels the head tells apart.
        widths: channels of the stem and of each following stage.
        blocks: residual blocks of each stage after the stem (one number fewer than ``widths``).
        time_strides: by how much each stage shortens time; each stage also halves the picture.
        dropout: share of the embedding dropped while training, in 0..1.
    """

    def __init__(
        self,
        labels: int,
        *,
        widths: Sequence[int] = (24, 48, 96, 256),
        blocks: Sequence[int] = (2, 2, 2),
        time_strides: Sequence[int] = (1, 2, 2),
        dropout: float = 0.3,
    ) -> None:
        if not len(widths) - 1 == len(blocks) == len(time_strides):
            raise ValueError("widths has one number more than blocks and time_strides")
        super().__init__(widths[-1], labels, dropout=dropout)
        self.stem = nn.Sequential(
            nn.Conv3d(3, widths[0], (1, 5, 5), stride=(1, 2, 2), padding=(0, 2, 2), bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        for stage, count in enumerate(blocks):
            inputs, outputs = widths[stage], widths[stage + 1]
            for block in range(count):
                stride = (time_strides[stage], 2) if block == 0 else (1, 1)
                stages.append(_Block(inputs if block == 0 else outputs, outputs, stride=stride))
        self.stages = nn.Sequential(*stages)
        self._initialise()

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = self.stages(self.stem(x))
        return features.mean(dim=(2, 3, 4))

    def _initialise(self) -> None:
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        for module in self.modules():
            if isinstance(module, _Block):
                # Each block starts as its short cut: training begins with a shallow net (Goyal et al. 2017).
                last = module.body[-1]
                assert isinstance(last, nn.BatchNorm3d)
                nn.init.zeros_(last.weight)
