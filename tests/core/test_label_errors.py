"""Which decided clips are worth a second look."""

from __future__ import annotations

from vidlabel.core.evaluation import ClipAnswer
from vidlabel.core.label_errors import LEAST, label_errors, sure_from


def _answer(clip: int, label: str, suggested: str, probability: float, own: float) -> ClipAnswer:
    return ClipAnswer(clip, label, suggested, probability, own, 1 if label == suggested else 2)


SURE_WAVES = tuple(_answer(number, "wave", "wave", 0.9, 0.9) for number in range(10, 15))


def test_a_clip_counts_where_the_model_gives_another_label_as_much_as_that_label_gets_itself() -> None:
    found = label_errors(
        [*SURE_WAVES, _answer(1, "run", "wave", 0.95, 0.01), _answer(2, "run", "wave", 0.85, 0.1)]
    )
    assert [one.clip_id for one in found] == [1]


def test_what_is_contradicted_most_comes_first_and_below_a_half_nothing_is_sure() -> None:
    answers = [
        _answer(1, "run", "kick", 0.6, 0.3),
        _answer(2, "run", "kick", 0.8, 0.05),
        _answer(3, "run", "kick", 0.49, 0.2),
        _answer(4, "kick", "run", 0.55, 0.3),
        _answer(5, "run", "", 0.0, 0.0),
    ]
    assert sure_from(answers)["kick"] == LEAST
    assert [one.clip_id for one in label_errors(answers)] == [2, 1, 4]


def test_nothing_to_look_at_where_all_agree() -> None:
    assert label_errors(SURE_WAVES) == ()
    assert label_errors(()) == ()
