"""From rows of a file to decisions of a project: matched first, written after; a dry run says the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from vidlabel.cli.context import clips_of
from vidlabel.cli.labels import known_label
from vidlabel.cli.marking import Marked, by_frames, by_times, whole_of
from vidlabel.core.errors import VidlabelError
from vidlabel.core.words import ClipRow, DecisionKind, NewDecision
from vidlabel.interop.record import ImportedRow
from vidlabel.interop.report import Problem
from vidlabel.store.label_plan import clean_name
from vidlabel.store.project_store import ProjectStore


@dataclass(frozen=True, slots=True)
class Planned:
    """A decision to be written, for a clip that is there or is to be marked."""

    row: ImportedRow
    clip: Marked


@dataclass(slots=True)
class Plan:
    """What an import will do.

    Attributes:
        decisions: to be written, in the order of the file.
        labels: to be added to the label set.
        unchanged: rows that say what the project says already.
        nothing_said: rows without a label or decision.
        replaced: rows that give a decided clip another label.
        problems: rows left out, with the reason.
    """

    decisions: list[Planned] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    unchanged: int = 0
    nothing_said: int = 0
    replaced: int = 0
    problems: list[Problem] = field(default_factory=list)

    @property
    def new_clips(self) -> int:
        """Parts of videos that are to be marked."""
        return len(
            {
                (one.clip.video.clip_id, one.clip.start_us, one.clip.end_us)
                for one in self.decisions
                if one.clip.row is None
            }
        )


def plan(
    store: ProjectStore, rows: Sequence[ImportedRow], *, beside: Path, known_labels_only: bool = False
) -> Plan:
    """Matches rows with the clips of a project; nothing is written.

    Args:
        store: the project, scanned.
        rows: as read.
        beside: the folder of the file, for videos named relative to it.
        known_labels_only: rows whose label is not in the label set are refused; else it is to be added.
    """
    found = Plan()
    names = _Names(store, known_only=known_labels_only)
    latest: dict[tuple[int, int, int], Planned] = {}
    for row in rows:
        if row.kind is None:
            found.nothing_said += 1
            continue
        try:
            clip = _clip(store, row, beside)
            row = replace(row, label=names.today(row.label))
        except VidlabelError as error:
            found.problems.append(Problem(row.line, str(error), video=row.video))
            continue
        _note(found, latest, Planned(row, clip))
    for planned in latest.values():
        _sort_in(found, store, planned)
    used = dict.fromkeys(one.row.label for one in found.decisions)
    found.labels = [label for label in used if label is not None and label in names.new]
    return found


class _Names:
    """Labels as a file calls them, and as the project does."""

    def __init__(self, store: ProjectStore, *, known_only: bool) -> None:
        self._store = store
        self._known_only = known_only
        self._today: dict[str, str] = {}
        self.new: set[str] = set()

    def today(self, name: str | None) -> str | None:
        """What the project calls the label; one that it does not have is among ``new`` then.

        Raises:
            UnknownLabelError: it is to have it already.
            VidlabelError: no label can be called so.
        """
        if name is None or name in self._today:
            return None if name is None else self._today[name]
        if self._known_only:
            today = known_label(self._store, name)
        else:
            known = self._store.find_label(name)
            today = clean_name(name) if known is None else known.name
            if not today:
                raise VidlabelError("the label has characters that cannot be printed")
            if known is None or known.retired:
                self.new.add(today)
        self._today[name] = today
        return today


def _clip(store: ProjectStore, row: ImportedRow, beside: Path) -> Marked:
    clips = clips_of(store, row.video, beside=beside)
    if row.start_us is not None and row.end_us is not None:
        return by_times(clips, row.start_us, row.end_us)
    if row.start_frame is not None and row.end_frame is not None:
        return by_frames(clips, row.start_frame, row.end_frame)
    whole = whole_of(clips)
    return Marked(whole, whole, whole.start_us, whole.end_us)


def _note(found: Plan, latest: dict[tuple[int, int, int], Planned], planned: Planned) -> None:
    """Keeps one row a clip, so that importing the same file again finds everything as it is."""
    key = (planned.clip.video.video_id, planned.clip.start_us, planned.clip.end_us)
    before = latest.get(key)
    if before is not None and (before.row.label, before.row.kind) != (planned.row.label, planned.row.kind):
        found.problems.append(_twice(before.row, planned.row))
    elif before is not None:
        found.unchanged += 1
    latest[key] = planned


def _twice(before: ImportedRow, row: ImportedRow) -> Problem:
    where = f"as {row.video}" if row.of_folder else f"on line {row.line}"
    later = "that one" if row.of_folder else "the later line"
    words = f"the clip is there again {where} with another label; {later} counts"
    return Problem(before.line, words, video=before.video)


def _sort_in(found: Plan, store: ProjectStore, planned: Planned) -> None:
    clip = planned.clip.row
    if clip is not None and _says_the_same(store, planned.row, clip):
        found.unchanged += 1
        return
    if clip is not None and clip.label is not None and clip.label != planned.row.label:
        found.replaced += 1
    found.decisions.append(planned)


def _says_the_same(store: ProjectStore, row: ImportedRow, clip: ClipRow) -> bool:
    """Whether what is decided about the clip is what the row says, as far as the row says it."""
    newest = next(iter(store.history(clip.clip_id)), None)
    if newest is None or newest.kind is DecisionKind.WITHDRAWN or clip.label != row.label:
        return False
    if (row.state_given or row.label is None) and newest.kind is not row.kind:
        return False
    if row.annotator is not None and clip.annotator != row.annotator:
        return False
    if row.decided_at_us is None:
        return True
    # Files hold milliseconds.
    return clip.decided_at_us is not None and abs(clip.decided_at_us - row.decided_at_us) < 1_000


def carry_out(store: ProjectStore, planned: Plan, *, annotator: str) -> int:
    """Writes what was planned as one step, which one undo takes back; answers how many decisions."""
    for label in planned.labels:
        store.add_label(label)
    decisions = [_decision(store, one) for one in planned.decisions]
    if decisions:
        store.decide(decisions, annotator=annotator)
    return len(decisions)


def _decision(store: ProjectStore, planned: Planned) -> NewDecision:
    clip, row = planned.clip, planned.row
    assert row.kind is not None
    return NewDecision(
        clip_id=clip.clip_id(store),
        kind=row.kind,
        label=row.label,
        imported=True,
        decided_at_us=row.decided_at_us,
        annotator=row.annotator,
    )
