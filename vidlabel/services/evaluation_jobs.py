"""What evaluating asks of the store and the disk, off the GUI thread."""

from __future__ import annotations

import importlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import VidlabelError
from vidlabel.core.evaluation import ClipAnswer, Evaluated
from vidlabel.core.filters import parse
from vidlabel.core.label_errors import label_errors
from vidlabel.core.snapshot import PARTS, Part
from vidlabel.core.words import ChosenClips, ClipQuery

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore
    from vidlabel.store.snapshots import CuratedClip

PROTOCOL = 1
Interval = tuple[float, float]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An evaluation as the page shows it.

    ``cells`` are the clips by true and suggested label, ``doubtful`` those that may carry a wrong label,
    ``interval`` and ``interval_of`` the 95 % intervals of top-1 and of each label's recall, ``taken_for`` the
    other label that each one is taken for most, and how often. All of it is made off the GUI thread.
    """

    asked: Asked
    evaluated: Evaluated
    names: Names
    unusable: int
    cells: Mapping[tuple[str, str], tuple[int, ...]]
    doubtful: tuple[ClipAnswer, ...]
    interval: Interval
    interval_of: Mapping[str, Interval]
    right: int = 0
    taken_for: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def choices(store: ProjectStore) -> Choices:
    """What can be evaluated on."""
    newest = next(iter(reversed(store.snapshots.all())), None)
    counts: dict[Part, int] = {} if newest is None else {part: getattr(newest, part) for part in PARTS}
    return Choices(decided=store.counts().decided, parts=counts)


def clips_of(subject: Subject, store: ProjectStore) -> tuple[CuratedClip, ...]:
    """The decided clips of a subject under their present labels.

    Raises:
        FilterError: the expression cannot be understood.
    """
    query = parse(subject.expression, base=ClipQuery(sort="path"))
    if subject.part is not None:
        newest = store.snapshots.newest()
        ids = () if newest is None else tuple(clip.clip_id for clip in newest.of(subject.part))
        query = _narrowed(query, ids)
    return tuple(store.snapshots.curated(query))


def _narrowed(query: ClipQuery, ids: tuple[int, ...]) -> ClipQuery:
    return replace(query, chosen=ChosenClips(words="of a part", ids=ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which model (by its key; ``name`` is for people, ``labels`` are its own) is measured on what."""

    model: str
    name: str
    labels: tuple[str, ...]
    subject: Subject
    device: str = "auto"


def write_job(asked: Asked, store: ProjectStore) -> Job:
    """Writes what the worker is to do into a new temporary folder, which :func:`read_result` removes again.

    Raises:
        VidlabelError: there is nothing to evaluate on, in words.
    """
    subject = asked.subject
    found = clips_of(subject, store)
    usable = [clip for clip in found if not clip.trouble]
    if not usable:
        raise VidlabelError(_nothing(subject, len(found)))
    known = _embeddings(store, [clip.clip_id for clip in usable])
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
        "models": [asked.model],
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
    )


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
        return f"The newest snapshot has no {PART_WORDS[subject.part]} that are still decided."
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


def read_result(job: Job, path: Path, asked: Asked) -> Result:
    """Reads what the worker wrote and removes the folder.

    Raises:
        FormatError: it is no evaluation.
        OSError: it cannot be read.
    """
    try:
        evaluated = Evaluated.from_json(json.loads(path.read_text(encoding="utf-8")), path)
    finally:
        remove_job(job)
    cells: dict[tuple[str, str], list[int]] = {}
    for one in evaluated.answers:
        cells.setdefault((one.label, one.suggested), []).append(one.clip_id)
    return Result(
        asked=asked,
        evaluated=evaluated,
        names=job.names,
        unusable=job.unusable,
        cells={place: tuple(ids) for place, ids in cells.items()},
        doubtful=label_errors(evaluated.answers),
        interval=_interval(cells, [one.label for one in evaluated.figures]),
        right=sum(one.right for one in evaluated.answers),
        taken_for=_taken_for(cells),
        interval_of={one.label: _interval(cells, [one.label]) for one in evaluated.figures if one.clips},
    )


def _taken_for(cells: Mapping[tuple[str, str], list[int]]) -> dict[str, tuple[str, int]]:
    most: dict[str, tuple[str, int]] = {}
    for (label, suggested), clips in sorted(cells.items()):
        if suggested and suggested != label and len(clips) > most.get(label, ("", 0))[1]:
            most[label] = (suggested, len(clips))
    return most


def _interval(cells: Mapping[tuple[str, str], list[int]], labels: list[str]) -> Interval:
    paired: Any = importlib.import_module("vidlabel.learning.paired")
    wanted = frozenset(labels)
    right = sum(len(ids) for (label, said), ids in cells.items() if label == said and label in wanted)
    clips = sum(len(ids) for (label, _), ids in cells.items() if label in wanted)
    low, high = paired.wilson(right, clips)
    return low, high


def remove_job(job: Job) -> None:
    """Forgets a job's folder."""
    shutil.rmtree(job.file.parent, ignore_errors=True)


def write_export(result: Result, out: Path, kind: str) -> Path:
    """Writes an evaluation as ``csv``, ``json`` or ``folder`` (all of it, with the figures as pictures)."""
    writer: Any = importlib.import_module("vidlabel.interop.evaluation_out")
    names = {clip_id: writer.Place(*place) for clip_id, place in result.names.items()}
    match kind:
        case "csv":
            writer.write_csv(out, result.evaluated, names)
        case "json":
            writer.write_json(out, result.evaluated, names)
        case _:
            writer.write_folder(out, result.evaluated, names)
    return out
