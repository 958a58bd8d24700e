from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from tests.store.conftest import Footage
from vidlabel.core.errors import (
    DamagedProjectError,
    NewerProjectError,
    NotAProjectError,
    ProjectInUseError,
    ReadOnlyProjectError,
)
from vidlabel.core.words import ClipQuery, DecisionKind, NewDecision
from vidlabel.store.migrations import upgrade
from vidlabel.store.project_store import ProjectStore
from vidlabel.store.schema import APPLICATION_ID, REVISION


def _files(folder: Path) -> dict[str, bytes]:
    return {found.name: found.read_bytes() for found in folder.iterdir() if found.is_file()}


def test_new_project_has_the_51_labels_and_leaves_one_file(project: Path) -> None:
    with ProjectStore.open(project, create=True) as store:
        names = [label.name for label in store.labels()]
        assert len(names) == 51
        assert (names[0], names[-1]) == ("brush_hair", "wave")
        assert not store.read_only
    assert [found.name for found in project.parent.iterdir()] == ["birds.vidlabel"]
    with ProjectStore.open(project, create=True) as again:
        assert [label.name for label in again.labels()] == names


def test_opening_and_creating_need_no_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vidlabel.store.project_store import ProjectStore\n"
        "for _ in range(2): ProjectStore.open(Path(sys.argv[1]), create=True).close()\n"
        "assert 'alembic' not in sys.modules and 'numpy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path / "p.vidlabel")], check=True)


def test_schema_and_migrations_make_the_same_database(project: Path, tmp_path: Path) -> None:
    ProjectStore.open(project, create=True).close()
    migrated = tmp_path / "migrated.db"
    engine = create_engine(f"sqlite:///{migrated}")
    with engine.begin() as connection:
        upgrade(connection, REVISION)
    engine.dispose()

    def statements(path: Path) -> dict[str, list[str]]:
        with closing(sqlite3.connect(path)) as raw:
            rows = raw.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
            # The order of columns and constraints says nothing: added ones stand last.
            return {name: sorted(_parts(sql)) for name, sql in rows}

    ours, theirs = statements(project), statements(migrated)
    ours.pop("sqlite_sequence", None), theirs.pop("sqlite_sequence", None)
    assert ours.keys() == theirs.keys()
    for name in ours:
        assert ours[name] == theirs[name], name


def _parts(sql: str) -> list[str]:
    """The columns and constraints between the outer brackets of a statement, and what stands before them."""
    parts, depth = [""], 0
    for character in sql:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if (character == "," and depth == 1) or (character == "(" and depth == 1):
            parts.append("")
        elif depth:
            parts[-1] += character
        else:
            parts[0] += character
    return [" ".join(part.split()) for part in parts]


def test_an_older_project_is_copied_and_brought_up_to_date(project: Path) -> None:
    project.parent.mkdir()
    with closing(sqlite3.connect(project)) as raw:
        raw.executescript(f"PRAGMA application_id={APPLICATION_ID}; CREATE TABLE old (n); DROP TABLE old;")
    with ProjectStore.open(project) as store:
        assert len(store.labels()) == 51
        assert store.check() == []
    copies = list(project.with_name("birds.vidlabel.backups").iterdir())
    assert [copy.name for copy in copies] == [f"birds-before-{REVISION}.vidlabel"]


@pytest.mark.parametrize("content", [b"", b"wave,clip.mp4\n" * 500, b"\x00" * 8192])
def test_other_files_are_refused_and_left_alone(project: Path, content: bytes) -> None:
    project.parent.mkdir()
    project.write_bytes(content)
    for create in (False, True):
        with pytest.raises(NotAProjectError, match="not a vidlabel project"):
            ProjectStore.open(project, create=create)
    assert _files(project.parent) == {project.name: content}


def test_other_databases_folders_and_nothing_are_refused(project: Path) -> None:
    project.parent.mkdir()
    with pytest.raises(NotAProjectError, match="no such project"):
        ProjectStore.open(project)
    with pytest.raises(NotAProjectError, match="a folder"):
        ProjectStore.open(project.parent)
    with closing(sqlite3.connect(project)) as raw:
        raw.executescript("CREATE TABLE moz_places (url TEXT)")
    before = _files(project.parent)
    with pytest.raises(NotAProjectError, match="another program"):
        ProjectStore.open(project)
    assert _files(project.parent) == before


def test_a_newer_project_is_left_untouched(project: Path) -> None:
    ProjectStore.open(project, create=True).close()
    with closing(sqlite3.connect(project)) as raw:
        raw.executescript("PRAGMA user_version=99; ALTER TABLE clips ADD COLUMN mood TEXT;")
    before = _files(project.parent)
    for read_only in (False, True):
        with pytest.raises(NewerProjectError, match="newer vidlabel"):
            ProjectStore.open(project, read_only=read_only)
    assert _files(project.parent) == before


