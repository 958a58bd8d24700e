"""What evaluating asks of the store and the disk, off the GUI thread."""

from __future__ import annotations

import importlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import VidlabelError
from vidlabel.core.filters import parse
from vidlabel.core.model_key import ModelKey
from vidlabel.core.snapshot import PARTS, Part
from vidlabel.core.words import ClipQuery

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore
    from vidlabel.store.snapshots import CuratedClip

PROTOCOL = 1
Names = Mapping[int, tuple[str, int, int]]
"""Path, start and end (microseconds) by clip."""

PART_WORDS: dict[Part, str] = {
    "test": "test clips",
    "validation": "validation clips",
    "train": "training clips",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Which decided clips: those of a part of the newest snapshot (None: any), narrowed by a filter expression."""

    part: Part | None = None
    expression: str = ""

    @property
    def words(self) -> str:
        """'decided clips', 'test clips of the newest snapshot, label:wave'."""
        words = "decided clips" if self.part is None else f"{PART_WORDS[self.part]} of the newest snapshot"
        return f"{words}, {self.expression}" if self.expression else words


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """How many clips there are to evaluate on: ``parts`` are of the newest snapshot, {} where there is none."""

    decided: int = 0
    parts: Mapping[Part, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job file in a folder of its own; ``unusable`` clips were left out, for their files cannot be read."""

    file: Path
    names: Names
    labels: Mapping[int, str]
    unusable: int
    project: Path
    """The project file, beside which what comes of it is kept."""
    model: str = ""
    """The key under which the model is asked."""
    snapshot: str = ""
    """Hash of the snapshot the clips are a part of, "" for none."""
    otherwise: frozenset[int] = frozenset()
    """Clips of the part that are decided otherwise today than the snapshot has them."""


def choices(store: ProjectStore) -> Choices:
    """What can be evaluated on."""
    newest = next(iter(reversed(store.snapshots.all())), None)
    counts: dict[Part, int] = {} if newest is None else {part: getattr(newest, part) for part in PARTS}
    return Choices(decided=store.counts().decided, parts=counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """The clips of a subject under the labels they are to be measured with."""

    clips: tuple[CuratedClip, ...]
    snapshot: str = ""
    otherwise: frozenset[int] = frozenset()


def clips_of(subject: Subject, store: ProjectStore) -> _Found:
    """The decided clips that fit, under their present labels; those of a part under the labels it was frozen with.

    Raises:
        FilterError: the expression cannot be understood.
    """
    query = parse(subject.expression, base=ClipQuery(sort="path"))
    if subject.part is None:
        return _Found(clips=tuple(store.snapshots.curated(query)))
    newest = store.snapshots.newest()
    if newest is None:
        return _Found(clips=())
    # Loaded here: the window is painted without what is below the services.
    parts: Any = importlib.import_module("vidlabel.learning.part_clips")
    found = parts.part_clips(store, newest, subject.part, query)
    return _Found(clips=found.clips, snapshot=newest.hash, otherwise=found.otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which model (by its key; ``name`` is for people, ``labels`` are its own) is measured on what."""

    model: str
    name: str
    labels: tuple[str, ...]
    subject: Subject
    device: str = "auto"


def write_job(asked: Asked, store: ProjectStore) -> Job:
    """Writes what the worker is to do into a new temporary folder, which ``read_result`` removes again.

    Raises:
        VidlabelError: there is nothing to evaluate on, in words.
    """
    subject = asked.subject
    of = clips_of(subject, store)
    found = of.clips
    usable = [clip for clip in found if not clip.trouble]
    if not usable:
        raise VidlabelError(_nothing(subject, len(found)))
    known = _embeddings(store, [clip.clip_id for clip in usable])
    model = _as_asked(asked.model, store)
    calibration = store.calibrations.newest(model)
    content = {
        "v": PROTOCOL,
        "clips": [
            {
                "clip_id": clip.clip_id, "path": str(clip.path), "start_us": clip.start_us,
                "end_us": clip.end_us, "label": clip.label, "content_hash": clip.content_hash,
                "embeddings": known.get(clip.clip_id, {}),
            }
            for clip in usable
        ],
        "models": [model],
        "calibrations": {}
        if calibration is None
        else {model: {"temperature": calibration.temperature, "fitted_on": calibration.clips}},
        "labels": [label.name for label in store.labels() if not label.retired],
        "aliases": _present_names(asked.labels, store),
        "device": asked.device,
    }  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="vidlabel-evaluate-"))
    content["out"] = str(folder)
    file = folder / "job.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    return Job(
        file=file,
        names={clip.clip_id: (str(clip.path), clip.start_us, clip.end_us) for clip in usable},
        labels={clip.clip_id: clip.label for clip in usable},
        unusable=len(found) - len(usable),
        project=store.path,
        model=model,
        snapshot=of.snapshot,
        otherwise=of.otherwise,
    )


def _as_asked(model: str, store: ProjectStore) -> str:
    """The active model is measured in the way that the project asks it: with its views, in its precision."""
    active = store.active_model()
    return active[0] if active is not None and ModelKey.parse(active[0]).hash == model else model


def _present_names(labels: tuple[str, ...], store: ProjectStore) -> dict[str, str]:
    """What a model's labels are called in the project today, of those that were renamed."""
    found = {name: store.find_label(name) for name in labels}
    return {name: label.name for name, label in found.items() if label is not None and label.name != name}


def _nothing(subject: Subject, broken: int) -> str:
    if broken:
        return "None of these clips can be read now. Is their disk connected?"
    if subject.expression:
        return f"No decided clip matches {subject.expression}. Change the filter, or clear it."
    if subject.part is not None:
        return f"The newest snapshot has no {PART_WORDS[subject.part]} that are still in the project."
    return "No clip is decided yet: there is nothing to compare the model's word with."


def _embeddings(store: ProjectStore, ids: list[int]) -> dict[int, dict[str, str]]:
    """What trunks have seen of these clips before, packed; such a clip need not be opened again."""
    # Loaded here: the window is painted without numpy.
    vectors: Any = importlib.import_module("vidlabel.core.vectors")
    found: dict[int, dict[str, str]] = {}
    for trunk in store.embeddings.trunks():
        for clip_id, values in store.embeddings.find(trunk, ids).items():
            found.setdefault(clip_id, {})[trunk] = vectors.packed(values)
    return found


def remove_job(job: Job) -> None:
    """Forgets a job's folder."""
    shutil.rmtree(job.file.parent, ignore_errors=True)
