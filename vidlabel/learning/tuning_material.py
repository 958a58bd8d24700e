"""What a run draws from: clips from their files, or, where only the head learns, what the trunk makes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import TrainingError
from vidlabel.core.runs import RunFolder
from vidlabel.learning.augment import unmirrored
from vidlabel.learning.batches import Batch, Batches
from vidlabel.learning.clip_batches import ClipBatches, ClipsInOrder, LabelledClip, clips_of
from vidlabel.learning.clip_cache import open_cache
from vidlabel.learning.embedding_batches import EmbeddingBatches, embed_clips
from vidlabel.learning.run_order import RunOrder
from vidlabel.learning.tuning_scale import Scale

if TYPE_CHECKING:
    from vidlabel.learning.distributed import Ranks
    from vidlabel.ml.modelfile import LoadedModel

Note = Callable[[str], None]
Step = Callable[[str, int, int], None]
_MEASURED_AT_ONCE = 256


@dataclass(frozen=True)
class Material:
    """Training batches, and what is measured after each epoch.

    Attributes:
        batches: for ``fit``.
        validation: the validation clips, anew at each call; None without any.
        labels: of the training clips.
        scale: of embeddings, by which the head has to be changed before and after; None where clips are drawn.
    """

    batches: Batches
    validation: Callable[[], Iterable[Batch]] | None
    labels: NDArray[np.int64]
    scale: Scale | None = None


@dataclass(frozen=True)
class Clips:
    """The clips of a run, as they lie today."""

    train: tuple[LabelledClip, ...]
    validation: tuple[LabelledClip, ...]

    @classmethod
    def of(cls, order: RunOrder) -> Clips:
        """Training and validation clips; the test's are not looked at here.

        Raises:
            TrainingError: there are too few.
        """
        train = clips_of(order.snapshot, "train", where=order.paths)
        if len(train) < 2:
            raise TrainingError(f"The snapshot has {len(train)} clips to train on: decide some more first.")
        return cls(train, clips_of(order.snapshot, "validation", where=order.paths))


def clip_material(
    order: RunOrder,
    clips: Clips,
    loaded: LoadedModel,
    folder: RunFolder,
    *,
    size: int,
    ranks: Ranks,
    note: Note,
    trouble: Note,
) -> Material:
    """Clips decoded on threads and kept in the run's cache."""
    settings, preprocessing = order.settings, loaded.info.preprocessing
    left_out = told_once(trouble)
    cache = open_cache(
        folder.path / "cache", preprocessing, most_bytes=int(settings.cache_gb * 1e9), on_note=note
    )
    batches = ClipBatches(
        clips.train, preprocessing, size=size, seed=settings.seed, strength=settings.augment, cache=cache,
        workers=settings.workers, rank=ranks.rank, world=ranks.world,
        balance="sampling" if settings.balance == "sampling" else "none",
        unmirrored=unmirrored(order.snapshot.labels), on_trouble=left_out,
    )  # fmt: skip
    labels = np.array([clip.label for clip in clips.train], np.int64)
    if not clips.validation:
        return Material(batches, None, labels)
    in_order = ClipsInOrder(
        clips.validation, preprocessing, size=size, cache=cache, workers=settings.workers, on_trouble=left_out
    )
    return Material(batches, lambda: (batch for _places, batch in in_order), labels)


def embedded_material(
    order: RunOrder,
    clips: Clips,
    loaded: LoadedModel,
    folder: RunFolder,
    *,
    size: int,
    ranks: Ranks,
    device: str,
    trouble: Note,
    step: Step,
    should_stop: Callable[[], bool],
) -> Material:
    """What the trunk makes of the clips, computed once.

    Raises:
        StoppedError: ``should_stop`` said so; what was computed is kept.
        TrainingError: no clip can be read.
        DeviceError: the device cannot be used, or gave up.
    """
    from vidlabel.ml.devices import choose_device
    from vidlabel.ml.predictor import Predictor
    from vidlabel.ml.trunk import trunk_of

    settings = order.settings
    predictor = Predictor(loaded, choose_device(device.partition(":")[0]))
    every = (*clips.train, *clips.validation)
    embedded = embed_clips(
        every, predictor, folder=folder.path / "cache", trunk=trunk_of(loaded.info), workers=settings.workers,
        should_stop=should_stop, on_progress=lambda done, total: step("looking at the clips", done, total),
        on_trouble=told_once(trouble),
    )  # fmt: skip
    learning = {clip.key for clip in clips.train}
    mine = np.array([clip.key in learning for clip in embedded.clips])
    if mine.sum() < 2:
        raise TrainingError("Fewer than two of the training clips can be read. Is the disk still there?")
    scale = Scale.of(embedded.values[mine])
    values = scale.scaled(embedded.values)
    batches = EmbeddingBatches(
        values[mine], embedded.labels[mine], size=size, seed=settings.seed, rank=ranks.rank, world=ranks.world,
        balance="sampling" if settings.balance == "sampling" else "none",
    )  # fmt: skip
    others, truth = values[~mine], embedded.labels[~mine]
    validation = (lambda: _parts(others, truth)) if len(others) else None
    return Material(batches, validation, embedded.labels[mine], scale)


def told_once(note: Note) -> Callable[[LabelledClip, str], None]:
    """Notes each clip that cannot be read, in words, once."""
    told: set[tuple[str, int, int]] = set()

    def trouble(clip: LabelledClip, why: str) -> None:
        if clip.key not in told:
            told.add(clip.key)
            where = "" if str(clip.path) in why else f"{clip.path}: "
            note(f"A clip is left out. {where}{why}")

    return trouble


def _parts(values: NDArray[np.float32], truth: NDArray[np.int64]) -> Iterable[Batch]:
    for start in range(0, len(values), _MEASURED_AT_ONCE):
        part = slice(start, start + _MEASURED_AT_ONCE)
        yield Batch(values[part], truth[part])
