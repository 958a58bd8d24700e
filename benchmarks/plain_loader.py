"""What one writes in a page to fine-tune: a torch Dataset that reads each clip with OpenCV in every epoch.

A module of its own, because the loader's processes import it. Frames that the network does not look at are passed
over without converting them, which a careful person does; the clips are mirrored by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from vidlabel.ml.preprocess import Preprocessing

Item = tuple[torch.Tensor, int]


class PlainClips(Dataset[Item]):
    """Clips as normalised float32 (3, T, H, W) and their labels."""

    def __init__(self, paths: Sequence[Path], labels: Sequence[int], p: Preprocessing) -> None:
        self._paths, self._labels, self._p = list(paths), list(labels), p

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, number: int) -> Item:
        p = self._p
        capture = cv2.VideoCapture(str(self._paths[number]))
        count, fps = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), capture.get(cv2.CAP_PROP_FPS)
        positions = p.positions(count, fps)
        frames = {}
        for place in range(positions[-1] + 1):
            if place not in positions:
                capture.grab()
                continue
            _, frame = capture.read()
            frames[place] = cv2.cvtColor(cv2.resize(frame, (p.width, p.height)), cv2.COLOR_BGR2RGB)
        clip = torch.from_numpy(np.stack([frames[place] for place in positions]))
        x = ((clip.float() / 255 - torch.tensor(p.mean)) / torch.tensor(p.std)).permute(3, 0, 1, 2)
        return (x.flip(-1) if torch.rand(()) < 0.5 else x), self._labels[number]


def plain_loader(
    paths: Sequence[Path], labels: Sequence[int], p: Preprocessing, *, batch: int, workers: int
) -> DataLoader[Item]:
    """A loader with so many processes, which stay from epoch to epoch, and page-locked memory where there is a GPU."""
    return DataLoader(
        PlainClips(paths, labels, p),
        batch_size=batch,
        shuffle=True,
        num_workers=workers,
        persistent_workers=True,
        multiprocessing_context="spawn",
        pin_memory=torch.cuda.is_available(),
    )
