"""How fast an epoch of fine-tuning is: against the network on clips in memory, and against a plain torch DataLoader.

``epoch_of_memory``: an epoch from the second on (clips from the cache of decoded clips, changed by chance) over
forward and backward of the same network on as many clips that lie in memory. ``head_of_loader``: how many times faster
an epoch of the head alone on kept embeddings is than a plain loader (``benchmarks/plain_loader.py``) merely reads the
clips, without any network. ``all_of_loader``, on a GPU: all layers, cached, against the plain loader with the same
network. All in turn, five times (``--quick``: three), after one turn to warm up; figures are medians of the ratios.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.footage import make_clips
from benchmarks.report import Figure, Goal, Report, run
from vidlabel.core.runs import Tunes
from vidlabel.learning.batches import Batch
from vidlabel.learning.clip_batches import ClipBatches, LabelledClip
from vidlabel.learning.clip_cache import open_cache
from vidlabel.learning.embedding_batches import EmbeddingBatches, embed_clips
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.learning.head_only import HeadOnly, one_thread
from vidlabel.learning.tuning_recipe import suitable_batch
from vidlabel.ml.input import to_input

if TYPE_CHECKING:
    import torch
    from torch.utils.data import DataLoader

    from vidlabel.ml.devices import Device
    from vidlabel.ml.modelfile import LoadedModel

PAIRS = 5
_CACHE_BYTES = 10 * 1000**3
_HEAD_EPOCHS = 20
_BATCH = 8
_GOALS: dict[str, Goal] = {"epoch_of_memory": {"at_most": 1.1}, "head_of_loader": {"at_least": 20.0}}
_GOAL_ON_GPU: dict[str, Goal] = {"all_of_loader": {"at_least": 3.0}}


def measure(quick: bool) -> Report:
    """320x240 clips of three seconds and the bundled network, on the best device there is."""
    import torch

    from benchmarks.plain_loader import plain_loader
    from vidlabel.ml.catalogue import bundled_path
    from vidlabel.ml.devices import choose_device
    from vidlabel.ml.modelfile import load_model

    device = choose_device("auto")
    loaded = load_model(bundled_path())
    count = 16 if quick else 64
    with tempfile.TemporaryDirectory(prefix="vidlabel-finetune-") as name:
        folder = Path(name)
        paths = make_clips(folder, count, size=(320, 240), frames=90)
        labels = [number % len(loaded.info.labels) for number in range(count)]
        clips = [
            LabelledClip(path=path, label=label, content_hash=path.name)
            for path, label in zip(paths, labels, strict=True)
        ]
        p, workers = loaded.info.preprocessing, os.cpu_count() or 1
        loader = plain_loader(paths, labels, p, batch=_BATCH, workers=workers)
        bench = _Bench(clips, loaded, device, folder / "cache", loader)
        rows = _turns(bench, turns=(3 if quick else PAIRS) + 1)
    on_gpu = device.kind == "cuda"
    figures: dict[str, Figure] = {
        "epoch_of_memory": _ratio(rows, "cached", "memory"),
        "head_of_loader": _ratio(rows, "read", "head"),
    }
    if on_gpu:
        figures["all_of_loader"] = _ratio(rows, "loader", "cached")
    for part in rows[0]:
        figures[f"{part}_clips_per_s"] = count / statistics.median(row[part] for row in rows)
    own = {
        name: value for name, value in figures.items() if not name.startswith(("memory", "read", "loader"))
    }
    baselines = {name: value for name, value in figures.items() if name not in own}
    return Report(
        name="finetune",
        figures={**own, "clips": count, "batch": _BATCH, "batch_of_head": suitable_batch(count, Tunes.HEAD)},
        baselines={
            **baselines,
            "network": loaded.info.network,
            "device": device.name,
            "cores": os.cpu_count(),
            "torch": torch.__version__,
        },
        goals={**_GOALS, **(_GOAL_ON_GPU if on_gpu else {})},
    )


@dataclass
class _Bench:
    """What is compared."""

    clips: Sequence[LabelledClip]
    loaded: LoadedModel
    device: Device
    cache: Path
    loader: DataLoader[tuple[torch.Tensor, int]]

    def __post_init__(self) -> None:
        from vidlabel.ml.predictor import Predictor

        p = self.loaded.info.preprocessing
        self.batches = ClipBatches(
            self.clips, p, size=_BATCH, seed=0, cache=open_cache(self.cache, p, most_bytes=_CACHE_BYTES)
        )
        self.batches.fill()
        self.memory = list(self.batches.epoch(0))
        embedded = embed_clips(
            self.clips, Predictor(self.loaded, self.device), folder=self.cache, trunk="benchmark"
        )
        size = suitable_batch(len(self.clips), Tunes.HEAD)
        self.embeddings = EmbeddingBatches(embedded.values, embedded.labels, size=size, seed=0)
        self.network = self.loaded.module.to(self.device.kind)

    def train(self, batches: Iterable[Batch]) -> None:
        """Forward and backward of all layers."""
        import torch

        for batch in batches:
            x = to_input(np.asarray(batch.frames, np.uint8), self.loaded.info.preprocessing, self.device.kind)
            self.step(x, torch.from_numpy(batch.labels))
        self.wait()

    def step(self, x: torch.Tensor, labels: torch.Tensor) -> None:
        import torch

        self.network.train()
        self.network.zero_grad(set_to_none=True)
        with torch.autocast(self.device.kind, torch.bfloat16, enabled=self.device.kind == "cuda"):
            answers = self.network(x)
        loss = torch.nn.functional.cross_entropy(answers.float(), labels.to(x.device))
        loss.backward()  # type: ignore[no-untyped-call]

    def fit_head(self) -> None:
        """So many epochs as it takes to be measured."""
        with one_thread():
            fit(
                HeadOnly(self.network),
                self.embeddings,
                preprocessing=self.loaded.info.preprocessing,
                options=FitOptions(epochs=_HEAD_EPOCHS, tunes=Tunes.HEAD, average=0.99),
                device=self.device.kind,
            )
        # It leaves the head on the processor.
        self.network.to(self.device.kind)

    def train_plainly(self) -> None:
        """The loader with all layers."""
        for x, labels in self.loader:
            self.step(x.to(self.device.kind, non_blocking=True), labels)
        self.wait()

    def read_plainly(self) -> None:
        """The loader alone."""
        for _ in self.loader:
            pass

    def wait(self) -> None:
        """Until the device is done."""
        import torch

        if self.device.kind == "cuda":
            torch.cuda.synchronize()


def _turns(bench: _Bench, *, turns: int) -> list[dict[str, float]]:
    """Seconds an epoch of each way, in turn; the first turn only warms up."""
    rows = []
    for turn in range(turns):
        row: dict[str, float] = {}
        began = perf_counter()
        bench.train(bench.memory)
        row["memory"] = perf_counter() - began
        began = perf_counter()
        bench.train(bench.batches.epoch(1 + turn))
        row["cached"] = perf_counter() - began
        began = perf_counter()
        bench.fit_head()
        row["head"] = (perf_counter() - began) / _HEAD_EPOCHS
        began = perf_counter()
        bench.read_plainly()
        row["read"] = perf_counter() - began
        if bench.device.kind == "cuda":
            began = perf_counter()
            bench.train_plainly()
            row["loader"] = perf_counter() - began
        rows.append(row)
    return rows[1:]


def _ratio(rows: Sequence[dict[str, float]], over: str, under: str) -> float:
    return statistics.median(row[over] / row[under] for row in rows)


if __name__ == "__main__":
    sys.exit(run(measure, (__doc__ or "").splitlines()[0]))
