"""Measuring a model on a project's decided clips: which clips, under which names, and what it saw of them before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vidlabel.cli.choosing import chosen_model
from vidlabel.cli.output import Output
from vidlabel.core.errors import ProjectError, VidlabelError
from vidlabel.core.evaluation import Evaluated, InForce
from vidlabel.core.messages import WantedClip
from vidlabel.core.model_card import trained_on
from vidlabel.core.model_key import ModelKey
from vidlabel.core.snapshot import Part, Snapshot
from vidlabel.core.vectors import packed, unpacked
from vidlabel.core.words import ONE_VIEW, ClipQuery
from vidlabel.engine.measuring import measure
from vidlabel.learning.answers import evaluated
from vidlabel.learning.part_clips import part_clips
from vidlabel.learning.shown_confidence import calibrated_figures
from vidlabel.ml.catalogue import BUNDLED, find_model
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.ml.trunk import trunk_of
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.snapshots import CuratedClip

_LOOKED_UP_AT_ONCE = 500
_KEPT_AT_ONCE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClip:
    """A clip whose label is known; ``content_hash`` is None while its video is not hashed."""

    clip_id: int
    path: Path
    start_us: int
    end_us: int
    label: str
    content_hash: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToMeasure:
    """The clips to measure on; ``snapshot`` is None where they are of no part of one.

    ``otherwise`` clips of a part were decided otherwise since, ``gone`` ones are in the project no longer.
    """

    clips: tuple[KnownClip, ...]
    snapshot: Snapshot | None = None
    otherwise: int = 0
    gone: int = 0


def clips_to_measure(store: ProjectStore, query: ClipQuery, *, part: Part | None) -> ToMeasure:
    """The labelled clips that fit, with the labels they have now; or those of one part of the newest snapshot, with
    the labels they were frozen with.

    Raises:
        VidlabelError: there is no snapshot, or no clip fits.
    """
    found = _decided(store, query) if part is None else _of_part(store, query, part)
    if not found.clips:
        where = f"clip in the {part} part of the newest snapshot" if part else "decided clip"
        raise VidlabelError(f"{store.path}: no {where} fits. `vidlabel list` shows what there is.")
    return found


def _decided(store: ProjectStore, query: ClipQuery) -> ToMeasure:
    return ToMeasure(clips=_known(store.snapshots.curated(query)))


def _of_part(store: ProjectStore, query: ClipQuery, part: Part) -> ToMeasure:
    snapshot = store.snapshots.newest()
    if snapshot is None:
        raise VidlabelError(
            f"{store.path}: no run has divided its clips into parts yet. `vidlabel train` does, "
            "or leave --split out."
        )
    found = part_clips(store, snapshot, part, query)
    return ToMeasure(
        clips=_known(found.clips), snapshot=snapshot, otherwise=len(found.otherwise), gone=found.gone
    )


def _known(clips: Iterable[CuratedClip]) -> tuple[KnownClip, ...]:
    return tuple(
        KnownClip(
            clip_id=one.clip_id, path=one.path, start_us=one.start_us, end_us=one.end_us, label=one.label,
            content_hash=one.content_hash,
        )
        for one in clips
    )  # fmt: skip


def calibration_in_force(store: ProjectStore, model: ModelInfo) -> InForce | None:
    """How the project makes this model's confidence mean what it says; None where it does not."""
    newest = store.calibrations.newest(model.hash)
    return None if newest is None else InForce(newest.temperature, newest.clips)


def model_to_measure(store: ProjectStore, name: str | None, output: Output) -> ModelInfo:
    """The model of this name, hash, key or path, else the project's active one as it is asked there, else the bundled.

    Raises:
        ModelError: there is no such model here.
    """
    if name is not None:
        return model_of_key(name)
    active = store.active_model()
    if active is None:
        return find_model(BUNDLED)
    chosen = chosen_model(store, None, output)
    key = ModelKey.parse(active[0])
    return _asked(chosen, replace(key, hash=chosen.hash))


def model_of_key(name: str) -> ModelInfo:
    """The model that a key, a name, a hash or a path means; a key says how it is asked, too.

    Raises:
        ModelError: there is no such model here.
    """
    key = ModelKey.parse(name)
    if key == ModelKey(name):
        return find_model(name)
    found = find_model(key.hash)
    return _asked(found, replace(key, hash=found.hash))


def _asked(model: ModelInfo, key: ModelKey) -> ModelInfo:
    return replace(model, hash=str(key), name=key.name(model.name))


