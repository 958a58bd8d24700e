"""``motion3d``: finds who moves, then reads the movement of that outline; small enough for a laptop without a GPU.

Three things keep it from leaning on how its training clips were painted. It sees each picture in grey, evened out
around every pixel, and by how much that changes until the next picture. It says where the person is (in training it is
told). And whatever lies elsewhere is gone before the movement is read.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional as F

from vidlabel.ml.networks.compact import Compact3D, _Block
from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.preprocess import KINETICS_MEAN, KINETICS_STD

# In the units of a normalised input (1 is about 57 of 255 levels): flat areas shall not turn into noise.
_FLAT = 0.12


class Motion3D(Embedder):
    """The bundled model's network.

    Args:
        labels: how many labels the head tells apart.
        widths: channels of the stem and of each following stage of what reads the movement.
        blocks: residual blocks of each stage after the stem (one number fewer than ``widths``).
        finder: channels near and far of what finds the person.
        dropout: share of the embedding dropped while training, in 0..1.
    """

    def __init__(
        self,
        labels: int,
        *,
        widths: Sequence[int] = (16, 32, 64, 192),
        blocks: Sequence[int] = (2, 2, 2),
        finder: Sequence[int] = (16, 24),
        dropout: float = 0.1,
    ) -> None:
        if len(widths) != 4 or len(blocks) != 3 or len(finder) != 2:
            raise ValueError("widths is four numbers, blocks is three, finder is two")
        super().__init__(widths[-1], labels, dropout=dropout)
        self.finder = _Finder(*finder)
        self.stem = nn.Sequential(
            nn.Conv3d(1, widths[0], (1, 5, 5), stride=(1, 2, 2), padding=(0, 2, 2), bias=False),
            nn.BatchNorm3d(widths[0]),
            nn.ReLU(inplace=True),
        )
        stages: list[nn.Module] = []
        for stage, count in enumerate(blocks):
            for block in range(count):
                inputs = widths[stage + 1] if block else widths[stage]
                stride = (1, 1) if block else (2 if stage else 1, 2)
                stages.append(_Block(inputs, widths[stage + 1], stride=stride))
        self.stages = nn.Sequential(*stages)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        self.finder.begin()

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.outline_forward(torch.sigmoid(self.find(x)), size=(x.shape[-2], x.shape[-1]))

    def find(self, x: torch.Tensor) -> torch.Tensor:
        """(B, 3, T, H, W), normalised, to where it sees a person: logits (B, T, ceil(H / 2), ceil(W / 2))."""
        person: torch.Tensor = self.finder(contrast(x))
        return person[:, 0]

    def outline_forward(self, outline: torch.Tensor, *, size: tuple[int, int]) -> torch.Tensor:
        """Where a person is, 0..1, (B, T, h, w), to the embedding (B, D), read at ``size`` (H, W)."""
        fine = F.interpolate(outline, size=size, mode="bilinear", align_corners=False)
        features: torch.Tensor = self.stages(self.stem(fine[:, None]))
        return features.mean(dim=(2, 3, 4))

    @torch.no_grad()
    def read_like(self, other: Compact3D) -> None:
        """Takes what a ``compact3d`` that was trained on people of one shade has learned of reading movement."""
        trained = other.state_dict()
        # A person of 0.8 before 0.2, as the colours that ``other`` takes, is one channel with other weights.
        taken = {name: trained[name] for name in self.state_dict() if name in trained}
        mean, std = (torch.tensor(values).view(1, 3, 1, 1, 1) for values in (KINETICS_MEAN, KINETICS_STD))
        stem = trained["stem.0.weight"]
        taken["stem.0.weight"] = (stem * 0.6 / std).sum(dim=1, keepdim=True)
        ground = (stem * (0.2 - mean) / std).sum(dim=(1, 2, 3, 4))
        taken["stem.1.running_mean"] = trained["stem.1.running_mean"] - ground
        self.load_state_dict({**self.state_dict(), **taken})


class _Finder(nn.Module):
    """Where the person is, at half of the picture's size: seen from further off first, then drawn finer."""

    def __init__(self, near: int, far: int) -> None:
        super().__init__()
        self.near = nn.Sequential(
            nn.Conv3d(2, near, (1, 5, 5), stride=(1, 2, 2), padding=(0, 2, 2), bias=False),
            nn.BatchNorm3d(near),
            nn.ReLU(inplace=True),
        )
        self.far = nn.Sequential(_Block(near, far, stride=(1, 2)), _Block(far, far, stride=(1, 1)))
        self.coarse, self.fine = nn.Conv3d(far, 8, 1), nn.Conv3d(near, 8, 1, bias=False)
        self.last = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Conv3d(8, 8, (1, 3, 3), padding=(0, 1, 1), bias=False),
            nn.BatchNorm3d(8),
            nn.ReLU(inplace=True),
            nn.Conv3d(8, 1, 1),
        )

    def begin(self) -> None:
        """Starts by seeing nobody, and faintly: most of a picture is not the person."""
        answer = self.last[-1]
        assert isinstance(answer, nn.Conv3d) and answer.bias is not None
        nn.init.normal_(answer.weight, std=0.05)
        nn.init.constant_(answer.bias, -2.0)

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """(B, 2, T, H, W) of ``contrast`` to logits (B, 1, T, h, w)."""
        near = self.near(seen)
        coarse = F.interpolate(self.coarse(self.far(near)), size=near.shape[2:], mode="nearest")
        person: torch.Tensor = self.last(coarse + self.fine(near))
        return person


def contrast(x: torch.Tensor) -> torch.Tensor:
    """Grey pictures evened out around every pixel, and their change until the next picture.

    Args:
        x: (B, 3, T, H, W), normalised.

    Returns:
        (B, 2, T, H, W), of no unit, mostly within -3..3; the last picture's change is 0.
    """
    # In bfloat16 the difference of two close pictures would be mostly rounding.
    with torch.autocast(x.device.type, enabled=False):
        grey = x.float().mean(dim=1)
        down, across = (_means(length, max(3, (x.shape[-1] // 5) | 1), x.device) for length in x.shape[-2:])
        mean = down @ grey @ across.T
        spread = (down @ (grey * grey) @ across.T - mean * mean).clamp(min=0).sqrt()
        even = (grey - mean) / (spread + _FLAT)
        change = F.pad(even[:, 1:] - even[:, :-1], (0, 0, 0, 0, 0, 1))
        return torch.stack([even, change], dim=1)


def _means(length: int, reach: int, device: torch.device) -> torch.Tensor:
    """(length, length): a product with it takes the mean of ``reach`` neighbours, fewer at the ends."""
    place = torch.arange(length, device=device)
    near = ((place[:, None] - place[None]).abs() <= reach // 2).float()
    return near / near.sum(dim=1, keepdim=True)
