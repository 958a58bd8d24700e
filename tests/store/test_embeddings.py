"""Embeddings beside the project: found again by content, whole after any crash, shared by processes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.store.conftest import Footage
from vidlabel.store.embedding_file import INDEX, ROWS, ClipKey, EmbeddingFile
from vidlabel.store.embeddings import Embeddings
from vidlabel.store.project_store import ProjectStore

TRUNK, OTHER = "ab" * 32, "cd" * 32
SIZE = 6
CHECKOUT = Path(__file__).resolve().parents[2]


def vector(number: int) -> NDArray[np.float16]:
    return np.random.default_rng(number).normal(size=SIZE).astype(np.float16)


def key(number: int) -> ClipKey:
    return ClipKey(f"{number:064x}", 0, 1_000_000 + number)


def fill(folder: Path, numbers: range) -> EmbeddingFile:
    file = EmbeddingFile(folder, TRUNK)
    file.append([key(number) for number in numbers], np.stack([vector(number) for number in numbers]))
    return file


def there(folder: Path, numbers: range) -> list[int]:
    """Those that a newcomer finds whole and with the right values."""
    file = EmbeddingFile(folder, TRUNK)
    values, whole = file.read(file.find([key(number) for number in numbers]))
    found = [number for place, number in enumerate(numbers) if whole[place]]
    for number in found:
        np.testing.assert_array_equal(values[number - numbers[0]], vector(number))
    return found


@pytest.fixture
def embeddings(store: ProjectStore) -> Embeddings:
    return store.embeddings


# --- by clip -------------------------------------------------------------------------------------
def test_a_clip_finds_its_embedding_again(store: ProjectStore, footage: Footage, project: Path) -> None:
    a, b, c = (footage.clip(name) for name in ("a.mp4", "b.mp4", "day 1/c.mp4"))
    assert store.embeddings.find(TRUNK, [a, b]) == {}
    assert store.embeddings.save(TRUNK, {a: vector(1), b: vector(2)}) == 2
    assert store.embeddings.save(TRUNK, {a: vector(3)}) == 0, "what is there stays"
    found = store.embeddings.find(TRUNK, [c, b, a])
    assert sorted(found) == [a, b]
    np.testing.assert_array_equal(found[a], vector(1))
    assert store.embeddings.find(OTHER, [a]) == {}, "another trunk sees other things"
    with ProjectStore.open(project, read_only=True) as other:
        np.testing.assert_array_equal(other.embeddings.find(TRUNK, [b])[b], vector(2))
        assert other.embeddings.save(TRUNK, {c: vector(3)}) == 0


def test_what_was_kept_under_the_fingerprint_is_found_once_the_hash_is_known(
    store: ProjectStore, footage: Footage
) -> None:
    clip = footage.clip("a.mp4")
    store.embeddings.save(TRUNK, {clip: vector(1)})
    (video, _), *_ = store.videos_without_hash(1)
    store.save_hash(video, "f" * 64)
    np.testing.assert_array_equal(store.embeddings.find(TRUNK, [clip])[clip], vector(1))
    assert store.embeddings.save(TRUNK, {clip: vector(2)}) == 1, "now it is kept by its hash as well"
    np.testing.assert_array_equal(store.embeddings.find(TRUNK, [clip])[clip], vector(2))


def test_a_moved_video_keeps_its_embedding_and_a_changed_one_does_not(
    store: ProjectStore, footage: Footage
) -> None:
    store.embeddings.save(TRUNK, {footage.clip("a.mp4"): vector(1), footage.clip("b.mp4"): vector(2)})
    (footage.folder / "a.mp4").rename(footage.folder / "moved.mp4")
    (footage.folder / "b.mp4").write_text("another content altogether")
    footage.scan()
    moved, changed = footage.clip("moved.mp4"), footage.clip("b.mp4")
    found = store.embeddings.find(TRUNK, [moved, changed])
    assert list(found) == [moved]


def test_two_videos_with_one_fingerprint_are_not_taken_for_each_other(
    store: ProjectStore, footage: Footage
) -> None:
    a, b = footage.clip("a.mp4"), footage.clip("b.mp4")
    store.embeddings.save(TRUNK, {a: vector(1)})
    with store._database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE videos SET fingerprint = (SELECT fingerprint FROM videos WHERE id = 1)"
        )
    assert store.embeddings.find(TRUNK, [a, b]) == {}


def test_a_marked_part_has_an_embedding_of_its_own(store: ProjectStore, footage: Footage) -> None:
    whole = footage.clip("a.mp4")
    part = store.add_clip(footage.folder / "a.mp4", 0, 1_000_000)
    store.embeddings.save(TRUNK, {whole: vector(1)})
    assert list(store.embeddings.find(TRUNK, [whole, part])) == [whole]


def test_the_matrix_and_its_rows(store: ProjectStore, footage: Footage) -> None:
    ids = [footage.clip(name) for name in ("a.mp4", "b.mp4", "day 1/c.mp4")]
    assert store.embeddings.matrix(TRUNK) is None
    store.embeddings.save(TRUNK, {ids[2]: vector(2), ids[0]: vector(0)})
    matrix = store.embeddings.matrix(TRUNK)
    assert matrix is not None and matrix.values.shape == (2, SIZE) and matrix.values.dtype == np.float16
    rows = store.embeddings.rows_of(TRUNK, ids)
    assert rows[1] == -1
    np.testing.assert_array_equal(matrix.values[rows[[0, 2]]], np.stack([vector(0), vector(2)]))
    assert not matrix.values.flags.writeable


def test_a_copy_of_the_project_without_the_folder_only_lacks_embeddings(
    store: ProjectStore, footage: Footage, tmp_path: Path
) -> None:
    clip = footage.clip("a.mp4")
    store.embeddings.save(TRUNK, {clip: vector(1)})
    copy = store.backup(tmp_path / "copy.vidlabel")
    with ProjectStore.open(copy) as other:
        assert other.embeddings.find(TRUNK, [clip]) == {}
        assert other.check() == []
        assert other.embeddings.save(TRUNK, {clip: vector(1)}) == 1


def test_the_folder_may_go_while_the_project_is_open(embeddings: Embeddings, footage: Footage) -> None:
    clip = footage.clip("a.mp4")
    embeddings.save(TRUNK, {clip: vector(1)})
    shutil.rmtree(embeddings.folder)
    assert embeddings.find(TRUNK, [clip]) == {}
    assert embeddings.save(TRUNK, {clip: vector(4)}) == 1
    np.testing.assert_array_equal(embeddings.find(TRUNK, [clip])[clip], vector(4))


def test_many_trunks_do_not_pile_up_open_files(embeddings: Embeddings, footage: Footage) -> None:
    clip = footage.clip("a.mp4")
    trunks = [f"{number:064x}"[::-1] for number in range(30)]
    for number, trunk in enumerate(trunks):
        embeddings.save(trunk, {clip: vector(number)})
    for number, trunk in enumerate(trunks):
        np.testing.assert_array_equal(embeddings.find(trunk, [clip])[clip], vector(number))
    assert len(embeddings._open) <= 4


# --- damage --------------------------------------------------------------------------------------
@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, 10_000), which=st.sampled_from([INDEX, ROWS]), extra=st.integers(1, 4))
def test_after_a_crash_at_any_byte_the_rest_is_whole(
    tmp_path_factory: pytest.TempPathFactory, cut: int, which: str, extra: int
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    fill(folder, range(10))
    path = folder / which
    kept = cut % (path.stat().st_size + 1)
    path.write_bytes(path.read_bytes()[:kept])
    rows = kept // (SIZE * 2) if which == ROWS else max(0, kept // 48 - 1)
    assert there(folder, range(10)) == list(range(min(rows, 10)))
    # And it goes on from there.
    fill(folder, range(10, 10 + extra))
    fill(folder, range(10))
    assert there(folder, range(10 + extra)) == list(range(10 + extra))


@settings(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), flip=st.integers(1, 255), which=st.sampled_from([INDEX, ROWS]))
def test_no_flipped_bit_is_ever_taken_for_an_embedding(
    tmp_path_factory: pytest.TempPathFactory, place: int, flip: int, which: str
) -> None:
    folder = tmp_path_factory.mktemp("flipped")
    fill(folder, range(10))
    path = folder / which
    content = bytearray(path.read_bytes())
    at = place % len(content)
    content[at] ^= flip
    path.write_bytes(content)
    found = there(folder, range(10))
    assert len(found) >= 9 or (which == INDEX and at < 48), "one row at most is lost"
    fill(folder, range(10))
    assert there(folder, range(10)) == list(range(10)), "and it is computed again"


def test_garbage_at_the_end_is_overwritten(tmp_path: Path) -> None:
    fill(tmp_path, range(3))
    with (tmp_path / INDEX).open("ab") as index, (tmp_path / ROWS).open("ab") as rows:
        index.write(b"\x55" * 130)
        rows.write(b"\x55" * 40)
    assert there(tmp_path, range(4)) == [0, 1, 2]
    fill(tmp_path, range(3, 9))
    assert there(tmp_path, range(9)) == list(range(9))
    assert len(EmbeddingFile(tmp_path, TRUNK).records()) == 9


def test_a_damaged_row_is_reported_and_repaired(store: ProjectStore, footage: Footage, project: Path) -> None:
    ids = [footage.clip(name) for name in ("a.mp4", "b.mp4")]
    store.embeddings.save(TRUNK, {ids[0]: vector(0), ids[1]: vector(1)})
    rows = next(store.embeddings.folder.iterdir()) / ROWS
    content = bytearray(rows.read_bytes())
    content[3] ^= 8
    rows.write_bytes(content)
    with ProjectStore.open(project) as other:
        assert list(other.embeddings.find(TRUNK, ids)) == [ids[1]]
        (fault,) = other.check()
        assert "1 embedding" in fault.words
        assert any("embedding" in words for words in other.repair())
        assert other.check() == []
        assert list(other.embeddings.find(TRUNK, ids)) == [ids[1]]


def test_embeddings_of_another_size_are_refused(embeddings: Embeddings, footage: Footage) -> None:
    embeddings.save(TRUNK, {footage.clip("a.mp4"): vector(1)})
    with pytest.raises(ValueError, match="6 numbers"):
        embeddings.save(TRUNK, {footage.clip("b.mp4"): np.zeros(3, np.float16)})


# --- processes -----------------------------------------------------------------------------------
WRITER = """
import sys
from pathlib import Path
import numpy as np
from tests.store.test_embeddings import SIZE, TRUNK, key, vector
from vidlabel.store.embedding_file import EmbeddingFile
file = EmbeddingFile(Path(sys.argv[1]), TRUNK)
for number in range(int(sys.argv[2]), int(sys.argv[3])):
    file.append([key(number)], vector(number)[None])
"""


def test_two_processes_write_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    ranges = [(0, 60), (40, 100)]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(folder), *map(str, numbers)], cwd=CHECKOUT)
        for numbers in ranges
    ]
    reader = EmbeddingFile(folder, TRUNK)
    while any(writer.poll() is None for writer in writers):
        values, whole = reader.read(reader.find([key(number) for number in range(100)]))
        for number in np.flatnonzero(whole):
            np.testing.assert_array_equal(values[number], vector(int(number)))
    assert [writer.wait() for writer in writers] == [0, 0]
    assert there(folder, range(100)) == list(range(100))
    assert len(reader.records()) == 100, "no key twice"
