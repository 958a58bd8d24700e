"""What a person may be about to type into the filter field."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from vidlabel.core.filter_reader import quoted
from vidlabel.core.filters import ANSWERED, COMPARED, FIELDS, GROUPS
from vidlabel.core.time import today
from vidlabel.core.words import CLIP_PARTS, ClipState

MOST = 12
"""So many choices are offered at most."""

_TERM = re.compile(
    r"""(?P<name>[A-Za-z_]*)(?P<operator>:|<=|>=|<|>|=)?(?P<values>(?:"(?:\\.|[^"\\])*"?|[^\s"])*)$""",
    re.ASCII,
)
_LAST_VALUE = re.compile(r'(?:"(?:\\.|[^"\\])*"?|[^,"])*$')
_LIKELY = {
    "conf": ("conf<0.4", "conf>=0.8", "conf<50%"),
    "duration": ("duration<3s", "duration>=1:30", "duration<200ms"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilterFacts:
    """The names a project has, each in the order in which they should be offered."""

    labels: tuple[str, ...] = ()
    suggested: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    annotators: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """``text`` replaces what is being typed; ``words`` is what a list shows (the value, or the field)."""

    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Completions:
    """The choices, and which part of the expression one of them replaces (``start`` to ``end``)."""

    start: int
    end: int
    choices: tuple[Completion, ...]


def completions(expression: str, cursor: int, facts: FilterFacts) -> Completions:
    """What can stand at the cursor instead of the term that ends there; no choices where nothing fits.

    Args:
        expression: what stands in the field.
        cursor: the place of the cursor in it, 0 to its length.
        facts: the names of the project.
    """
    start = _term_start(expression[:cursor])
    typed = expression[start:cursor]
    found = _TERM.match(typed)
    if found is None:
        return Completions(cursor, cursor, ())
    name, operator = found["name"].lower(), found["operator"]
    if operator is None:
        choices = _fields(name) if not found["values"] else iter(())
    elif name not in FIELDS:
        choices = iter(())
    elif operator != ":" or name in COMPARED:
        choices = _compared(name, typed)
    else:
        last = _LAST_VALUE.search(found["values"])
        assert last is not None
        start += found.start("values") + last.start()
        choices = _values(name, last[0], facts)
    found_some = tuple(choice for choice, _ in zip(choices, range(MOST), strict=False))
    # What is complete already needs no offer of itself.
    offered = tuple(choice for choice in found_some if choice.text != expression[start:cursor])
    return Completions(start, cursor, offered)


def _term_start(before: str) -> int:
    """Where the term begins that is being typed, with regard to spaces in quotation marks."""
    start, inside, escaped = 0, False, False
    for place, mark in enumerate(before):
        if escaped:
            escaped = False
        elif inside and mark == "\\":
            escaped = True
        elif mark == '"':
            inside = not inside
        elif mark.isspace() and not inside:
            start = place + 1
    return start


def _fields(typed: str) -> Iterator[Completion]:
    for field in FIELDS:
        if field.startswith(typed):
            yield Completion(f"{field}{'<' if field in _LIKELY else ':'}", field)


def _compared(name: str, typed: str) -> Iterator[Completion]:
    if name == "date":
        days = [today() - timedelta(days=back) for back in (0, 1, 7, 30)]
        likely: Iterable[str] = [f"date:{days[0]}", f"date:{days[1]}", *(f"date>={day}" for day in days)]
    else:
        likely = _LIKELY[name]
    for text in likely:
        if text.startswith(typed.lower()):
            yield Completion(text, text)


def _values(name: str, typed: str, facts: FilterFacts) -> Iterator[Completion]:
    also = "" if name == "folder" else ","
    wanted = typed.removeprefix('"').removesuffix('"').replace('\\"', '"').casefold()
    names = _names(name, facts)
    begins = [value for value in names if value.casefold().startswith(wanted)]
    inside = [
        value for value in names if wanted in value.casefold() and not value.casefold().startswith(wanted)
    ]
    for value in (*begins, *inside):
        yield Completion(quoted(value, also=also), value)


def _names(name: str, facts: FilterFacts) -> tuple[str, ...]:
    match name:
        case "state":
            return (*GROUPS, *(state.value for state in ClipState))
        case "label":
            return facts.labels
        case "suggested":
            return facts.suggested or facts.labels
        case "folder":
            return tuple(folder for folder in facts.folders if folder)
        case "annotator":
            return facts.annotators
        case "split":
            return CLIP_PARTS
        case _:
            return ("yes", "no") if name in ANSWERED else ()
