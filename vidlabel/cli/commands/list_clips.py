"""``vidlabel list``: clips with state, label and suggestion."""

from __future__ import annotations

from argparse import Namespace

from vidlabel.cli.context import Use, clips, open_project
from vidlabel.cli.output import Output
from vidlabel.core.filters import parse
from vidlabel.core.time import timecode
from vidlabel.core.words import ClipQuery, ClipRow, QueueOrder
from vidlabel.interop.jsonl import row_json
from vidlabel.interop.records import paths_of


def run(arguments: Namespace, output: Output) -> int:
    """Answers the clips that the filter lets through, in the order asked for."""
    base = ClipQuery(sort=arguments.sort, descending=arguments.descending, order=QueueOrder(arguments.order))
    query = parse(arguments.filter, base=base)
    with open_project(arguments.project, use=Use.READ) as store:
        if not store.roots():
            output.log(
                "vidlabel: this project watches no folder yet; `vidlabel scan PROJECT FOLDER` adds one."
            )
        elif store.counts().total == 0:
            output.log(f"vidlabel: no videos yet; `vidlabel scan {arguments.project}` looks for them.")
        rows = list(clips(store, query))
        counts = store.counts()
        paths = paths_of(store, rows) if output.as_json else []
    document = {
        "clips": [row_json(*both) for both in zip(rows, paths, strict=output.as_json)],
        "counts": {
            "clips": counts.total,
            "decided": counts.decided,
            "pending": counts.pending,
            "by_state": {state.value: count for state, count in counts.by_state.items() if count},
            "by_label": {label: count for label, count in counts.by_label.items() if count},
        },
    }
    output.answer(
        document, [*map(_line, rows), f"{len(rows)} of {counts.total} clips, {counts.decided} decided"]
    )
    return 0


def _line(row: ClipRow) -> str:
    part = "" if row.whole else f" [{timecode(row.start_us)} - {timecode(row.end_us)}]"
    suggested = "" if row.suggested is None else f"{row.suggested} {row.shown or 0:.0%}"
    words = row.reason if row.reason else (row.label or "")
    return f"{row.state.value:<10} {words:<16} {suggested:<22} {row.path}{part}".rstrip()
