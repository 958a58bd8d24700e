"""What the media tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from vidlabel.media.reader import FrameReader

FOOTAGE = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(scope="session")
def footage() -> list[Path]:
    """Real clips of two data sets, where they are to be had."""
    clips = sorted(path for path in FOOTAGE.rglob("*") if path.suffix in (".avi", ".mp4"))
    if not clips:
        pytest.skip("no real footage beside the checkout")
    return clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder of clips for the whole run."""
    return tmp_path_factory.mktemp("clips")


def times(reader: FrameReader) -> list[int]:
    """All frame times in microseconds."""
    return [int(time) for time in reader.index.times_us]
