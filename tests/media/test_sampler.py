"""Frames for the network: what the index has seen already is not decoded twice, and is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.helpers.clips import b_frame_clip, numbered_clip, read_number
from vidlabel.media import cursor
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.sampler import read_positions

PLACES = (3, 20, 21, 44)


def read(path: Path, index: FrameIndex | None = None) -> np.ndarray:
    return read_positions(
        path,
        start_us=0,
        end_us=60_000_000,
        positions=lambda count, fps: PLACES,
        size=lambda width, height: (160, 96),
        index=index,
    )


@pytest.mark.parametrize("suffix", [".mp4", ".avi"])
def test_a_clip_reads_the_same_with_and_without_an_index(tmp_path: Path, suffix: str) -> None:
    film = b_frame_clip(tmp_path / f"film{suffix}", 60)
    found = read(film)
    assert [read_number(picture) for picture in found] == list(PLACES)
    np.testing.assert_array_equal(found, read(film, FrameIndex.build(film)))


def test_a_file_that_has_to_be_decoded_for_its_index_is_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = b_frame_clip(tmp_path / "film.avi", 60)
    assert FrameIndex.build(film).named_by != "pts", "else the index needs no decoding"
    packets: list[object] = []
    decode = cursor._decode_packet
    monkeypatch.setattr(cursor, "_decode_packet", lambda packet: packets.append(packet) or decode(packet))
    read(film)
    assert len(packets) <= 62


def test_places_may_come_in_any_order(tmp_path: Path) -> None:
    film = numbered_clip(tmp_path / "film.mp4", 60)
    views = (5, 30, 50, 2, 31, 40)
    found = read_positions(
        film,
        start_us=0,
        end_us=60_000_000,
        positions=lambda count, fps: views,
        size=lambda width, height: (160, 96),
    )
    assert [read_number(picture) for picture in found] == list(views)
