"""The book of the arena's room, and the arena itself."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vidlabel.core.arena import DATA_START, LANES, Arena
from vidlabel.engine.blocks import ALIGNMENT, Blocks


def test_a_block_given_back_is_used_again() -> None:
    blocks = Blocks(0, 1024)
    first, second = blocks.take(512), blocks.take(512)
    assert (first, second, blocks.take(1)) == (0, 512, None)
    blocks.give_back(512)
    assert blocks.take(500) == 512


def test_what_must_stay_free_is_left() -> None:
    blocks = Blocks(0, 1024)
    assert blocks.take(640, leave=512) is None
    assert blocks.take(512, leave=512) == 0
    assert blocks.take(512) == 512


def test_giving_back_twice_does_no_harm() -> None:
    blocks = Blocks(0, 1024)
    blocks.take(64)
    blocks.give_back(0)
    blocks.give_back(0)
    blocks.give_back(4711)
    assert blocks.free == blocks.room == 1024


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 3000)), max_size=200))
def test_blocks_never_overlap_and_nothing_is_lost(steps: list[tuple[bool, int]]) -> None:
    blocks = Blocks(100, 20_000)
    taken: dict[int, int] = {}
    for give, size in steps:
        if give and taken:
            offset = sorted(taken)[size % len(taken)]
            del taken[offset]
            blocks.give_back(offset)
            continue
        offset = blocks.take(size)
        if offset is not None:
            assert offset % ALIGNMENT == 0
            assert offset >= 100
            assert offset + size <= 20_000
            assert all(offset + size <= other or other + length <= offset for other, length in taken.items())
            taken[offset] = size
    for offset in taken:
        blocks.give_back(offset)
    assert blocks.free == blocks.room
    assert blocks.take(blocks.room) is not None


def test_both_sides_see_the_same_bytes_and_the_recorder() -> None:
    arena = Arena.create(DATA_START + 4096)
    assert arena.path.stat().st_mode & 0o077 == 0
    other = Arena.open(arena.path, arena.nbytes)
    other.view(DATA_START, 5)[:] = b"hello"
    assert bytes(arena.view(DATA_START, 5)) == b"hello"
    odd = "/films/caf\udce9 – ünï.mp4"
    with other.working_on(0, odd), other.working_on(LANES - 1, "/b.mp4"):
        assert arena.suspects() == (odd, "/b.mp4")
    assert arena.suspects() == ()
    arena.unlink()
    assert not Path(arena.path).exists()
    other.close()
    arena.close()


def test_a_block_outside_the_arena_is_refused() -> None:
    arena = Arena.create(DATA_START + 64)
    with pytest.raises(ValueError, match="do not lie"):
        arena.view(0, 10)
    with pytest.raises(ValueError, match="do not lie"):
        arena.view(DATA_START + 60, 10)
    arena.close()
