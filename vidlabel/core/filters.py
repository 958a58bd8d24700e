"""The filter expression of the command line and of the window's filter field.

Terms are separated by spaces and all must hold; several values of one field mean any of them::

    fencing                        the word is in the path
    "long name"                    with a space in it
    state:suggested                a state; also state:decided and state:pending
    label:wave,kick  label:"a b"   the clip's label
    suggested:kick                 the first suggestion
    folder:day1/morning            in this folder (absolute, or relative to a root) or below it
    conf<0.4  conf>=80%            confidence of the first suggestion
    annotator:ana                  who made the decision in force
    date:2026-11-02  date>=2026-11-02   when it was made, by days of the place the program runs in
    duration<3s  duration>=1:30    how long the clip is (3s, 200ms, 2m, 1:30)
    split:test                     dealt to train, validation or test by the snapshots so far
    disagree:yes                   the label is another than the first suggestion; with no: the same
    flag:yes  note:yes             flagged, with a note
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vidlabel.core.errors import FilterError
from vidlabel.core.filter_reader import Reader, quoted
from vidlabel.core.filter_values import day_bounds, day_of, duration_of, probability_of, yes_or_no
from vidlabel.core.words import CLIP_PARTS, DECIDED_STATES, PENDING_STATES, ClipQuery, ClipState

COMPARED = ("conf", "duration", "date")
"""Fields that take <, <=, >, >= and =; ``date`` also a colon."""

GROUPS = {"decided": DECIDED_STATES, "pending": PENDING_STATES}
"""Words that mean several states."""

_STATES = {state.value: state for state in ClipState}


@dataclass
class _Range:
    """Bounds that several terms narrow."""

    least: float | None = None
    most: float | None = None

    def narrow(self, least: float | None, most: float | None) -> None:
        if least is not None:
            self.least = least if self.least is None else max(self.least, least)
        if most is not None:
            self.most = most if self.most is None else min(self.most, most)

    @property
    def empty(self) -> bool:
        return self.least is not None and self.most is not None and self.least > self.most

    def whole(self) -> tuple[int | None, int | None]:
        """The bounds as whole numbers, both included."""
        return (
            None if self.least is None else math.ceil(self.least),
            None if self.most is None else math.floor(self.most),
        )


@dataclass
class _Found:
    """What has been read so far."""

    words: list[str] = field(default_factory=list)
    states: set[ClipState] = field(default_factory=set)
    names: dict[str, set[str]] = field(default_factory=dict)
    answers: dict[str, bool] = field(default_factory=dict)
    folder: str = ""
    conf: _Range = field(default_factory=_Range)
    duration: _Range = field(default_factory=_Range)
    date: _Range = field(default_factory=_Range)

    def named(self, name: str) -> frozenset[str]:
        return frozenset(self.names.get(name, ()))


def parse(expression: str, *, base: ClipQuery | None = None) -> ClipQuery:
    """The query that a filter expression means.

    Args:
        expression: as in this module's description; empty means every clip.
        base: where sorting is taken from; its own filters are replaced.

    Raises:
        FilterError: with the position of what cannot be understood, in words for the person.
    """
    reader = Reader(expression)
    found = _Found()
    while reader.skip_spaces():
        start = reader.position
        head = reader.head()
        if head is None:
            found.words.append(reader.value().text)
        else:
            _field(reader, found, head["name"], head["operator"], start)
    return _query(reader, found, base or ClipQuery())


def _query(reader: Reader, found: _Found, base: ClipQuery) -> ClipQuery:
    shortest, longest = found.duration.whole()
    since, before = found.date.whole()
    if found.conf.empty:
        raise reader.error(0, "no confidence is within both bounds.")
    if shortest is not None and longest is not None and shortest > longest:
        raise reader.error(0, "no duration is within both bounds.")
    if since is not None and before is not None and since >= before:
        raise reader.error(0, "no day is within both bounds.")
    return replace(
        base,
        text=" ".join(quoted(word) for word in found.words if word),
        states=frozenset(found.states),
        labels=found.named("label"),
        suggested=found.named("suggested"),
        folder=found.folder,
        min_probability=found.conf.least,
        max_probability=found.conf.most,
        annotators=found.named("annotator"),
        decided_from_us=since,
        decided_to_us=before,
        min_duration_us=shortest,
        max_duration_us=longest,
        parts=found.named("split"),
        disagrees=found.answers.get("disagree"),
        flagged=found.answers.get("flag"),
        noted=found.answers.get("note"),
    )


def text_words(text: str) -> tuple[str, ...]:
    """The words and quoted phrases of a query's ``text``, each of which must be in the path.

    Never fails: a quotation mark that is not closed is taken as it stands.
    """
    reader = Reader(text)
    found: list[str] = []
    while reader.skip_spaces():
        try:
            found.append(reader.value().text)
        except FilterError:
            found += text[reader.position :].split()
            break
    return tuple(word for word in found if word)


def _field(reader: Reader, found: _Found, written: str, operator: str, start: int) -> None:
    name, at = written.lower(), start + len(written)
    if name not in FIELDS:
        known = ", ".join(FIELDS)
        raise reader.error(
            start, f"there is no field '{written}' ({known}); quote it to search the path for it."
        )
    if name == "date":
        day = day_of(reader, reader.value())
        found.date.narrow(*day_bounds(day, operator))
    elif name in COMPARED:
        _bound(reader, found, name, operator=operator, at=at)
    elif operator != ":":
        raise reader.error(at, f"'{name}' takes a colon: {name}:VALUE.")
    elif name in _SETTERS:
        _SETTERS[name](reader, found)
    elif name in ANSWERED:
        found.answers[name] = yes_or_no(reader, reader.value())
    else:
        found.names.setdefault(name, set()).update(value.text for value in reader.values())


def _bound(reader: Reader, found: _Found, name: str, *, operator: str, at: int) -> None:
    if operator == ":":
        like = "conf<0.4, conf>=0.8" if name == "conf" else "duration<3s, duration>=1:30"
        raise reader.error(at, f"'{name}' is compared: {like}.")
    value = reader.value()
    number: float
    if name == "conf":
        number = probability_of(reader, value)
        above, below = math.nextafter(number, math.inf), math.nextafter(number, -math.inf)
    else:
        number = duration_of(reader, value)
        above, below = number + 1, number - 1
    least = {">": above, ">=": number, "=": number}.get(operator)
    most = {"<": below, "<=": number, "=": number}.get(operator)
    (found.conf if name == "conf" else found.duration).narrow(least, most)


def _take_states(reader: Reader, found: _Found) -> None:
    for value in reader.values():
        word = value.text.lower()
        if word in GROUPS:
            found.states |= GROUPS[word]
        elif word in _STATES:
            found.states.add(_STATES[word])
        else:
            known = ", ".join([*_STATES, *GROUPS])
            raise reader.error(value.position, f"there is no state '{value.text}'. States are {known}.")


def _take_folder(reader: Reader, found: _Found) -> None:
    value = reader.value()
    folder = value.text.replace(os.sep, "/")
    folder = folder.rstrip("/") or folder[:1]
    if not folder:
        raise reader.error(value.position, "a folder is missing here.")
    if found.folder and found.folder != folder:
        raise reader.error(value.position, "a clip is in one folder only; name it once.")
    found.folder = folder


def _take_parts(reader: Reader, found: _Found) -> None:
    for value in reader.values():
        if value.text.lower() not in CLIP_PARTS:
            known = ", ".join(CLIP_PARTS)
            raise reader.error(value.position, f"there is no part '{value.text}'. Parts are {known}.")
        found.names.setdefault("split", set()).add(value.text.lower())


_SETTERS: dict[str, Callable[[Reader, _Found], None]] = {
    "state": _take_states,
    "folder": _take_folder,
    "split": _take_parts,
}

NAMED = ("label", "suggested", "annotator")
"""Fields whose values are names, any of which may hold."""

ANSWERED = ("disagree", "flag", "note")
"""Fields that take yes or no."""

FIELDS = (
    "state", "label", "suggested", "folder", "conf", "annotator", "date", "duration", "split", *ANSWERED,
)  # fmt: skip
"""Every field, in the order in which a person meets them."""
