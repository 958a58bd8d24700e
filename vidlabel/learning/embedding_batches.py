"""Fitting only the head: what the trunk makes of each clip is computed once, and an epoch is then a matter of moments.

The trunk is the predictor's own, so a head fitted here reads the very embeddings that suggestions are read from.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import StoppedError, TrainingError
from vidlabel.learning.batches import Batch
from vidlabel.learning.clip_reading import ClipsInOrder, OnTrouble
from vidlabel.learning.clip_stock import LabelledClip
from vidlabel.learning.dealing import Balance, Dealing
from vidlabel.ml.files import write_whole

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

_KEEP_EVERY_S = 20.0
"""A run that is killed loses at most so much work on embeddings."""

Row = NDArray[np.float16]


@dataclass(frozen=True, eq=False)
class Embedded:
    """Clips that could be read, and what the trunk made of them.

    Attributes:
        clips: N of them, in the order they were given.
        values: float16 (N, D).
        labels: int64 (N,).
    """

    clips: tuple[LabelledClip, ...]
    values: NDArray[np.float16]
    labels: NDArray[np.int64]


def embed_clips(
    clips: Sequence[LabelledClip],
    predictor: Predictor,
    *,
    folder: Path | None,
    trunk: str,
    workers: int = 0,
    batch: int = 16,
    known: Mapping[tuple[str, int, int], Row] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    on_trouble: OnTrouble = lambda clip, why: None,
) -> Embedded:
    """What a model's trunk makes of each clip, exactly as when it makes suggestions.

    Args:
        clips: at least one.
        predictor: of the model to start from; it looks at a clip once and unmirrored.
        folder: where embeddings are kept, so that they are computed once; None keeps none.
        trunk: its name (``ml.trunk``): embeddings of another are not used.
        workers: decoding threads; 0 takes what the machine has.
        batch: clips at once.
        known: embeddings that somebody else has of this trunk, by ``LabelledClip.key``.
        should_stop: asked after each batch.
        on_progress: told after each batch, of all clips.
        on_trouble: told of each clip that cannot be read; it is left out.

    Raises:
        StoppedError: ``should_stop`` said so; what was computed is kept.
        TrainingError: no clip can be read.
        DeviceError, ModelError: as ``Predictor.predict``.
    """
    rows = _Rows(folder, trunk)
    rows.known.update(known or {})
    keys = [_key(clip) for clip in clips]
    missing = [place for place, key in enumerate(keys) if key not in rows.known]
    done = len(clips) - len(missing)
    on_progress(done, len(clips))
    if missing:
        wanted = [clips[place] for place in missing]
        source = ClipsInOrder(
            wanted, predictor.info.preprocessing, size=batch, workers=workers, on_trouble=on_trouble
        )
        try:
            for places, prepared in source:
                values = predictor.predict(np.asarray(prepared.frames, np.uint8)).embeddings
                rows.add([keys[missing[place]] for place in places], values)
                on_progress(done + int(places[-1]) + 1, len(clips))
                if should_stop():
                    raise StoppedError("Stopped while looking at the clips; what was seen is kept.")
        finally:
            rows.keep()
    there = [place for place, key in enumerate(keys) if key in rows.known]
    if not there:
        raise TrainingError("None of the clips can be read. Is the disk still there?")
    return Embedded(
        tuple(clips[place] for place in there),
        np.stack([rows.known[keys[place]] for place in there]),
        np.array([clips[place].label for place in there], np.int64),
    )


class EmbeddingBatches:
    """What ``fit`` draws from to fit the head alone: ``frames`` of a batch are embeddings, float32 (B, D).

    Args:
        values: float16 or float32 (N, D), N at least 2.
        labels: int64 (N,).
        size, seed, balance, rank, world: as for ``ClipBatches``.

    Raises:
        TrainingError: there are too few clips.
    """

    def __init__(
        self,
        values: NDArray[np.floating[Any]],
        labels: NDArray[np.integer[Any]],
        *,
        size: int,
        seed: int,
        balance: Balance = "none",
        rank: int = 0,
        world: int = 1,
    ) -> None:
        if values.ndim != 2 or len(values) != len(labels):
            raise ValueError(f"embeddings {values.shape} and {len(labels)} labels do not go together")
        self._values = values.astype(np.float32)
        self._labels = np.asarray(labels, np.int64)
        self._dealing = Dealing(labels, size=size, seed=seed, balance=balance, rank=rank, world=world)

    def __len__(self) -> int:
        return len(self._dealing)

    def epoch(self, number: int, *, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from place ``first`` on."""
        order = self._dealing.order(number)
        for place in range(first, len(self)):
            chosen = order[self._dealing.slots(place)]
            yield Batch(self._values[chosen], self._labels[chosen])


@dataclass
class _Rows:
    """Embeddings in memory and, some at a time, in files: ``embeddings-<trunk>-<n>.npz``."""

    folder: Path | None
    trunk: str
    known: dict[tuple[str, int, int], Row] = field(default_factory=dict)
    _new: list[tuple[tuple[str, int, int], Row]] = field(default_factory=list)
    _kept: float = field(default_factory=monotonic)

    def __post_init__(self) -> None:
        for path in self._files():
            with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
                with path.open("rb") as file, np.load(file, allow_pickle=False) as content:
                    hashes, times, values = content["hashes"], content["times"], content["values"]
                for key, (start, end), row in zip(hashes, times, values, strict=True):
                    self.known[(str(key), int(start), int(end))] = row

    def add(self, keys: Sequence[tuple[str, int, int]], values: NDArray[np.float16]) -> None:
        """Keeps them in memory, and from time to time in a file."""
        for key, row in zip(keys, values, strict=True):
            self.known[key] = row
            self._new.append((key, row))
        if monotonic() - self._kept > _KEEP_EVERY_S:
            self.keep()

    def keep(self) -> None:
        """Writes what is new; where the disk does not take it, it is computed again another time."""
        self._kept = monotonic()
        if self.folder is None or not self._new:
            return
        keys, rows = zip(*self._new, strict=True)
        self._new = []
        content = io.BytesIO()
        np.savez(
            content,
            hashes=np.array([key[0] for key in keys], np.str_),
            times=np.array([key[1:] for key in keys], np.int64),
            values=np.stack(rows),
        )
        # Named by what is in it: processes that share the folder do not overwrite each other's.
        name = hashlib.sha256(content.getbuffer()).hexdigest()[:16]
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(self.folder / f"embeddings-{self.trunk[:32]}-{name}.npz", content.getvalue())

    def _files(self) -> list[Path]:
        if self.folder is None or not self.folder.is_dir():
            return []
        return sorted(self.folder.glob(f"embeddings-{self.trunk[:32]}-*.npz"))


def _key(clip: LabelledClip) -> tuple[str, int, int]:
    try:
        return clip.key
    except OSError:
        # Not there: decoding it will say so.
        return (str(clip.path), clip.start_us, clip.end_us)