def former_names(store: ProjectStore, labels: Sequence[str]) -> dict[str, str]:
    """Present name by former name, of those of these labels that were renamed in the project."""
    found = ((label, store.find_label(label)) for label in labels)
    return {label: now.name for label, now in found if now is not None and now.name != label}


def evaluate_clips(
    model: ModelInfo,
    clips: Sequence[KnownClip],
    *,
    labels: Sequence[str],
    aliases: Mapping[str, str],
    device: str,
    batch: int | None = None,
    seen: Seen | None = None,
    calibration: InForce | None = None,
    should_stop: Callable[[], bool] = lambda: False,
    on_progress: Callable[[int], None] = lambda done: None,
    on_note: Callable[[str], None] = lambda words: None,
) -> Evaluated:
    """A model's figures on these clips. Clips whose label it does not know are not even opened.

    Args:
        labels: the project's label set.
        aliases: present name by former name of labels.
        seen: what is known of the clips; None opens them all.
        calibration: the one in force; with it the figures of the calibrated confidence are answered, too.
        device, batch, should_stop, on_progress, on_note: as for ``measure``.

    Raises:
        StoppedError, ModelError, DeviceError: as ``measure``.
    """
    known = {aliases.get(label, label) for label in model.labels}
    asked = [clip for clip in clips if clip.label in known]
    looked_up = seen or Seen()
    with closing(looked_up):
        answers = measure(
            model, looked_up.wanted(asked), device=device, batch=batch, should_stop=should_stop,
            on_progress=on_progress, on_note=on_note, on_embedding=looked_up.keep,
        )  # fmt: skip
    learned = trained_on(model.card)
    present = answers.under(aliases)
    found = evaluated(
        model.name,
        model.hash,
        present,
        truth={clip.clip_id: clip.label for clip in clips},
        project_labels=labels,
        trained_on=sum(clip.content_hash in learned for clip in asked),
        unhashed=sum(clip.content_hash is None for clip in asked) if learned else 0,
    )
    if calibration is None:
        return found
    return replace(found, calibrated=calibrated_figures(found.answers, present, calibration))


class Seen:
    """What a model's trunk saw in clips before: nothing here, for a process that has no project."""

    def wanted(self, clips: Sequence[KnownClip]) -> Iterator[WantedClip]:
        """The clips as they are asked, each with what is known of it."""
        for clip in clips:
            yield _wanted(clip, "")

    def keep(self, clip_id: int, embedding: str) -> None:
        """Takes what was seen just now."""

    def close(self) -> None:
        """Writes what is still to be written."""


class SeenInProject(Seen):
    """The embeddings beside a project: used, and added to."""

    def __init__(self, store: ProjectStore, model: ModelInfo, log: Callable[[str], None]) -> None:
        key = ModelKey.parse(model.hash)
        # No single embedding gives the answer of several views again.
        self._trunk = trunk_of(model, precision=key.precision) if key.views == ONE_VIEW else ""
        self._store = store
        self._log = log
        self._new: dict[int, NDArray[np.float16]] = {}

    def wanted(self, clips: Sequence[KnownClip]) -> Iterator[WantedClip]:
        """Looked up a few hundred at a time."""
        for first in range(0, len(clips), _LOOKED_UP_AT_ONCE):
            some = clips[first : first + _LOOKED_UP_AT_ONCE]
            ids = [clip.clip_id for clip in some]
            known = self._store.embeddings.find(self._trunk, ids) if self._trunk else {}
            for clip in some:
                embedding = known.get(clip.clip_id)
                yield _wanted(clip, "" if embedding is None else packed(embedding))

    def keep(self, clip_id: int, embedding: str) -> None:
        """Kept a few hundred at a time, so that measuring again is quick."""
        if not self._trunk:
            return
        self._new[clip_id] = unpacked(embedding)
        if len(self._new) >= _KEPT_AT_ONCE:
            self.close()

    def close(self) -> None:
        """Embeddings can be computed again: that they cannot be kept must not end anything."""
        new, self._new = self._new, {}
        try:
            if new:
                self._store.embeddings.save(self._trunk, new)
        except ProjectError as error:
            self._log(f"vidlabel: {error}")
            self._trunk = ""


def _wanted(clip: KnownClip, embedding: str) -> WantedClip:
    return WantedClip(
        clip_id=clip.clip_id,
        path=str(clip.path),
        start_us=clip.start_us,
        end_us=clip.end_us,
        embedding=embedding,
    )
