"""What the review page says, from what the service knows."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from vidlabel.core.words import ClipRow, ClipState
from vidlabel.services.review_words import Mark, Mode
from vidlabel.services.reviewing import Reviewing
from vidlabel.ui.parts.basics import percent


def _tr(words: str) -> str:
    return QCoreApplication.translate("ReviewPage", words)


def clips_words(number: int) -> str:
    """'1 clip', '2,345 clips'."""
    return _tr("1 clip") if number == 1 else _tr("{0} clips").format(f"{number:,}")


def head_line(reviewing: Reviewing) -> str:
    """What is on the page and what a click says."""
    if not reviewing.label or not reviewing.loaded:
        return ""
    clips = clips_words(reviewing.total)
    if reviewing.mode is Mode.DECIDED:
        return _tr("{0}, those first where the model says otherwise. Click what is not {1}.").format(
            clips, reviewing.label
        )
    if reviewing.least:
        return _tr("{0} from {1} on, surest first. Click what is not {2}.").format(
            clips, percent(reviewing.least), reviewing.label
        )
    return _tr("{0}, surest first. Click what is not {1}.").format(clips, reviewing.label)


def progress_line(reviewing: Reviewing) -> str:
    """Where in the review the screen is, and what came of it."""
    if not reviewing.loaded or not reviewing.total:
        return ""
    shown = len(reviewing.rows)
    begin, end = reviewing.place + 1, reviewing.place + shown
    where = _tr("{0} to {1} of {2}").format(f"{begin:,}", f"{end:,}", f"{reviewing.total:,}") if shown else ""
    done = _tr("{0} decided").format(f"{reviewing.accepted:,}") if reviewing.accepted else ""
    return " · ".join(filter(None, (where, done)))


def accept_words(reviewing: Reviewing) -> str:
    """The primary button."""
    clicked, total = reviewing.clicked, reviewing.open
    if reviewing.waiting:
        return _tr("Loading {0} of {1} …").format(reviewing.waiting, total)
    if reviewing.mode is Mode.DECIDED:
        if not clicked:
            return _tr("All are {0}: go on").format(reviewing.label)
        return _tr("Take {0} from {1} of {2}").format(reviewing.label, clicked, total)
    if not total:
        return _tr("Go on")
    if clicked == total:
        return _tr("None is {0}: go on").format(reviewing.label)
    return _tr("Accept {0} of {1} as {2}").format(total - clicked, total, reviewing.label)


def mark_words(mark: Mark, label: str) -> str:
    """What stands on a clicked tile."""
    return mark.label if mark.label is not None else _tr("not {0}").format(label)


def aside_words(row: ClipRow) -> str:
    """Why a tile is not decided about."""
    if row.state is ClipState.MISSING:
        return _tr("missing")
    if row.state in (ClipState.SUGGESTED, ClipState.UNDECIDED, ClipState.UNREADABLE):
        return _tr("cannot be shown")
    return f"{row.state.value}: {row.label}" if row.label else row.state.value


def spoken(row: ClipRow, reviewing: Reviewing) -> str:
    """A tile for a screen reader."""
    parts = [row.name]
    if row.suggested is not None and row.shown is not None and not reviewing.blind:
        parts.append(_tr("suggested {0}, {1}").format(row.suggested, percent(row.shown)))
    mark = reviewing.mark(row.clip_id)
    if not reviewing.is_open(row):
        parts.append(aside_words(row))
    elif mark is not None:
        parts.append(mark_words(mark, reviewing.label))
    elif reviewing.mode is Mode.SUGGESTED:
        parts.append(_tr("will be accepted"))
    return ", ".join(parts)
