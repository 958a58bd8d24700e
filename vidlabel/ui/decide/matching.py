"""Which labels fit what was typed, best first."""

from __future__ import annotations

from collections.abc import Sequence

FUZZY_FROM = 3
"""Below so many letters a typing error cannot be told from another word."""
FUZZY_LEAST = 72.0


def plain(text: str) -> str:
    """A text as it is compared: small letters, one kind of separator."""
    return " ".join(text.casefold().replace("_", " ").replace("-", " ").split())


def match(typed: str, labels: Sequence[str], recent: Sequence[str] = ()) -> list[str]:
    """The labels that fit, best first.

    Args:
        typed: what stands in the field; empty fits every label.
        labels: the label set in its order.
        recent: recently given labels, newest first; among equally good matches they go first.

    A label that begins with the text beats one with a word that does, that beats one that contains
    it, and that beats one with a typing error.
    """
    newest = {name: index for index, name in enumerate(recent)}
    wanted = plain(typed)
    if not wanted:
        known = set(labels)
        first = [name for name in recent if name in known]
        return first + [name for name in labels if name not in newest]
    ranked: list[tuple[int, int, int, str]] = []
    rest: list[tuple[int, str]] = []
    for index, name in enumerate(labels):
        words = plain(name)
        if words == wanted:
            grade = 0
        elif words.startswith(wanted):
            grade = 1
        elif any(word.startswith(wanted) for word in words.split()):
            grade = 2
        elif wanted in words:
            grade = 3
        else:
            rest.append((index, name))
            continue
        ranked.append((grade, newest.get(name, len(newest)), index, name))
    found = [name for *_, name in sorted(ranked)]
    return found + _with_errors(wanted, rest)


def _with_errors(wanted: str, rest: Sequence[tuple[int, str]]) -> list[str]:
    if len(wanted) < FUZZY_FROM or not rest:
        return []
    # Imported at the first typing error: start-up is spared it.
    from rapidfuzz import fuzz

    scored = [(fuzz.WRatio(wanted, plain(name)), index, name) for index, name in rest]
    good = sorted((-score, index, name) for score, index, name in scored if score >= FUZZY_LEAST)
    return [name for *_, name in good]
