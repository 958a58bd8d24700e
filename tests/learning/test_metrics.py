"""Against cases small enough to be worked out by hand."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest

from vidlabel.learning.calibration import calibrated, fit_temperature
from vidlabel.learning.evaluate import evaluate_probabilities
from vidlabel.learning.metrics import (
    confusion_matrix,
    expected_calibration_error,
    mean_class_accuracy,
    reliability,
    top_k_accuracy,
)

P = np.array([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1], [0.1, 0.3, 0.6], [0.6, 0.3, 0.1]], np.float32)
TRUTH = np.array([0, 1, 2, 2])


def test_top_k():
    assert top_k_accuracy(P, TRUTH, k=1) == 0.5
    assert top_k_accuracy(P, TRUTH, k=2) == 0.75
    assert top_k_accuracy(P, TRUTH, k=3) == 1.0
    assert top_k_accuracy(P, TRUTH, k=99) == 1.0


def test_equal_probabilities_count_in_label_order():
    uniform = np.full((3, 3), 1 / 3)
    assert top_k_accuracy(uniform, np.array([0, 1, 2]), k=1) == pytest.approx(1 / 3)
    assert top_k_accuracy(uniform, np.array([0, 1, 2]), k=2) == pytest.approx(2 / 3)


def test_confusion_has_the_truth_in_its_rows():
    assert confusion_matrix(P, TRUTH).tolist() == [[1, 0, 0], [1, 0, 0], [1, 0, 1]]


def test_mean_class_accuracy_weighs_each_label_that_occurs_the_same():
    assert mean_class_accuracy(P, TRUTH) == pytest.approx((1 + 0 + 0.5) / 3)
    assert mean_class_accuracy(P[:1], TRUTH[:1]) == 1.0


def test_expected_calibration_error():
    # Confidences 0.7 right, 0.5 wrong, 0.6 right, 0.6 wrong; fifths hold {0.5, 0.6, 0.6} and {0.7}.
    expected = 3 / 4 * abs((0.5 + 0.6 + 0.6) / 3 - 1 / 3) + 1 / 4 * abs(0.7 - 1)
    assert expected_calibration_error(P.astype(float).round(6), TRUTH, bins=5) == pytest.approx(expected)


def test_bins_are_closed_above_as_in_the_paper():
    _, accuracy, clips = reliability(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert clips.tolist() == [1, 1] and accuracy.tolist() == [1.0, 1.0]


def test_a_model_that_means_what_it_says_has_no_calibration_error():
    probabilities = np.tile([0.75, 0.25], (4, 1))
    assert expected_calibration_error(probabilities, np.array([0, 0, 0, 1])) == pytest.approx(0)


def test_no_clips_have_no_figures():
    empty, none = np.empty((0, 3)), np.empty(0, int)
    assert math.isnan(top_k_accuracy(empty, none)) and math.isnan(mean_class_accuracy(empty, none))
    assert math.isnan(expected_calibration_error(empty, none))
    assert evaluate_probabilities(empty, none, ["a", "b", "c"]).to_json()["top1"] is None


@pytest.mark.parametrize(
    ("probabilities", "truth"),
    [(P, TRUTH[:3]), (P, TRUTH + 1), (P, TRUTH - 1), (P[0], TRUTH), (np.full((4, 3), np.nan), TRUTH)],
)
def test_what_does_not_go_together_is_refused(probabilities, truth):
    with pytest.raises(ValueError):
        top_k_accuracy(probabilities, truth)


def test_an_evaluation_has_all_figures_of_each_label():
    evaluation = evaluate_probabilities(P, TRUTH, ["run", "sit", "wave"])
    assert (evaluation.clips, evaluation.top1, evaluation.top5) == (4, 0.5, 1.0)
    run, sit, wave = evaluation.labels
    assert (run.clips, run.recall, run.precision) == (1, 1.0, pytest.approx(1 / 3))
    assert (sit.recall, sit.precision) == (0.0, None)
    assert (wave.recall, wave.precision) == (0.5, 1.0)
    assert evaluation.to_json()["confusion"] == [[1, 0, 0], [1, 0, 0], [1, 0, 1]]


def test_the_temperature_undoes_overconfidence():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (20_000, 5))
    honest = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (honest.cumsum(1) < rng.random((len(honest), 1))).sum(1)
    boastful = calibrated(honest, 1 / 3)
    temperature = fit_temperature(boastful, truth)
    assert temperature == pytest.approx(3, rel=0.05)
    assert expected_calibration_error(calibrated(boastful, temperature), truth) < 0.015
    assert expected_calibration_error(boastful, truth) > 0.1
    assert (calibrated(boastful, temperature).argmax(1) == boastful.argmax(1)).all()


def test_no_clips_leave_the_confidence_as_it_is():
    assert fit_temperature(np.empty((0, 3)), np.empty(0, int)) == 1.0
    np.testing.assert_allclose(calibrated(P, 1.0), P, rtol=1e-5)
    with pytest.raises(ValueError, match="above 0"):
        calibrated(P, 0)


def test_the_floor_is_reached_without_torch():
    code = (
        "import sys; import vidlabel.learning.metrics, vidlabel.learning.split, vidlabel.learning.order,"
        " vidlabel.learning.fit, vidlabel.learning.evaluate, vidlabel.learning.batches;"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
