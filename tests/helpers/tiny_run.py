"""A run that is over in seconds: bright and dark clips, a network of a few thousand weights, and its folder."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.helpers.tiny_models import CLIPS, SMALL
from vidlabel.core.runs import RunFolder, TrainSettings, Tunes
from vidlabel.core.snapshot import Part, Snapshot, SnapshotClip
from vidlabel.media.encode import write_video
from vidlabel.ml.modelfile import ModelInfo, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing

LABELS = ("bright", "dark")
PARTS: tuple[Part, ...] = ("train",) * 8 + ("validation",) * 2 + ("test",) * 2
QUICK = TrainSettings(
    tunes=Tunes.ALL,
    epochs=3,
    patience=0,
    batch=4,
    rate=1e-3,
    average=0.9,
    device="cpu",
    workers=1,
    seed=5,
    cache_gb=0.1,
)


def base_model(path: Path, *, labels: tuple[str, ...] = ("walk", "run", "wave"), seed: int = 1) -> ModelInfo:
    """A small untrained model that knows other labels."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = build("compact3d", labels=len(labels), **SMALL)
    card: dict[str, Any] = {
        "summary": "Tiny.", "licence": "Apache-2.0", "trained_on": ["noise"], "training_content_hashes": ["ab" * 32],
    }  # fmt: skip
    return save_model(
        path, network, name=path.stem, network="compact3d", network_args=SMALL, labels=labels,
        preprocessing=Preprocessing(**CLIPS), card=card, license="Apache-2.0",
    )  # fmt: skip


def clip_files(folder: Path) -> Snapshot:
    """A dozen videos of each label, and what is known of them."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(0)
    clips = []
    for label, level in zip(LABELS, (190, 60), strict=True):
        for number, part in enumerate(PARTS):
            path = folder / f"{label}-{number}.mp4"
            pictures = np.clip(random.normal(level, 25, (8, 32, 32, 3)), 0, 255).astype(np.uint8)
            write_video(path, iter(pictures), fps=25)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            clips.append(
                SnapshotClip(
                    content_hash=digest, start_us=0, end_us=320_000, label=label, part=part, source=path.stem,
                    path=path, clip_id=len(clips) + 1,
                )
            )  # fmt: skip
    clips.sort(key=lambda clip: clip.key)
    return Snapshot(clips=tuple(clips), labels=LABELS, split="by-source", sources="video")


def run_folder(
    folder: Path,
    snapshot: Snapshot,
    base: ModelInfo,
    *,
    settings: TrainSettings = QUICK,
    **told: object,
) -> RunFolder:
    """A run that is ready to be started."""
    folder.mkdir(parents=True)
    run = RunFolder(folder)
    run.snapshot.write_text(json.dumps(snapshot.to_json()), encoding="utf-8")
    chosen = replace(settings, base=base.name).to_json()
    content = {**chosen, "base_path": str(base.path), "base_hash": base.hash, **told}
    run.settings.write_text(json.dumps(content), encoding="utf-8")
    return run
