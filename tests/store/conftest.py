from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers.projects import probed
from vidlabel.core.words import ClipQuery, FileEntry
from vidlabel.store.project_store import ProjectStore


class Footage:
    """A folder of files that stand for videos, and a store that is told about them as a scan would."""

    def __init__(self, store: ProjectStore, folder: Path) -> None:
        self.store = store
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root = store.add_root(folder)

    def write(self, relative: str, content: str) -> FileEntry:
        path = self.folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return self.entry(relative)

    def entry(self, relative: str) -> FileEntry:
        found = (self.folder / relative).stat()
        return FileEntry(relative, found.st_size, found.st_mtime_ns)

    def entries(self) -> list[FileEntry]:
        files = sorted(path for path in self.folder.rglob("*.mp4") if path.is_file())
        return [self.entry(path.relative_to(self.folder).as_posix()) for path in files]

    def scan(self, *, whole: bool = False) -> list[str]:
        """A whole scan; answers the paths that had to be probed."""
        entries = self.entries()
        wanted = self.store.reconcile(self.root.id, entries)
        results = [probed(entry, (self.folder / entry.relative).read_text(), whole=whole) for entry in wanted]
        self.store.save_probes(self.root.id, results)
        self.store.finish_scan(self.root.id, {entry.relative for entry in entries})
        return [entry.relative for entry in wanted]

    def clip(self, relative: str) -> int:
        return self.store.clips_of_video(self.folder / relative)[0].clip_id

    def listed(self) -> list[tuple[str, str, str | None]]:
        rows = self.store.clip_rows(self.store.clip_ids(ClipQuery(sort="path")))
        return [(row.relative, row.state.value, row.label) for row in rows]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path / "shed" / "birds.vidlabel"


@pytest.fixture
def store(project: Path) -> Iterator[ProjectStore]:
    with ProjectStore.open(project, create=True) as opened:
        yield opened


@pytest.fixture
def footage(store: ProjectStore, tmp_path: Path) -> Footage:
    """Three clips: a.mp4, b.mp4 and day 1/c.mp4."""
    footage = Footage(store, tmp_path / "media")
    for relative in ("a.mp4", "b.mp4", "day 1/c.mp4"):
        footage.write(relative, f"content of {relative}")
    footage.scan()
    return footage
