from __future__ import annotations

import numpy as np
import pytest

from vidlabel.core.errors import StoppedError
from vidlabel.learning.near_duplicates import EXACT, group_alike


def looks(count: int, *, seed: int = 0, width: int = 96, apart: float = 1.0) -> np.ndarray:
    """Embeddings that all share a direction, as those of one kind of footage do."""
    rng = np.random.default_rng(seed)
    return 3 * rng.standard_normal(width) + apart * rng.standard_normal((count, width))


def copies(values: np.ndarray, noise: float = 0.1) -> np.ndarray:
    return values + noise * np.random.default_rng(9).standard_normal(values.shape)


@pytest.mark.parametrize("exact", [EXACT, 0])
def test_copies_are_found_and_nothing_else(exact: int) -> None:
    own = looks(800)
    values = np.concatenate([own, copies(own[:300])]).astype(np.float16)
    groups, _ = group_alike(values, np.arange(len(values)), exact=exact)
    found = (groups[800:] == np.arange(300)).mean()
    assert found == 1.0 if exact else found > 0.98
    assert (groups[:800] == np.arange(800)).all()


def test_footage_that_looks_alike_is_not_all_one(seed: int = 0) -> None:
    values = looks(400, seed=seed, apart=0.5).astype(np.float16)
    unit = values / np.linalg.norm(values.astype(np.float32), axis=1, keepdims=True)
    assert np.median(unit @ unit.T) > 0.95
    groups, _ = group_alike(values, np.arange(400))
    assert (groups == np.arange(400)).all()


def test_few_clips_are_compared_as_they_are() -> None:
    own = looks(2, apart=4.0)
    values = np.concatenate([own, copies(own)]).astype(np.float16)
    groups, _ = group_alike(values, np.arange(4))
    assert groups.tolist() == [0, 1, 0, 1]


def test_the_order_of_rows_and_broken_numbers_do_no_harm() -> None:
    own = looks(50)
    values = np.concatenate([own, copies(own[:1])]).astype(np.float16)
    values[7] = np.nan
    rows = np.arange(51)[::-1].copy()
    groups, _ = group_alike(values, rows)
    assert groups[50] == 0
    assert groups[43] == 43
    assert group_alike(values, rows[:0])[0].tolist() == []


def test_it_can_be_stopped() -> None:
    with pytest.raises(StoppedError):
        group_alike(looks(10).astype(np.float16), np.arange(10), should_stop=lambda: True)