def test_a_cut_off_project_names_the_newest_backup(footage: Footage) -> None:
    project = footage.store.path
    footage.store.backup(project.with_name("birds.vidlabel.backups") / "birds-2001-01-01.vidlabel")
    newest = footage.store.backup()
    footage.store.close()
    whole = project.read_bytes()
    for length in (50, 5000, len(whole) // 2, len(whole) - 4096):
        project.write_bytes(whole[:length])
        with pytest.raises(DamagedProjectError) as caught:
            ProjectStore.open(project)
        assert str(newest) in str(caught.value)
    shutil.copyfile(newest, project)
    with ProjectStore.open(project) as store:
        assert len(store.clip_ids(ClipQuery())) == 3


def test_a_project_overwritten_inside_says_it_is_damaged(footage: Footage) -> None:
    project = footage.store.path
    footage.store.close()
    content = bytearray(project.read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    project.write_bytes(bytes(content))
    with pytest.raises(DamagedProjectError, match="no backup"):
        ProjectStore.open(project)


def test_a_project_without_its_tables_says_it_is_damaged(project: Path) -> None:
    ProjectStore.open(project, create=True).close()
    with closing(sqlite3.connect(project)) as raw:
        raw.executescript("DROP TABLE project")
    with pytest.raises(DamagedProjectError, match="no such table"):
        ProjectStore.open(project)


def test_read_only_reads_everything_and_writes_nothing(footage: Footage) -> None:
    clip = footage.clip("a.mp4")
    footage.store.close()
    before = _files(footage.store.path.parent)
    with ProjectStore.open(footage.store.path, read_only=True) as store:
        assert store.read_only
        assert len(store.clip_ids(ClipQuery())) == 3
        with pytest.raises(ReadOnlyProjectError, match="nothing was saved"):
            store.decide([NewDecision(clip_id=clip, kind=DecisionKind.SKIPPED)], annotator="me")
        assert store.backup_if_due() is None
        store.claim_window()
    after = _files(footage.store.path.parent)
    assert after[footage.store.path.name] == before[footage.store.path.name]


_READ_AS_OTHER_USER = """
import os, sys
from pathlib import Path
from vidlabel.core.errors import ReadOnlyProjectError
from vidlabel.core.words import ClipQuery, DecisionKind, NewDecision
from vidlabel.store.project_store import ProjectStore
ProjectStore.open(Path(sys.argv[2]), create=True).close()
if os.geteuid() == 0:  # who may write everything
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
with ProjectStore.open(Path(sys.argv[1])) as store:
    assert store.read_only
    ids = store.clip_ids(ClipQuery())
    states = [row.state.value for row in store.clip_rows(ids)]
    try:
        store.decide([NewDecision(clip_id=ids[0], kind=DecisionKind.SKIPPED)], annotator="me")
    except ReadOnlyProjectError:
        print(",".join(sorted(states)))
"""


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that other users reach, which pytest's own is not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("with_log", [False, True])
def test_a_folder_that_may_not_be_written_opens_for_reading(
    footage: Footage, public: Path, with_log: bool
) -> None:
    """Also where the log of a killed program lies beside the file: what it holds is shown."""
    project = footage.store.path
    footage.store.decide(
        [NewDecision(clip_id=footage.clip("a.mp4"), kind=DecisionKind.UNSURE)], annotator="me"
    )
    folder = public / "locked"
    if with_log:
        shutil.copytree(project.parent, folder, ignore=shutil.ignore_patterns("*-shm"))
        assert (folder / "birds.vidlabel-wal").stat().st_size > 0
        footage.store.close()
    else:
        footage.store.close()
        shutil.copytree(project.parent, folder)
    for found in folder.iterdir():
        found.chmod(0o444)
    folder.chmod(0o555)
    files = [str(folder / project.name), str(public / "warm.vidlabel")]
    command = [sys.executable, "-W", "error", "-c", _READ_AS_OTHER_USER, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    folder.chmod(0o755)
    assert done.stdout.strip() == "undecided,undecided,unsure", done.stderr


def test_the_second_window_is_refused_and_the_first_goes_on(project: Path) -> None:
    with ProjectStore.open(project, create=True) as first, ProjectStore.open(project) as second:
        first.claim_window()
        first.claim_window()
        with pytest.raises(ProjectInUseError, match="another window"):
            second.claim_window()
        second.add_label("sneeze")
        first.close()
        second.claim_window()
    assert [found.name for found in project.parent.iterdir()] == ["birds.vidlabel"]


def test_a_window_that_was_killed_does_not_keep_the_project(project: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from vidlabel.store.project_store import ProjectStore\n"
        "store = ProjectStore.open(Path(sys.argv[1]), create=True); store.claim_window()\n"
        "print('claimed', flush=True); sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", code, str(project)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "claimed\n"
        with ProjectStore.open(project) as store:
            with pytest.raises(ProjectInUseError):
                store.claim_window()
            child.kill()
            child.wait()
            store.claim_window()


def test_no_project_can_be_made_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ReadOnlyProjectError, match="no project can be made here"):
        ProjectStore.open(tmp_path / "file" / "p.vidlabel", create=True)
