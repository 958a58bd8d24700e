"""Clips that show nearly the same: re-encoded copies and cuts of one take, found by their embeddings.

Two clips count as near-duplicates where their embeddings point the same way, both as they are and measured
against how the clips at hand differ from one another: of a hundred silhouettes all look alike to a network, and
only the second measure tells copies from mere likeness.

Up to ``EXACT`` clips every pair is compared. Beyond, clips are sorted by random projections again and again and
compared with those around them, which finds nearly all: a million clips are compared with 6 thousand others
each instead of a million. Only a short random projection of each embedding is compared first.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vidlabel.core.errors import StoppedError
from vidlabel.store.embeddings import Embeddings

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

ALIKE = 0.95
"""Cosine of the embeddings as they are. Of 80 pairs of a clip and its re-encoded copy 92 % reached it, of 27,785
pairs of different recordings none (HMDB51 and UCF101 clips, bundled model)."""
ALIKE_HERE = 0.90
"""The same after each number was measured by its mean and spread over the clips at hand."""
ENOUGH = 100
"""Fewer clips have no spread worth measuring by."""
EXACT = 20_000
MOST = 0.3
"""A group of more than this share of all clips is no group of copies: the bounds are drawn tighter."""

_SHORT = 128
_MARGIN = 0.08
_BLOCK = 256
_ROUNDS = 24
_READ = 8192
_TIGHTER = 4


@dataclass(frozen=True, eq=False)
class NearDuplicates:
    """``groups``: int64 (N,), the same number for clips that are near-duplicates of one another, by place.

    ``covered`` clips have an embedding; the others stand alone. ``bound`` is the cosine that counted in the end.
    """

    groups: Places
    covered: int
    bound: float = ALIKE

    @property
    def doubled(self) -> int:
        """How many clips have a near-duplicate."""
        sizes = np.bincount(self.groups) if len(self.groups) else np.zeros(0, np.int64)
        return int(sizes[sizes > 1].sum())


def find_near_duplicates(
    embeddings: Embeddings,
    clip_ids: Sequence[int],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> NearDuplicates:
    """Groups clips by the embeddings that are kept, of the trunk that has seen most of them.

    Raises:
        StoppedError: ``should_stop`` said so.
    """
    alone = np.arange(len(clip_ids), dtype=np.int64)
    best, trunk = np.full(len(clip_ids), -1, np.int64), ""
    for name in embeddings.trunks():
        rows = np.concatenate(
            [
                embeddings.rows_of(name, clip_ids[first : first + _READ])
                for first in range(0, len(clip_ids), _READ)
            ]
            or [best]
        )
        if (rows >= 0).sum() > (best >= 0).sum():
            best, trunk = rows, name
        _check(should_stop)
    matrix = embeddings.matrix(trunk) if trunk else None
    if matrix is None:
        return NearDuplicates(alone, 0)
    there = np.flatnonzero(best >= 0)
    groups, bound = group_alike(matrix.values, best[there], should_stop=should_stop)
    alone[there] = there[groups]
    return NearDuplicates(alone, len(there), bound)


def group_alike(
    values: NDArray[np.float16],
    rows: Places,
    *,
    should_stop: Callable[[], bool] = lambda: False,
    exact: int = EXACT,
) -> tuple[Places, float]:
    """Groups rows of a matrix (M, D) that are alike.

    Answers, for each of the (n,) rows, the first place among them that is in its group; and the bound that held.
    Needs 256 bytes a row beside the matrix itself, which may be mapped from the disk.

    Raises:
        StoppedError: ``should_stop`` said so.
    """
    if not len(rows):
        return np.empty(0, np.int64), ALIKE
    measure = _Measure.of(values, rows)
    short = measure.shortened(should_stop)
    for attempt in range(_TIGHTER):
        bounds = _Bounds(1 - (1 - ALIKE) / 2**attempt, 1 - (1 - ALIKE_HERE) / 2**attempt)
        roots = _grouped(measure, short, bounds, exact=exact, should_stop=should_stop)
        if len(rows) < ENOUGH or np.bincount(roots).max() <= MOST * len(rows):
            return roots, bounds.plain
    return np.arange(len(rows), dtype=np.int64), 1.0


@dataclass(frozen=True, slots=True)
class _Bounds:
    """Cosines from which on two clips are alike: as they are, and by the clips at hand."""

    plain: float
    here: float


class _Measure:
    """The embeddings of the clips at hand, read in portions."""

    def __init__(self, values: NDArray[np.float16], rows: Places, middle: Floats, spread: Floats) -> None:
        self._values = values
        self._rows = rows
        self._middle = middle
        self._spread = spread
        self.count = len(rows)
        self.by_spread = self.count >= ENOUGH

    @classmethod
    def of(cls, values: NDArray[np.float16], rows: Places) -> _Measure:
        sample = rows[:: max(1, len(rows) // _READ)]
        seen = _finite(values[sample])
        middle, spread = seen.mean(axis=0), seen.std(axis=0)
        floor = max(float(np.median(spread)) * 0.01, 1e-6)
        return cls(values, rows, middle, np.maximum(spread, floor).astype(np.float32))

    def plain(self, places: Places) -> Floats:
        """Unit vectors (n, D) of the embeddings as they are."""
        return _unit(_finite(self._values[self._rows[places]]))

    def here(self, places: Places) -> Floats:
        """Unit vectors (n, D), measured by the clips at hand where there are enough of them."""
        read = _finite(self._values[self._rows[places]])
        return _unit((read - self._middle) / self._spread if self.by_spread else read)

    def shortened(self, should_stop: Callable[[], bool]) -> NDArray[np.float16]:
        """Random projections (n, 128) of ``here``, unit vectors."""
        width = self._values.shape[1]
        directions = np.random.default_rng(0).standard_normal((width, _SHORT)).astype(np.float32)
        short = np.empty((self.count, _SHORT), np.float16)
        for first in range(0, self.count, _READ):
            _check(should_stop)
            places = np.arange(first, min(first + _READ, self.count))
            short[places] = _unit(self.here(places) @ directions)
        return short

    def alike(self, places: Places, bounds: _Bounds) -> NDArray[np.bool_]:
        """Which pairs (n, n) of these are alike, looked at in full."""
        plain = self.plain(places)
        found: NDArray[np.bool_] = plain @ plain.T >= bounds.plain
        if self.by_spread:
            here = self.here(places)
            found &= here @ here.T >= bounds.here
        return found


def _grouped(
    measure: _Measure,
    short: NDArray[np.float16],
    bounds: _Bounds,
    *,
    exact: int,
    should_stop: Callable[[], bool],
) -> Places:
    union = _Union(measure.count)
    bound = (bounds.here if measure.by_spread else bounds.plain) - _MARGIN
    for places in _blocks(short, exact):
        _check(should_stop)
        vectors = short[places].astype(np.float32)
        roots = union.roots(places)
        maybe = (vectors @ vectors.T >= bound) & (roots[:, None] != roots[None, :])
        involved = np.flatnonzero(maybe.any(axis=1))
        if len(involved):
            chosen = places[involved]
            alike = measure.alike(chosen, bounds) & maybe[np.ix_(involved, involved)]
            for one, other in zip(*_spanning(alike), strict=True):
                union.join(int(chosen[one]), int(chosen[other]))
    return union.roots(np.arange(measure.count))


def _blocks(short: NDArray[np.float16], exact: int) -> Iterator[Places]:
    """Places to be compared with one another: all pairs come together, or those that may be alike do."""
    count = len(short)
    if count <= exact:
        firsts = range(0, count, _BLOCK)
        for one in firsts:
            for other in firsts:
                if other >= one:
                    pair = np.r_[one : min(one + _BLOCK, count), other : min(other + _BLOCK, count)]
                    yield np.unique(pair)
        return
    rng = np.random.default_rng(1)
    bits = max(1, math.ceil(math.log2(count / 64)))
    for _ in range(_ROUNDS):
        directions = rng.standard_normal((_SHORT, bits + 1)).astype(np.float32)
        codes = np.empty(count, np.float64)
        for first in range(0, count, _READ):
            turned = short[first : first + _READ].astype(np.float32) @ directions
            codes[first : first + _READ] = (turned[:, :-1] > 0) @ (2.0 ** np.arange(bits)) + (
                np.tanh(turned[:, -1]) * 0.49
            )
        order = np.argsort(codes, kind="stable")
        for first in range(0, count, _BLOCK // 2):
            yield order[first : first + _BLOCK]


def _spanning(alike: NDArray[np.bool_]) -> tuple[list[int], list[int]]:
    """Pairs that join what belongs together, at most one a row; a block of copies has thousands of pairs."""
    ones: list[int] = []
    others: list[int] = []
    open_ = np.ones(len(alike), bool)
    for start in range(len(alike)):
        if not open_[start]:
            continue
        open_[start] = False
        reached = [start]
        while reached:
            at = reached.pop()
            new = np.flatnonzero(alike[at] & open_)
            open_[new] = False
            ones += [at] * len(new)
            others += new.tolist()
            reached += new.tolist()
    return ones, others


class _Union:
    """Which places belong together; a group is named by its first place."""

    def __init__(self, count: int) -> None:
        self._parent = np.arange(count, dtype=np.int64)

    def roots(self, places: Places) -> Places:
        """The name of the group of each place."""
        found: Places = self._parent[places]
        while not np.array_equal(found, above := self._parent[found]):
            found = above
        self._parent[places] = found
        return found

    def join(self, one: int, other: int) -> None:
        """From now on the two are in one group."""
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    def _root(self, place: int) -> int:
        while (above := int(self._parent[place])) != place:
            self._parent[place] = self._parent[above]
            place = above
        return place


def _finite(values: NDArray[np.float16]) -> Floats:
    return np.nan_to_num(values.astype(np.float32), posinf=0.0, neginf=0.0)


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)


def _check(should_stop: Callable[[], bool]) -> None:
    if should_stop():
        raise StoppedError("Looking for near-duplicates was stopped.")
