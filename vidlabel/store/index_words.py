"""Searching a million paths for words: all names in one piece of memory, folders only once each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vidlabel.store.text import to_stored

Mask = NDArray[np.bool_]

_END = "\0"
"""No file name holds it."""
_AT_ONCE = 1 << 22


class Names:
    """The names of clips (without folders), by slot, searched whatever their case."""

    def __init__(self, pieces: Sequence[bytes], count: int) -> None:
        """Args:
        pieces: of :func:`folded`, one after the other.
        count: how many names they hold.
        """
        self._text = np.frombuffer(b"".join(pieces), np.uint8)
        ends = np.flatnonzero(self._text == 0)
        assert len(ends) == count
        self._starts = np.zeros(count, np.int32 if len(self._text) < 2**31 else np.int64)
        self._starts[1:] = ends[:-1] + 1
        self._often = np.zeros(256, np.int64)
        for begin in range(0, len(self._text), _AT_ONCE):
            self._often += np.bincount(self._text[begin : begin + _AT_ONCE], minlength=256)

    def holding(self, word: str) -> Mask:
        """The names with this word in them; shape (names,)."""
        found = np.zeros(len(self._starts), np.bool_)
        places = self._find(_bytes(word))
        found[np.searchsorted(self._starts, places, side="right") - 1] = True
        return found

    def beginning(self, word: str) -> Mask:
        """The names that begin with it; shape (names,)."""
        found = np.ones(len(self._starts), np.bool_)
        slots = np.arange(len(self._starts))
        wanted = _bytes(word)
        for offset, value in enumerate(wanted):
            # A name's end is no character of a word, so that no comparison goes beyond it and the last byte.
            slots = slots[self._text[self._starts[slots] + offset] == value]
        found[:] = False
        found[slots] = True
        return found

    def _find(self, wanted: bytes) -> NDArray[np.intp]:
        """Where in the text it begins. First its rarest byte is looked for, then the others around that."""
        rarest = min(range(len(wanted)), key=lambda at: self._often[wanted[at]])
        last = len(self._text) - len(wanted) + 1
        if last <= 0:
            return np.zeros(0, np.intp)
        places = np.flatnonzero(self._text[rarest : rarest + last] == wanted[rarest])
        for offset, value in enumerate(wanted):
            if offset != rarest:
                places = places[self._text[places + offset] == value]
        return places


def folded(names: Sequence[str]) -> bytes:
    """Names as stored, in the form in which :class:`Names` keeps them."""
    return (_END.join(names) + _END).casefold().encode() if names else b""


def _bytes(word: str) -> bytes:
    return to_stored(word.casefold()).encode()


def in_paths(word: str, names: Names, folders: Sequence[str], *, folder_of: NDArray[np.int32]) -> Mask:
    """The clips with this word or phrase in their path; shape (clips,).

    Args:
        word: not empty; without regard to case.
        names: by slot.
        folders: each folder once, as stored, whatever its root.
        folder_of: the clips' folders as places in ``folders``; shape (clips,).
    """
    wanted = to_stored(word.casefold())
    known = [folder.casefold() for folder in folders]
    found = np.array([wanted in folder for folder in known], np.bool_)[folder_of]
    before, slash, after = wanted.rpartition("/")
    if not slash:
        return found | names.holding(word)
    ends = np.array([folder.endswith(before) and folder != "" for folder in known], np.bool_)[folder_of]
    return found | (ends & names.beginning(after)) if after else found | ends
