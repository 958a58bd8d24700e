"""``two_stream``: a 3D network that sees movement in small pictures, beside an image network that sees things.

Two streams as in Simonyan and Zisserman (2014); here the second looks at a few whole frames. Its knowledge of things
comes in twice: as features, and as *evidence*: how much likelier than usual the pictures show what a written table says
belongs to a label (a bicycle to ride_bike). All three stand side by side in the embedding, so that the head stays one
linear layer and can be trained anew on a person's own clips.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as functional
from torch import nn

from vidlabel.ml.networks.embedder import Embedder
from vidlabel.ml.networks.stills import CLASSES, FEATURES, Stills


class TwoStream(Embedder):
    """The bundled model's network.

    Args:
        labels: how many labels the head tells apart.
        motion: the 3D network; its own head is left out.
        motion_size: height and width in px of the pictures it sees, averaged from the larger ones.
        motion_scale: factor and offset that turn this network's input into the one it was trained on, for
            red, green and blue.
        stills: which of the clip's frames the image network sees.
        groups: indices of ImageNet's classes that speak for one label, a group for each such label.
        floor: a probability that counts as nothing, so that evidence stays finite.
    """

    feature_mean: torch.Tensor
    feature_scale: torch.Tensor
    usual: torch.Tensor
    _members: torch.Tensor

    def __init__(
        self,
        labels: int,
        *,
        motion: Embedder,
        motion_size: int,
        motion_scale: Sequence[Sequence[float]],
        stills: Sequence[int],
        groups: Sequence[Sequence[int]],
        floor: float = 1e-3,
    ) -> None:
        if not stills or not groups or any(not 0 <= one < CLASSES for group in groups for one in group):
            raise ValueError("stills and groups must not be empty, and classes are 0 to 999")
        super().__init__(motion.embedding_size + FEATURES + len(groups), labels)
        self.motion = motion
        self.motion.head = nn.Identity()  # type: ignore[assignment]
        self.stills = Stills()
        self._motion_size = motion_size
        self._motion_scale = tuple(tuple(float(number) for number in row) for row in motion_scale)
        self._frames = tuple(stills)
        self._floor = floor
        members = torch.zeros(CLASSES, len(groups))
        for column, group in enumerate(groups):
            members[list(group), column] = 1.0
        self.register_buffer("_members", members, persistent=False)
        self.register_buffer("feature_mean", torch.zeros(FEATURES))
        self.register_buffer("feature_scale", torch.ones(FEATURES))
        self.register_buffer("usual", torch.zeros(len(groups)))

    def trunk_forward(self, x: torch.Tensor) -> torch.Tensor:
        features, evidence = self.seen(x)
        features = functional.normalize((features - self.feature_mean) * self.feature_scale, dim=1)
        return torch.cat([self.motion.trunk_forward(self._small(x)), features, evidence - self.usual], dim=1)

    def seen(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(B, 3, T, H, W) to raw features (B, 1280) and log probabilities of the groups (B, groups)."""
        chosen = x[:, :, list(self._frames)].transpose(1, 2)
        clips, looks = chosen.shape[:2]
        features, logits = self.stills(chosen.reshape(clips * looks, *chosen.shape[2:]))
        shares = torch.softmax(logits.float(), dim=1).reshape(clips, looks, -1).mean(dim=1)
        evidence = torch.log(shares @ self._members + self._floor)
        return features.reshape(clips, looks, -1).mean(dim=1), evidence

    def _small(self, x: torch.Tensor) -> torch.Tensor:
        side = self._motion_size
        small = functional.adaptive_avg_pool3d(x, (x.shape[2], side, side))
        factor, offset = (
            torch.tensor(row, dtype=small.dtype, device=small.device).view(1, 3, 1, 1, 1)
            for row in self._motion_scale
        )
        return small * factor + offset
