"""Evaluations that stay: each a small file in a folder beside the project, the newest few of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, cast

from vidlabel.core.errors import FormatError
from vidlabel.core.evaluation import Evaluated
from vidlabel.core.snapshot import PARTS, Part

FORMAT = 1
MOST_KEPT = 5
_SUFFIX = ".json"


class MeasuredClip(NamedTuple):
    """Where a clip was, its times in microseconds (end exclusive), and the label it was measured under."""

    path: str
    start_us: int
    end_us: int
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptFacts:
    """What a list shows of a kept evaluation; ``part`` is None for one of all decided clips that fit."""

    path: Path
    made_at_us: int
    model: str
    part: Part | None
    expression: str
    clips: int
    top1: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptEvaluation:
    """An evaluation with what is needed to show it again, and to tell whether it still holds.

    Attributes:
        made_at_us: microseconds since 1970.
        model: the key that was asked for.
        part: of which part of a snapshot the clips are; None for decided clips.
        expression: the filter that narrowed them.
        snapshot: the hash of the snapshot; "" without one.
        evaluated: what was found.
        clips: those that were to be measured, by id.
        unusable: clips left out, for their files could not be read.
        otherwise: clips that were decided otherwise than the snapshot has them when it was made.
    """

    made_at_us: int
    model: str
    part: Part | None
    expression: str
    snapshot: str
    evaluated: Evaluated
    clips: Mapping[int, MeasuredClip]
    unusable: int = 0
    otherwise: int = 0

    @property
    def file_name(self) -> str:
        """Names sort by time."""
        return f"{self.made_at_us:020}{_SUFFIX}"

    def to_text(self) -> Iterator[str]:
        """Two lines of JSON: what a list shows, and everything."""
        found = self.evaluated
        head = {
            "format": FORMAT, "made_at_us": self.made_at_us, "model": found.model, "part": self.part,
            "expression": self.expression, "clips": found.clips, "top1": found.top1,
        }  # fmt: skip
        body = {
            "asked": self.model, "snapshot": self.snapshot, "unusable": self.unusable, "otherwise": self.otherwise,
            "places": {str(clip): list(place) for clip, place in self.clips.items()},
            "evaluated": found.to_json(),
        }  # fmt: skip
        for line in (head, body):
            yield json.dumps(line, separators=(",", ":")) + "\n"

    @classmethod
    def read(cls, path: Path) -> KeptEvaluation:
        """The evaluation in a file.

        Raises:
            FormatError: it is none, or one of a newer program.
            OSError: it cannot be read.
        """
        with path.open(encoding="utf-8") as file:
            facts = _facts(path, file.readline())
            try:
                body = json.loads(file.readline())
                return cls(
                    made_at_us=facts.made_at_us, model=str(body["asked"]), part=facts.part,
                    expression=facts.expression, snapshot=str(body["snapshot"]),
                    evaluated=Evaluated.from_json(body["evaluated"], path),
                    clips={
                        int(clip): MeasuredClip(str(one[0]), int(one[1]), int(one[2]), str(one[3]))
                        for clip, one in body["places"].items()
                    },
                    unusable=int(body["unusable"]), otherwise=int(body["otherwise"]),
                )  # fmt: skip
            except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
                raise FormatError(path, f"the evaluation is damaged ({error}). Evaluate again.") from error


def evaluations_folder(project: Path) -> Path:
    """Where the evaluations of a project lie."""
    return project.with_name(f"{project.name}.evaluations")


def files_of(project: Path) -> tuple[Path, ...]:
    """The files of kept evaluations, newest first."""
    folder = evaluations_folder(project)
    try:
        names = sorted((path for path in folder.iterdir() if path.suffix == _SUFFIX), reverse=True)
    except OSError:
        return ()
    return tuple(path for path in names if path.stem.isdecimal())


def kept_of(project: Path) -> tuple[KeptFacts, ...]:
    """What there is, newest first; files that are none are passed over."""
    found: list[KeptFacts] = []
    for path in files_of(project):
        try:
            with path.open(encoding="utf-8") as file:
                found.append(_facts(path, file.readline(100_000)))
        except (OSError, ValueError, FormatError):
            continue
    return tuple(found)


def _facts(path: Path, line: str) -> KeptFacts:
    try:
        head: dict[str, Any] = json.loads(line)
        if head["format"] != FORMAT or head["part"] not in (None, *PARTS):
            raise ValueError("another format")
        top1 = head["top1"]
        return KeptFacts(
            path=path, made_at_us=int(head["made_at_us"]), model=str(head["model"]),
            part=cast("Part | None", head["part"]), expression=str(head["expression"]),
            clips=int(head["clips"]), top1=None if top1 is None else float(top1),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(path, f"it is no evaluation of this version of vidlabel ({error}).") from error
