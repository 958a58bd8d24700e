"""Sheets of looping pictures: what is on them, that they are made once, and that their folder stays within a bound."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from tests.engine.test_main import Engine
from tests.helpers.clips import HEIGHT, WIDTH, numbered_clip, read_number, text_file
from vidlabel.core import messages as m
from vidlabel.engine.filmstrips import GRID, SheetFolder
from vidlabel.media.filmstrip import make_filmstrip


@pytest.fixture
def engine(home: Path) -> Iterator[Engine]:
    made = Engine(home)
    yield made
    made.close()


def test_a_sheet_shows_the_clip_from_start_to_end(tmp_path: Path) -> None:
    clip, out = numbered_clip(tmp_path / "a.mp4", 60, fps=30), tmp_path / "sheet.jpg"
    assert make_filmstrip(clip, 0, 2_000_000, out=out, box=(WIDTH, HEIGHT), grid=(3, 2)) == out.stat().st_size
    with av.open(str(out)) as sheet:
        picture = next(sheet.decode(video=0)).to_ndarray(format="rgb24")
    high, wide = picture.shape[0] // 2, picture.shape[1] // 3
    cells = [
        picture[row * high : (row + 1) * high, column * wide : (column + 1) * wide]
        for row in range(2)
        for column in range(3)
    ]
    # Where a part's middle falls on the very change of a frame, either is right.
    shown = [read_number(cell) for cell in cells]
    assert all(abs(number - wanted) <= 1 for number, wanted in zip(shown, range(5, 60, 10), strict=True))


def wanted(number: int, path: Path, *, fingerprint: str = "aa11") -> m.MakeFilmstrip:
    return m.MakeFilmstrip(
        request=number,
        fingerprint=fingerprint,
        path=str(path),
        start_us=0,
        end_us=400_000,
        width=80,
        height=45,
    )


def test_sheets_are_made_once_and_bad_files_have_none(engine: Engine, tmp_path: Path) -> None:
    clip = numbered_clip(tmp_path / "a.mp4", 12)
    engine.send(wanted(1, clip))
    made = engine.receive()
    assert isinstance(made, m.FilmstripReady)
    assert (made.request, (made.columns, made.rows)) == (1, GRID)
    assert Path(made.file).read_bytes()[:2] == b"\xff\xd8"
    engine.send(wanted(2, text_file(tmp_path / "b.mp4"), fingerprint="bb22"))
    none = engine.receive()
    assert isinstance(none, m.FilmstripReady)
    assert none.file == ""
    clip.unlink()
    engine.send(wanted(3, clip))
    again = engine.receive()
    assert isinstance(again, m.FilmstripReady)
    assert again.file == made.file


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    folder = tmp_path / "aa"
    folder.mkdir()
    files = [folder / f"{number}.jpg" for number in range(4)]
    for number, file in enumerate(files):
        file.write_bytes(b"x" * 100)
        os.utime(file, (1000 + number, 1000 + number))
    sheets = SheetFolder(tmp_path, most_bytes=300)
    sheets.used(files[0])
    sheets.added(100)
    assert [file.exists() for file in files] == [True, False, False, True]
