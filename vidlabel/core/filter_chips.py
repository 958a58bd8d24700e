"""A query's filters one by one: as terms of the filter expression, each of which can be taken away."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from vidlabel.core.filter_reader import quoted
from vidlabel.core.filter_values import begin_us
from vidlabel.core.filters import GROUPS, text_words
from vidlabel.core.time import US_PER_SECOND
from vidlabel.core.words import ClipQuery, ClipState

_SETS: tuple[tuple[str, Literal["labels", "suggested", "annotators", "parts"]], ...] = (
    ("label", "labels"),
    ("suggested", "suggested"),
    ("annotator", "annotators"),
    ("split", "parts"),
)
_ANSWERS: tuple[tuple[str, Literal["disagrees", "flagged", "noted"]], ...] = (
    ("disagree", "disagrees"),
    ("flag", "flagged"),
    ("note", "noted"),
)


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter that is on. ``field`` is that of the expression, 'text' for a word, 'chosen' for picked clips.

    ``text`` is the term as one would type it (of picked clips the words that say what they have in common);
    ``without`` the same query without it, sorted as before.
    """

    field: str
    text: str
    without: ClipQuery


def expression(query: ClipQuery) -> str:
    """What one would type for the query's filters; picked clips cannot be typed and are left out."""
    several: dict[str, list[str]] = {}
    terms: list[str] = []
    for chip in chips(replace(query, chosen=None)):
        if chip.field in ("state", *(name for name, _ in _SETS)):
            name, _, value = chip.text.partition(":")
            if name not in several:
                terms.append(name)
            several.setdefault(name, []).append(value)
        else:
            terms.append(chip.text)
    return " ".join(f"{term}:{','.join(several[term])}" if term in several else term for term in terms)


def chips(query: ClipQuery) -> tuple[Chip, ...]:
    """Every filter of the query; of several values of one field each is one."""
    return tuple(_chips(query))


def _chips(query: ClipQuery) -> Iterator[Chip]:
    if query.chosen is not None:
        sort = "queue" if query.sort == "chosen" else query.sort
        yield Chip("chosen", query.chosen.words, replace(query, chosen=None, sort=sort))
    yield from _states(query)
    for name, attribute in _SETS:
        values = getattr(query, attribute)
        for value in sorted(values):
            text = f"{name}:{quoted(value, also=',')}"
            yield Chip(name, text, _with(query, attribute, values - {value}))
    if query.folder:
        yield Chip("folder", f"folder:{quoted(query.folder)}", replace(query, folder=""))
    yield from _bounds(query)
    for name, answered in _ANSWERS:
        answer = getattr(query, answered)
        if answer is not None:
            yield Chip(name, f"{name}:{'yes' if answer else 'no'}", _with(query, answered, None))
    words = text_words(query.text)
    for place, word in enumerate(words):
        others = " ".join(quoted(other) for other in (*words[:place], *words[place + 1 :]))
        yield Chip("text", quoted(word, also=":<>="), replace(query, text=others))


def _with(query: ClipQuery, attribute: str, value: object) -> ClipQuery:
    changed: dict[str, object] = {attribute: value}
    return replace(query, **changed)  # type: ignore[arg-type]


def _states(query: ClipQuery) -> Iterator[Chip]:
    left = query.states
    for word, group in GROUPS.items():
        if group <= left:
            left -= group
            yield Chip("state", f"state:{word}", replace(query, states=query.states - group))
    for state in ClipState:
        if state in left:
            yield Chip("state", f"state:{state.value}", replace(query, states=query.states - {state}))


def _bounds(query: ClipQuery) -> Iterator[Chip]:
    least, most = query.min_probability, query.max_probability
    if least is not None and least == most:
        yield Chip("conf", f"conf={least:.15g}", replace(query, min_probability=None, max_probability=None))
    else:
        if least is not None:
            yield Chip("conf", f"conf>{_number(least, -math.inf)}", replace(query, min_probability=None))
        if most is not None:
            yield Chip("conf", f"conf<{_number(most, math.inf)}", replace(query, max_probability=None))
    shortest, longest = query.min_duration_us, query.max_duration_us
    if shortest is not None and shortest == longest:
        without = replace(query, min_duration_us=None, max_duration_us=None)
        yield Chip("duration", f"duration={_length(shortest)}", without)
    else:
        if shortest is not None:
            text = _compared(shortest, -1)
            yield Chip("duration", f"duration>{text}", replace(query, min_duration_us=None))
        if longest is not None:
            text = _compared(longest, 1)
            yield Chip("duration", f"duration<{text}", replace(query, max_duration_us=None))
    yield from _days(query)


def _number(bound: float, outwards: float) -> str:
    """A bound after its sign: '0.4' where it is just inside 0.4, else '=0.4'."""
    outside = math.nextafter(bound, outwards)
    return repr(outside) if len(repr(outside)) < len(repr(bound)) else f"={bound!r}"


def _compared(bound: int, outwards: int) -> str:
    outside = bound + outwards
    return _length(outside) if len(_length(outside)) < len(_length(bound)) else f"={_length(bound)}"


def _length(us: int) -> str:
    if us % US_PER_SECOND == 0:
        return f"{us // US_PER_SECOND}s"
    return f"{us // 1000}ms" if us % 1000 == 0 else f"{us / 1000}ms"


def _days(query: ClipQuery) -> Iterator[Chip]:
    since, before = query.decided_from_us, query.decided_to_us
    first = None if since is None else datetime.fromtimestamp(since / US_PER_SECOND).date()
    if first is not None and before == begin_us(first + timedelta(days=1)):
        yield Chip("date", f"date:{first}", replace(query, decided_from_us=None, decided_to_us=None))
        return
    if first is not None:
        yield Chip("date", f"date>={first}", replace(query, decided_from_us=None))
    if before is not None:
        end = datetime.fromtimestamp(before / US_PER_SECOND).date()
        yield Chip("date", f"date<{end}", replace(query, decided_to_us=None))
