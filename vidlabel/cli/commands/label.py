"""``vidlabel label``: give a clip a label."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from vidlabel.cli.context import Use, annotator_or_user, clips_of, open_project
from vidlabel.cli.labels import known_label
from vidlabel.cli.marking import Marked, by_times, whole_of
from vidlabel.cli.output import Output
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import MediaError, UsageError
from vidlabel.core.time import us_from_seconds
from vidlabel.core.words import ClipRow, ClipState, DecisionKind, NewDecision
from vidlabel.interop.jsonl import row_json
from vidlabel.interop.records import paths_of


def run(arguments: Namespace, output: Output) -> int:
    """Writes one decision and answers the clip as it is then."""
    part = _part(arguments.start, arguments.end)
    annotator = annotator_or_user(arguments.annotator)
    with open_project(arguments.project, use=Use.WRITE) as store:
        label = known_label(store, arguments.label)
        scan_roots(store, output)
        marked = _marked(clips_of(store, arguments.video), part)
        clip_id = marked.clip_id(store)
        # No suggestion was on a screen here, so this is 'labelled' whatever the model says.
        decision = NewDecision(clip_id=clip_id, kind=DecisionKind.LABELLED, label=label)
        store.decide([decision], annotator=annotator)
        (row,) = store.clip_rows([clip_id])
        (paths,) = paths_of(store, [row])
    output.answer(row_json(row, paths), [f"{row.path}: {row.label}"])
    return 0


def _part(start: float | None, end: float | None) -> tuple[int, int] | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise UsageError("--start and --end go together: seconds from the video's first frame.")
    if us_from_seconds(end) <= us_from_seconds(start):
        raise UsageError("--end must be after --start.")
    return us_from_seconds(start), us_from_seconds(end)


def _marked(rows: tuple[ClipRow, ...], part: tuple[int, int] | None) -> Marked:
    if part is not None:
        return by_times(rows, *part)
    whole = whole_of(rows)
    if whole.state in (ClipState.MISSING, ClipState.UNREADABLE):
        raise MediaError(Path(whole.path), whole.reason or whole.state.value)
    return Marked(whole, whole, whole.start_us, whole.end_us)
