"""What the evaluate page says of a result: when it was made, against what, and what to know before believing it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

from vidlabel.core.evaluation import ClipAnswer, Evaluated, LabelResult
from vidlabel.core.time import US_PER_SECOND
from vidlabel.services.evaluation_jobs import Asked, Subject
from vidlabel.services.evaluation_results import Result
from vidlabel.services.models import Presence
from vidlabel.ui.evaluate.texts import cautions, doubtful_words, made_words

NOW = datetime(2026, 5, 4, 12, 0)


def result(*, model: str = "abc", part: Any = None, trained_on: int = 0) -> Result:
    answer = ClipAnswer(1, "run", "wave", 0.9, 0.05, 2)
    found = Evaluated(
        model="small", hash=model, clips=1, labels=("run", "wave"), top1=0.0, top5=1.0, mean_class=0.0, ece=0.9,
        confusion=((0, 1), (0, 0)),
        figures=(LabelResult("run", 1, 0.0, None), LabelResult("wave", 0, None, 0.0)), bins=(), answers=(answer,),
        trained_on=trained_on,
    )  # fmt: skip
    asked = Asked(model=model, name="small", labels=found.labels, subject=Subject(part=part))
    return Result(
        asked=asked, evaluated=found, names={1: ("/films/1.mp4", 0, 1)}, unusable=0, cells={}, doubtful=(answer,),
        interval=(0.0, 1.0), interval_of={}, made_at_us=round(NOW.timestamp()) * US_PER_SECOND,
    )  # fmt: skip


def entry(model: str, name: str, presence: Presence) -> Any:
    return cast(Any, SimpleNamespace(facts=SimpleNamespace(hash=model, name=name), presence=presence))


def test_a_model_that_is_gone_or_not_the_active_one_is_said_to_be() -> None:
    other = entry("def", "other", Presence.ACTIVE)
    mine = entry("abc", "small", Presence.INSTALLED)
    assert cautions(result(), outdated=0, models=(other,)) == ("small is not installed any more.",)
    said = cautions(result(), outdated=0, models=(mine, other))
    assert said == ("small is not the active model; that is other.",)
    active = entry("abc", "small", Presence.ACTIVE)
    # With more views it is the same model.
    assert cautions(result(model="abc-v3"), outdated=0, models=(active,)) == ()


def test_what_was_decided_since_means_another_thing_for_a_part_of_a_snapshot() -> None:
    (of_all,) = cautions(result(), outdated=2)
    (of_part,) = cautions(result(part="test"), outdated=2)
    assert "evaluate again" in of_all
    assert "labels of the snapshot" in of_part and "evaluate again" not in of_part
    (added,) = cautions(replace(result(), added=3), outdated=0)
    assert "3 clips decided since" in added


def test_when_it_was_made_and_against_what() -> None:
    assert made_words(result(), NOW) == "Measured today 12:00, against what was decided by then"
    later = datetime(2026, 5, 9, 12, 0)
    assert made_words(result(part="test"), later).startswith("Measured 2026-05-04 12:00")


def test_a_model_does_not_find_the_wrong_labels_it_learned_from() -> None:
    assert "trained on some of these clips" in doubtful_words(result(trained_on=1))
    assert "trained" not in doubtful_words(result())
