"""Embeddings of the project's clips: kept in files beside it, found by what a clip shows and not by its path.

They can be computed again from the videos, so no backup holds them, and a copy of the project without the
folder merely computes them anew.
"""

from __future__ import annotations

import re
import shutil
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from vidlabel.core.errors import ProjectError
from vidlabel.store.embedding_file import (
    INDEX,
    ClipKey,
    EmbeddingFile,
    Records,
    Rows,
    Survey,
    Values,
)
from vidlabel.store.engine import Database
from vidlabel.store.places import embeddings_of
from vidlabel.store.rows import chunks
from vidlabel.store.schema import clips, videos

MOST_OPEN = 4
"""So many trunks are held open at a time; each has two files mapped."""
_TRUNK = re.compile(r"[0-9a-f]{16,64}")
_FOLDER_LETTERS = 32


@dataclass(frozen=True, eq=False)
class EmbeddingMatrix:
    """All embeddings of one trunk, for learning.

    Attributes:
        keys: (N,) records with ``content``, ``start_us``, ``end_us``; :meth:`Embeddings.rows_of` finds clips.
        values: float16 (N, D), mapped read-only from the disk.
    """

    keys: Records
    values: Values


class Embeddings:
    """One project's embeddings, by trunk and clip. May be used by several threads; never opens a video.

    A trunk is the part of a model that makes embeddings, named by a hash of its weights and preprocessing:
    models that differ in their head only share what is kept here.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        self._open: OrderedDict[str, EmbeddingFile] = OrderedDict()

    @property
    def folder(self) -> Path:
        """Where they lie; it may not exist yet."""
        return embeddings_of(self._database.path)

    def find(self, trunk: str, clip_ids: Sequence[int]) -> dict[int, NDArray[np.float16]]:
        """The embeddings of those clips that have one: float16 (D,) each."""
        with self._lock:
            rows = self.rows_of(trunk, clip_ids)
            if not (rows >= 0).any():
                return {}
            values, whole = self._file(trunk).read(rows)
        return {clip_id: values[place] for place, clip_id in enumerate(clip_ids) if whole[place]}

    def save(self, trunk: str, new: Mapping[int, NDArray[np.float16]]) -> int:
        """Keeps embeddings, float16 (D,) by clip; clips that are gone or have one are passed over.

        Answers how many were added.

        Raises:
            ProjectError: the folder does not take them; what was there before is as it was.
        """
        names = self._names(new)
        keys = [(clip_id, own.by_hash or own.by_fingerprint) for clip_id, own in names.items()]
        keys = [(clip_id, key) for clip_id, key in keys if key.content]
        if not keys or self._database.read_only:
            return 0
        values = np.stack([new[clip_id] for clip_id, _ in keys])
        try:
            with self._lock:
                return self._file(trunk).append([key for _, key in keys], values)
        except OSError as error:
            why = error.strerror or str(error)
            raise ProjectError(
                self.folder,
                f"embeddings cannot be kept here ({why}). Make room or give yourself the right to it; "
                "suggestions go on without.",
            ) from error

    def rows_of(self, trunk: str, clip_ids: Sequence[int]) -> Rows:
        """The row of each clip in the trunk's matrix: int64 (n,), -1 where there is none."""
        names = self._names(clip_ids)
        found = np.full(len(clip_ids), -1, np.int64)
        with self._lock:
            file = self._file(trunk)
            if not len(file.records()):
                return found
            known = [(place, names[clip_id]) for place, clip_id in enumerate(clip_ids) if clip_id in names]
            by_hash = [(place, own.by_hash) for place, own in known if own.by_hash is not None]
            found[[place for place, _ in by_hash]] = file.find([key for _, key in by_hash])
            # What was kept before the hash of the whole was known.
            left = [(place, own.by_fingerprint) for place, own in known if found[place] < 0]
            alone = self._unmistakable(key.content for _, key in left)
            left = [(place, key) for place, key in left if key.content in alone]
            found[[place for place, _ in left]] = file.find([key for _, key in left])
        return found

    def matrix(self, trunk: str) -> EmbeddingMatrix | None:
        """All rows of a trunk, or None while there are none."""
        with self._lock:
            file = self._file(trunk)
            values = file.values()
            return EmbeddingMatrix(file.records(), values) if len(values) else None

    def trunks(self) -> list[str]:
        """The trunks that have embeddings here, by name."""
        with self._lock:
            return self._trunks()

    def survey(self) -> list[Survey]:
        """What the folder holds, one a trunk; every row is read."""
        with self._lock:
            return [self._file(trunk).survey() for trunk in self._trunks()]

    def drop_damaged(self) -> int:
        """Forgets rows that are not as they were written; answers how many."""
        with self._lock:
            return sum(self._file(trunk).drop_damaged() for trunk in self._trunks())

    def clear(self) -> None:
        """Removes the whole folder; everything in it can be computed again."""
        with self._lock:
            self._open.clear()
            shutil.rmtree(self.folder, ignore_errors=True)

    def _trunks(self) -> list[str]:
        if not self.folder.is_dir():
            return []
        return sorted(found.name for found in self.folder.iterdir() if (found / INDEX).is_file())

    def _file(self, trunk: str) -> EmbeddingFile:
        if not _TRUNK.fullmatch(trunk):
            raise ValueError(f"{trunk!r} names no trunk")
        trunk = trunk[:_FOLDER_LETTERS]
        file = self._open.pop(trunk, None) or EmbeddingFile(self.folder / trunk, trunk)
        self._open[trunk] = file
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)
        return file

    def _names(self, clip_ids: Iterable[int]) -> dict[int, _Names]:
        """By what each clip is known."""
        found: dict[int, _Names] = {}
        wanted = select(
            clips.c.id, clips.c.start_us, clips.c.end_us, videos.c.content_hash, videos.c.fingerprint
        ).join(videos, videos.c.id == clips.c.video_id)
        with self._database.read() as connection:
            for chunk in chunks(clip_ids):
                for row in connection.execute(wanted.where(clips.c.id.in_(chunk))):
                    times = row.start_us, row.end_us
                    by_hash = ClipKey(row.content_hash, *times) if row.content_hash else None
                    found[row.id] = _Names(by_hash, ClipKey(row.fingerprint, *times))
        return found

    def _unmistakable(self, fingerprints: Iterable[str]) -> set[str]:
        """Those that only one video has: two may begin and end alike, and only the whole tells them apart."""
        found: set[str] = set()
        single = select(videos.c.fingerprint).group_by(videos.c.fingerprint).having(func.count() == 1)
        with self._database.read() as connection:
            for chunk in chunks({fingerprint for fingerprint in fingerprints if fingerprint}):
                found.update(connection.execute(single.where(videos.c.fingerprint.in_(chunk))).scalars())
        return found


@dataclass(frozen=True, slots=True)
class _Names:
    """By what a clip is known: the hash of the whole video, if there is one yet, and its fingerprint."""

    by_hash: ClipKey | None
    by_fingerprint: ClipKey
