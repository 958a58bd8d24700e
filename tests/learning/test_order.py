from __future__ import annotations

import numpy as np

from vidlabel.learning.order import entropy, margin


def test_margin_is_the_distance_of_the_two_best():
    np.testing.assert_allclose(margin(np.array([[0.1, 0.6, 0.3], [1, 0, 0], [0.5, 0.5, 0]])), [0.3, 1, 0])
    assert margin(np.array([1.0])) == 1


def test_entropy_goes_from_certain_to_anything():
    np.testing.assert_allclose(entropy(np.array([[1, 0, 0, 0], [0.25] * 4, [0.5, 0.5, 0, 0]])), [0, 1, 0.5])
    assert entropy(np.array([1.0])) == 0
