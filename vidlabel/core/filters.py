"""The filter expression of the command line and of the window's filter field.

Terms are separated by spaces and all must hold; several values of one field mean any of them::

    fencing                        the word is in the path
    "long name"                    with a space in it
    state:suggested                a state; also state:decided and state:pending
    label:wave,kick  label:"a b"   the clip's label
    suggested:kick                 the first suggestion
    folder:day1/morning            in this folder (absolute, or relative to a root) or below it
    conf<0.4  conf>=80%            probability of the first suggestion
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from vidlabel.core.errors import FilterError
from vidlabel.core.words import DECIDED_STATES, PENDING_STATES, ClipQuery, ClipState

FIELDS = ("state", "label", "suggested", "folder", "conf")

_TERM = re.compile(r"(?P<name>[A-Za-z_]+)(?P<operator>:|<=|>=|<|>|=)")
_STATES = {state.value: state for state in ClipState}
_GROUPS = {"decided": DECIDED_STATES, "pending": PENDING_STATES}


@dataclass
class _Found:
    """What has been read so far."""

    words: list[str] = field(default_factory=list)
    states: set[ClipState] = field(default_factory=set)
    labels: set[str] = field(default_factory=set)
    suggested: set[str] = field(default_factory=set)
    folder: str = ""
    least: float | None = None
    most: float | None = None


@dataclass(frozen=True)
class _Value:
    text: str
    position: int


class _Reader:
    """Reads words and quoted values from left to right."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.position = 0

    def skip_spaces(self) -> bool:
        """Goes to the next term; False at the end."""
        while self.position < len(self.expression) and self.expression[self.position].isspace():
            self.position += 1
        return self.position < len(self.expression)

    def head(self) -> re.Match[str] | None:
        """``field:`` or ``field<`` where the next term begins so."""
        found = _TERM.match(self.expression, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def value(self, *, until: str = "") -> _Value:
        """One value, quoted or up to a space or one of the characters in ``until``."""
        start = self.position
        if self.expression[start : start + 1] == '"':
            return self._quoted()
        while self.position < len(self.expression):
            character = self.expression[self.position]
            if character.isspace() or character in until:
                break
            self.position += 1
        return _Value(self.expression[start : self.position], start)

    def values(self) -> list[_Value]:
        """Values separated by commas."""
        found = [self.value(until=",")]
        while self.expression[self.position : self.position + 1] == ",":
            self.position += 1
            found.append(self.value(until=","))
        for value in found:
            if not value.text:
                raise self.error(value.position, "a value is missing here.")
        return found

    def error(self, position: int, reason: str) -> FilterError:
        return FilterError(self.expression, position, reason)

    def _quoted(self) -> _Value:
        start = self.position
        text = ""
        at = start + 1
        while at < len(self.expression):
            character = self.expression[at]
            if character == "\\" and self.expression[at + 1 : at + 2] in ('"', "\\"):
                text += self.expression[at + 1]
                at += 2
                continue
            if character == '"':
                self.position = at + 1
                return _Value(text, start)
            text += character
            at += 1
        raise self.error(start, 'the closing " is missing.')


def parse(expression: str, *, base: ClipQuery | None = None) -> ClipQuery:
    """The query that a filter expression means.

    Args:
        expression: as in this module's description; empty means every clip.
        base: where sorting is taken from; its own filters are replaced.

    Raises:
        FilterError: with the position of what cannot be understood, in words for the person.
    """
    reader = _Reader(expression)
    found = _Found()
    while reader.skip_spaces():
        start = reader.position
        head = reader.head()
        if head is None:
            found.words.append(reader.value().text)
        else:
            _field(reader, found, head, start=start)
    if found.least is not None and found.most is not None and found.least > found.most:
        raise reader.error(0, "no confidence is within both bounds.")
    return replace(
        base or ClipQuery(),
        text=" ".join(_as_typed(word) for word in found.words if word),
        states=frozenset(found.states),
        labels=frozenset(found.labels),
        suggested=frozenset(found.suggested),
        folder=found.folder,
        min_probability=found.least,
        max_probability=found.most,
    )


def text_words(text: str) -> tuple[str, ...]:
    """The words and quoted phrases of a query's ``text``, each of which must be in the path.

    Never fails: a quotation mark that is not closed is taken as it stands.
    """
    reader = _Reader(text)
    found: list[str] = []
    while reader.skip_spaces():
        try:
            found.append(reader.value().text)
        except FilterError:
            found += text[reader.position :].split()
            break
    return tuple(word for word in found if word)


def _as_typed(word: str) -> str:
    """A word as :func:`text_words` reads it back: in quotation marks where it needs them."""
    if word[0] != '"' and not any(character.isspace() for character in word):
        return word
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _field(reader: _Reader, found: _Found, head: re.Match[str], *, start: int) -> None:
    name, operator = head["name"].lower(), head["operator"]
    if name not in FIELDS:
        known = ", ".join(FIELDS)
        raise reader.error(
            start, f"there is no field '{head['name']}' ({known}); quote it to search the path for it."
        )
    if name == "conf":
        _bound(reader, found, operator, at=head.start("operator"))
        return
    if operator != ":":
        raise reader.error(head.start("operator"), f"'{name}' takes a colon: {name}:VALUE.")
    _SETTERS[name](reader, found)


def _bound(reader: _Reader, found: _Found, operator: str, *, at: int) -> None:
    if operator == ":":
        raise reader.error(at, "'conf' is compared: conf<0.4, conf>=0.8.")
    value = reader.value()
    number = _probability(reader, value)
    if operator in (">", ">=", "="):
        least = math.nextafter(number, math.inf) if operator == ">" else number
        found.least = least if found.least is None else max(found.least, least)
    if operator in ("<", "<=", "="):
        most = math.nextafter(number, -math.inf) if operator == "<" else number
        found.most = most if found.most is None else min(found.most, most)


def _probability(reader: _Reader, value: _Value) -> float:
    percent = value.text.endswith("%")
    try:
        number = float(value.text.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise reader.error(value.position, "a confidence is a number from 0 to 1, or a percentage.")
    return number


def _take_states(reader: _Reader, found: _Found) -> None:
    for value in reader.values():
        word = value.text.lower()
        if word in _GROUPS:
            found.states |= _GROUPS[word]
        elif word in _STATES:
            found.states.add(_STATES[word])
        else:
            known = ", ".join([*_STATES, *_GROUPS])
            raise reader.error(value.position, f"there is no state '{value.text}'. States are {known}.")


def _take_labels(reader: _Reader, found: _Found) -> None:
    found.labels |= {value.text for value in reader.values()}


def _take_suggested(reader: _Reader, found: _Found) -> None:
    found.suggested |= {value.text for value in reader.values()}


def _take_folder(reader: _Reader, found: _Found) -> None:
    value = reader.value()
    folder = value.text.replace(os.sep, "/")
    folder = folder.rstrip("/") or folder[:1]
    if not folder:
        raise reader.error(value.position, "a folder is missing here.")
    if found.folder and found.folder != folder:
        raise reader.error(value.position, "a clip is in one folder only; name it once.")
    found.folder = folder


_SETTERS: dict[str, Callable[[_Reader, _Found], None]] = {
    "state": _take_states,
    "label": _take_labels,
    "suggested": _take_suggested,
    "folder": _take_folder,
}
