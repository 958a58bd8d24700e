"""The embeddings of one trunk: rows of float16, and an index of fixed-size records that say whose they are.

``rows.f16`` is nothing but the rows, little-endian, one after another, so that it can be mapped as a matrix.
``index.bin`` is a header and one record a row: content, clip times, a checksum of the row, a checksum of the
record itself. Rows reach the disk before their records, so a record that is whole speaks of a row that is
whole. What a crash leaves behind the last whole record is ignored, and overwritten by the next one to append.
Nothing is ever shortened or moved: whoever has a part mapped can go on reading it.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vidlabel.store.append_lock import appending

ROWS, INDEX, LOCK = "rows.f16", "index.bin", "lock"
VALUE = np.dtype("<f2")
RECORD = np.dtype(
    [("content", "<u8", 2), ("start_us", "<i8"), ("end_us", "<i8"), ("row_sum", "<u8"), ("check", "<u8")]
)
_HEADER = struct.Struct("<8sI32sI")
_MAGIC = b"vlEmbed1"
_PLACES = 48
"""Bytes of the header, and of each record."""
_MIX = np.uint64(0x9E3779B97F4A7C15)
_ODD = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFT = np.uint64(29)
_RESORT_AFTER = 20_000

Rows = NDArray[np.int64]
Values = NDArray[np.float16]
Records = NDArray[np.void]


class ClipKey(NamedTuple):
    """Whose an embedding is: a content (its sha256, or its fingerprint until that is known) and clip times."""

    content: str
    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class Survey:
    """What one file holds: rows, those of them that are damaged, and bytes on the disk."""

    trunk: str
    rows: int
    damaged: int
    nbytes: int


class EmbeddingFile:
    """One trunk's embeddings in a folder of their own. Not safe to be used by several threads at a time.

    Any number of processes may read and append at once; each finds what the others have written.
    """

    def __init__(self, folder: Path, trunk: str) -> None:
        self._folder = folder
        self._trunk = trunk
        self._forget()

    @property
    def size(self) -> int:
        """Numbers of one embedding; 0 while there is none."""
        return self._size

    def records(self) -> Records:
        """The records of all rows written so far, (N,) of ``RECORD``; damaged ones have a wrong ``check``."""
        self._follow()
        return self._records

    def values(self) -> Values:
        """All rows as one read-only matrix (N, D), mapped and not read."""
        self._follow()
        return self._values

    def find(self, keys: Sequence[ClipKey]) -> Rows:
        """The row of each key, or -1; of several rows with one key the newest."""
        self._follow()
        if not len(self._records) or not keys:
            return np.full(len(keys), -1, np.int64)
        wanted = _parts(keys)
        found = self._find_sorted(wanted)
        if self._recent:
            for number, identity in enumerate(_identities(wanted)):
                found[number] = self._recent.get(identity, found[number])
        return found

    def _find_sorted(self, wanted: Records) -> Rows:
        """The same among the rows that have been sorted."""
        hashes = _hashes(wanted)
        places = np.searchsorted(self._sorted_hashes, hashes, side="right") - 1
        found = np.full(len(wanted), -1, np.int64)
        open_ = np.flatnonzero(places >= 0)
        # One round, but for the rare different keys of one hash: there the one before is looked at as well.
        while len(open_):
            open_ = open_[self._sorted_hashes[places[open_]] == hashes[open_]]
            rows = self._order[places[open_]]
            same = _same(self._records[rows], wanted[open_])
            found[open_[same]] = rows[same]
            open_ = open_[~same]
            places[open_] -= 1
            open_ = open_[places[open_] >= 0]
        return found

    def read(self, rows: Rows) -> tuple[Values, NDArray[np.bool_]]:
        """Rows (n, D), and which of them are as they were written; -1 is none."""
        values = np.zeros((len(rows), self._size), VALUE)
        there = (rows >= 0) & (rows < len(self._records))
        values[there] = self._values[rows[there]]
        sums = self._records["row_sum"]
        for place in np.flatnonzero(there):
            there[place] = _row_sum(values[place]) == int(sums[rows[place]])
        return values, there

    def append(self, keys: Sequence[ClipKey], values: Values) -> int:
        """Adds rows, leaving out keys that have one already; answers how many were added.

        Args:
            keys: N of them.
            values: float16 (N, D), finite.

        Raises:
            ValueError: D is another than before.
            OSError: the disk does not take them; what was written before is as it was.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with appending(self._folder / LOCK):
            self._follow()
            if self._size not in (0, values.shape[1]):
                raise ValueError(f"embeddings of {self._size} numbers, not {values.shape[1]}")
            if not self._size:
                self._begin(values.shape[1])
            _, whole = self.read(rows := self.find(keys))
            newest = {key: place for place, key in enumerate(keys) if rows[place] < 0 or not whole[place]}
            places = sorted(newest.values())
            if places:
                self._write([keys[place] for place in places], np.ascontiguousarray(values[places], VALUE))
            self._follow()
        return len(places)

    def survey(self) -> Survey:
        """Reads every row and compares it with its checksum."""
        self._follow()
        nbytes = sum(path.stat().st_size for path in self._folder.iterdir() if path.is_file())
        return Survey(self._trunk, len(self._records), len(self._damaged()), nbytes)

    def drop_damaged(self) -> int:
        """Takes damaged rows out of the index; they are computed again when they are wanted."""
        with appending(self._folder / LOCK):
            self._follow()
            damaged = self._damaged()
            with (self._folder / INDEX).open("r+b") as file:
                for row in damaged:
                    file.seek((row + 1) * _PLACES)
                    file.write(bytes(_PLACES))
                _to_disk(file)
            self._forget()
        return len(damaged)

    # --- following what is on the disk -----------------------------------------------------------
    def _forget(self) -> None:
        self._seen: tuple[int, ...] = ()
        self._size = 0
        self._seed = np.uint64(0)
        self._records: Records = np.empty(0, RECORD)
        self._values: Values = np.empty((0, 0), VALUE)
        self._sorted_hashes: NDArray[np.uint64] = np.empty(0, np.uint64)
        self._order: Rows = np.empty(0, np.int64)
        self._recent: dict[tuple[int, ...], int] = {}

    def _follow(self) -> None:
        """Takes in what was appended since, here or in another process."""
        try:
            index, rows = (self._folder / INDEX).stat(), (self._folder / ROWS).stat()
        except OSError:
            self._forget()
            return
        seen = (index.st_ino, rows.st_ino, index.st_size, index.st_mtime_ns, rows.st_size)
        if seen == self._seen:
            return
        if self._seen and (seen[:2] != self._seen[:2] or index.st_size < (len(self._records) + 1) * _PLACES):
            self._forget()
        if not self._size and not self._read_header():
            return
        self._seen = seen
        self._take(min(index.st_size // _PLACES - 1, rows.st_size // (self._size * VALUE.itemsize)))

    def _read_header(self) -> bool:
        with (self._folder / INDEX).open("rb") as file:
            start = file.read(_HEADER.size)
        if len(start) < _HEADER.size:
            return False
        magic, size, trunk, check = _HEADER.unpack(start)
        whole = magic == _MAGIC and trunk == _digest(self._trunk) and check == _header_sum(size, trunk)
        if whole and 0 < size < 1 << 20:
            self._settle(size)
        return bool(self._size)

    def _settle(self, size: int) -> None:
        self._size = size
        # A record is whole only for this trunk and this size of its rows.
        seed = blake2b(f"{self._trunk} {size}".encode(), digest_size=8).digest()
        self._seed = np.uint64(int.from_bytes(seed, "little"))
        self._values = np.empty((0, size), VALUE)

    def _take(self, count: int) -> None:
        """Maps the first ``count`` places and learns the whole records among the new ones."""
        before = len(self._records)
        if count > before:
            index = self._folder / INDEX
            mapped: Records = np.memmap(index, RECORD, mode="r", offset=_PLACES, shape=(count,))
            whole = np.flatnonzero(self._whole(mapped[before:], before)) + before
            count = int(whole[-1]) + 1 if len(whole) else before
            if count > before:
                self._records = mapped[:count]
                shape = (count, self._size)
                self._values = np.memmap(self._folder / ROWS, VALUE, mode="r", shape=shape)
                self._learn(whole)

    def _whole(self, records: Records, first: int) -> NDArray[np.bool_]:
        checks: NDArray[np.bool_] = records["check"] == _checks(records, first, self._seed)
        return checks

    def _learn(self, rows: Rows) -> None:
        if len(self._recent) + len(rows) < _RESORT_AFTER:
            self._recent.update(zip(_identities(self._records[rows]), rows.tolist(), strict=True))
            return
        every = np.flatnonzero(self._whole(self._records, 0))
        hashes = _hashes(self._records[every])
        # Stable, so that of equal keys the newest row stands last.
        order = np.argsort(hashes, kind="stable")
        self._sorted_hashes, self._order = hashes[order], every[order]
        self._recent = {}

    # --- writing ---------------------------------------------------------------------------------
    def _begin(self, size: int) -> None:
        """A new index, or one whose header a crash has cut off."""
        trunk = _digest(self._trunk)
        for name in (INDEX, ROWS):
            os.close(os.open(self._folder / name, os.O_RDWR | os.O_CREAT, 0o666))
        with (self._folder / INDEX).open("r+b") as file:
            header = _HEADER.pack(_MAGIC, size, trunk, _header_sum(size, trunk))
            file.write(header.ljust(_PLACES, b"\0"))
            _to_disk(file)
        self._follow()

    def _write(self, keys: Sequence[ClipKey], values: Values) -> None:
        first = len(self._records)
        with (self._folder / ROWS).open("r+b") as file:
            file.seek(first * self._size * VALUE.itemsize)
            file.write(values.tobytes())
            _to_disk(file)
        records = _parts(keys)
        records["row_sum"] = [_row_sum(row) for row in values]
        records["check"] = _checks(records, first, self._seed)
        with (self._folder / INDEX).open("r+b") as file:
            file.seek((first + 1) * _PLACES)
            file.write(records.tobytes())

    def _damaged(self) -> list[int]:
        sums = self._records["row_sum"]
        whole = self._whole(self._records, 0)
        return [
            row for row in np.flatnonzero(whole).tolist() if _row_sum(self._values[row]) != int(sums[row])
        ]


def _parts(keys: Sequence[ClipKey]) -> Records:
    """Records with only the keys filled in."""
    records: Records = np.zeros(len(keys), RECORD)
    contents = b"".join(blake2b(key.content.encode(), digest_size=16).digest() for key in keys)
    records["content"] = np.frombuffer(contents, "<u8").reshape(-1, 2)
    records["start_us"] = [key.start_us for key in keys]
    records["end_us"] = [key.end_us for key in keys]
    return records


def _identities(records: Records) -> list[tuple[int, ...]]:
    """The key of each record, to be looked up."""
    content = records["content"].tolist()
    times = zip(records["start_us"].tolist(), records["end_us"].tolist(), strict=True)
    return [(*own, *clip) for own, clip in zip(content, times, strict=True)]


def _same(some: Records, others: Records) -> NDArray[np.bool_]:
    """Whether records have the same key, one by one."""
    times = (some["start_us"] == others["start_us"]) & (some["end_us"] == others["end_us"])
    same: NDArray[np.bool_] = times & (some["content"] == others["content"]).all(axis=1)
    return same


def _hashes(records: Records) -> NDArray[np.uint64]:
    """64 bits a key, for sorting; equal ones are told apart by the records themselves."""
    mixed: NDArray[np.uint64] = records["content"][:, 0] ^ (records["start_us"].view("<u8") * _ODD[0])
    mixed = mixed ^ (records["end_us"].view("<u8") * _ODD[1])
    return mixed.astype(np.uint64)


def _checks(records: Records, first: int, seed: np.uint64) -> NDArray[np.uint64]:
    """The checksum of each record at its place: 64 bits, every word mixed in (after SplitMix64)."""
    words = np.ascontiguousarray(records).view("<u8").reshape(-1, RECORD.itemsize // 8)[:, :-1]
    mixed = np.arange(first, first + len(records), dtype=np.uint64) ^ seed
    for word in words.T:
        mixed = (mixed ^ word) * _MIX
        mixed = (mixed ^ (mixed >> _SHIFT)) * _ODD[0]
        mixed ^= mixed >> _SHIFT
    return mixed


def _row_sum(row: Values) -> int:
    return zlib.crc32(row.tobytes())


def _digest(trunk: str) -> bytes:
    return blake2b(trunk.encode(), digest_size=32).digest()


def _header_sum(size: int, trunk: bytes) -> int:
    return zlib.crc32(_MAGIC + size.to_bytes(4, "little") + trunk)


def _to_disk(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())
