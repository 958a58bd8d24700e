from __future__ import annotations

import numpy as np
import pytest

from vidlabel.learning.order import (
    entropy,
    least_sure_first,
    margin,
    percent,
    reason,
    reason_from_best,
    surest_first,
)


def test_margin_is_the_distance_of_the_two_best():
    np.testing.assert_allclose(margin(np.array([[0.1, 0.6, 0.3], [1, 0, 0], [0.5, 0.5, 0]])), [0.3, 1, 0])
    assert margin(np.array([1.0])) == 1


def test_entropy_goes_from_certain_to_anything():
    np.testing.assert_allclose(entropy(np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])), [0, 1, 0.5])
    assert entropy(np.array([1.0])) == 0


def test_clips_without_a_suggestion_come_last_either_way():
    margins = np.array([0.5, np.nan, 0.1, 0.9, 0.1])
    assert least_sure_first(margins).tolist() == [2, 4, 0, 3, 1]
    assert surest_first(margins).tolist() == [3, 0, 2, 4, 1]


@pytest.mark.parametrize(
    ("probabilities", "words"),
    [
        ([0.34, 0.31, 0.35 / 2, 0.35 / 2], "The two best labels are close: throw 34 %, catch 31 %"),
        ([0.02, 0.01, 0.97, 0.0], "Very sure: wave 97 %"),
        ([0.7, 0.1, 0.1, 0.1], "Fairly sure: throw 70 %"),
        ([0.1, 0.4, 0.25, 0.25], "Not sure: catch 40 % at best"),
        ([0.19, 0.18, 0.18, 0.17], "Many labels are possible: throw 19 % at best"),
        ([1.0, 0.0, 0.0, 0.0], "Very sure: throw 100 %"),
        ([0.9999, 0.0001, 0.0, 0.0], "Very sure: throw over 99 %"),
    ],
)
def test_the_reason_says_what_the_numbers_say(probabilities, words):
    assert reason(np.array(probabilities), ["throw", "catch", "wave", "jump"]) == words


def test_without_a_suggestion_the_reason_says_so():
    assert reason(None, ["a"]) == reason_from_best([]) == "No suggestion yet"


def test_stored_suggestions_give_the_same_reason():
    assert reason_from_best([("wave", 0.97), ("run", 0.01)]) == "Very sure: wave 97 %"
    assert reason_from_best([("wave", 0.97)]) == "Very sure: wave 97 %"


def test_labels_must_go_with_the_probabilities():
    with pytest.raises(ValueError, match="do not go with"):
        reason(np.array([0.5, 0.5]), ["a"])


def test_percent_never_rounds_to_certainty():
    assert [percent(p) for p in (0, 0.001, 0.5, 0.999, 1)] == [
        "0 %",
        "under 1 %",
        "50 %",
        "over 99 %",
        "100 %",
    ]
