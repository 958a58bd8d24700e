"""What came of an evaluation, as the page shows it: just now, or kept beside the project."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from vidlabel.core.errors import FormatError
from vidlabel.core.evaluation import ClipAnswer, Evaluated
from vidlabel.core.filters import parse
from vidlabel.core.kept_evaluation import KeptEvaluation, KeptFacts, MeasuredClip, kept_of
from vidlabel.core.label_errors import label_errors
from vidlabel.core.time import now_us
from vidlabel.core.words import DECIDED_STATES, ChosenClips, ClipQuery
from vidlabel.services.evaluation_jobs import Asked, Job, Names, Subject, remove_job

if TYPE_CHECKING:
    from vidlabel.store.project_store import ProjectStore

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """An evaluation as the page shows it.

    ``labels`` are those the clips were measured under, ``otherwise`` the clips that have another one today (or none),
    ``added`` how many clips fit today and were not measured, ``made_at_us`` when it was made.
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
    labels: Mapping[int, str] = field(default_factory=dict)
    made_at_us: int = 0
    otherwise: frozenset[int] = frozenset()
    added: int = 0
    right: int = 0
    taken_for: Mapping[str, tuple[str, int]] = field(default_factory=dict)


def read_result(job: Job, path: Path, asked: Asked) -> tuple[Result, str]:
    """Reads what the worker wrote, keeps it beside the project, and removes the folder.

    Returns:
        The result, and in words why it could not be kept, "" if it is.

    Raises:
        FormatError: it is no evaluation.
        OSError: it cannot be read.
    """
    try:
        evaluated = Evaluated.from_json(json.loads(path.read_text(encoding="utf-8")), path)
    finally:
        remove_job(job)
    kept = KeptEvaluation(
        made_at_us=now_us(), model=job.model, part=asked.subject.part, expression=asked.subject.expression,
        snapshot=job.snapshot, evaluated=evaluated,
        clips={clip: MeasuredClip(*place, job.labels[clip]) for clip, place in job.names.items()},
        unusable=job.unusable, otherwise=len(job.otherwise),
    )  # fmt: skip
    # Loaded here: the window is painted without what is below the services.
    keeping: Any = importlib.import_module("vidlabel.interop.kept_evaluations")
    trouble = ""
    try:
        keeping.keep(job.project, kept)
    except OSError as error:
        trouble = (
            f"The evaluation is not there any more after a restart: {error.strerror} ({error.filename})."
        )
    return _result(kept, otherwise=job.otherwise), trouble


def kept(store: ProjectStore) -> tuple[KeptFacts, ...]:
    """The evaluations that are kept beside the project, newest first."""
    return kept_of(store.path)


def read_kept(path: Path, store: ProjectStore) -> Result:
    """A kept evaluation, with how the project has changed since.

    Raises:
        FormatError: it is none, or of another project.
        OSError: it cannot be read.
    """
    found = KeptEvaluation.read(path)
    rows = {row.clip_id: row for row in store.clip_rows(sorted(found.clips))}
    for clip_id, row in rows.items():
        was = found.clips[clip_id]
        if (row.name, row.start_us, row.end_us) != (PurePath(was.path).name, was.start_us, was.end_us):
            raise FormatError(path, "it is of another project that had this name. Evaluate again.")
    names = store.snapshots.aliases()
    present = {clip_id: names.get(one.label, one.label) for clip_id, one in found.clips.items()}
    decided = {one.clip_id: one.label for one in store.snapshots.curated(_of(ClipQuery(), present))}
    otherwise = frozenset(clip_id for clip_id, label in present.items() if decided.get(clip_id) != label)
    # Roots may lie elsewhere today.
    today = {
        clip_id: MeasuredClip(row.path, row.start_us, row.end_us, present[clip_id])
        for clip_id, row in rows.items()
    }
    clips = {clip_id: today.get(clip_id, one) for clip_id, one in found.clips.items()}
    added = _added(found, store) if found.part is None else 0
    return _result(replace(found, clips=clips), otherwise=otherwise, added=added)


def _of(query: ClipQuery, ids: Iterable[int]) -> ClipQuery:
    return replace(query, chosen=ChosenClips(words="of an evaluation", ids=tuple(ids)))


def _added(found: KeptEvaluation, store: ProjectStore) -> int:
    """How many clips would be measured today that were not."""
    query = replace(parse(found.expression, base=ClipQuery()), states=DECIDED_STATES)
    return sum(clip_id not in found.clips for clip_id in store.clip_ids(query))


def _result(kept: KeptEvaluation, *, otherwise: frozenset[int], added: int = 0) -> Result:
    evaluated = kept.evaluated
    cells: dict[tuple[str, str], list[int]] = {}
    for one in evaluated.answers:
        cells.setdefault((one.label, one.suggested), []).append(one.clip_id)
    subject = Subject(part=kept.part, expression=kept.expression)
    asked = Asked(model=kept.model, name=evaluated.model, labels=evaluated.labels, subject=subject)
    return Result(
        asked=asked,
        evaluated=evaluated,
        names={clip_id: (one.path, one.start_us, one.end_us) for clip_id, one in kept.clips.items()},
        labels={clip_id: one.label for clip_id, one in kept.clips.items()},
        unusable=kept.unusable,
        made_at_us=kept.made_at_us,
        otherwise=otherwise,
        added=added,
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
