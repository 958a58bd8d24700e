"""Paired figures against scipy and published examples; the proof on answers made up by hand."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats

from vidlabel.core.proof import Proof
from vidlabel.core.proof_words import cautions, details, guard_words, verdict
from vidlabel.core.snapshot import Snapshot, SnapshotClip
from vidlabel.learning.answers import Answers, evaluated, judged
from vidlabel.learning.paired import mcnemar, paired_interval, wilson
from vidlabel.learning.proof import Contender, compared


# --- paired figures ---------------------------------------------------------------------------------
@given(st.integers(0, 400), st.integers(0, 400))
def test_the_exact_test_is_scipys(won: int, lost: int) -> None:
    wanted = stats.binomtest(won, won + lost, 0.5).pvalue if won + lost else 1.0
    assert mcnemar(won, lost) == pytest.approx(wanted, rel=1e-9)


def test_the_exact_test_holds_for_many_clips() -> None:
    for won, lost in ((5200, 4800), (500, 501), (20_000, 19_000)):
        assert mcnemar(won, lost) == pytest.approx(stats.binomtest(won, won + lost, 0.5).pvalue, rel=1e-6)
    assert mcnemar(3000, 0) == 0.0 or mcnemar(3000, 0) < 1e-300


@given(st.integers(0, 300), st.integers(0, 300))
def test_wilson_is_scipys(right: int, wrong: int) -> None:
    clips = right + wrong
    if clips == 0:
        assert wilson(0, 0) == (0.0, 1.0)
        return
    wanted = stats.binomtest(right, clips).proportion_ci(0.95, method="wilson")
    assert wilson(right, clips) == pytest.approx((wanted.low, wanted.high), abs=1e-9)


def test_the_interval_is_the_published_one() -> None:
    # Airway hyper-responsiveness before and after transplantation, 21 children: 1 and 7 changed (the example of
    # Fagerland, Lydersen and Laake, Stat. Med. 2014, for Tango's interval: -0.517 to -0.026).
    assert paired_interval(1, 7, 21) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert mcnemar(1, 7) == pytest.approx(0.0703, abs=5e-5)


@given(st.integers(0, 25), st.integers(0, 25), st.integers(0, 40))
def test_a_bound_is_where_a_likelihood_score_test_just_rejects(won: int, lost: int, same: int) -> None:
    clips = won + lost + same
    if clips == 0:
        return
    low, high = paired_interval(won, lost, clips)
    assert -1 <= low <= (won - lost) / clips <= high <= 1
    for bound in (low, high):
        if 1 - abs(bound) > 1e-3 and abs(bound - (won - lost) / clips) > 1e-6:
            assert _score(bound, won, lost, clips) == pytest.approx(stats.norm.ppf(0.975), abs=1e-3)


def _score(difference: float, won: int, lost: int, clips: int) -> float:
    """The same statistic with the likeliest share found by search instead of by formula."""
    least, most = max(0.0, -difference), (1 - difference) / 2

    def surprise(share: float) -> float:
        parts = ((won, share + difference), (lost, share), (clips - won - lost, 1 - 2 * share - difference))
        return -sum(count * math.log(max(value, 1e-300)) for count, value in parts if count)

    share = optimize.minimize_scalar(
        surprise, bounds=(least, most), method="bounded", options={"xatol": 1e-12}
    ).x
    variance = (2 * share + difference - difference**2) / clips
    return abs((won - lost) / clips - difference) / math.sqrt(variance)


def test_swapping_the_models_mirrors_everything() -> None:
    low, high = paired_interval(9, 2, 50)
    assert paired_interval(2, 9, 50) == pytest.approx((-high, -low))
    assert mcnemar(9, 2) == mcnemar(2, 9)


def test_no_clips_and_no_difference() -> None:
    assert paired_interval(0, 0, 0) == (-1.0, 1.0)
    low, high = paired_interval(0, 0, 20)
    assert low == pytest.approx(-high)
    assert 0.1 < high < 0.2
    assert mcnemar(0, 0) == 1.0


@pytest.mark.parametrize("wrong", [(-1, 0, 5), (3, 3, 5)])
def test_counts_that_do_not_go_together(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError):
        paired_interval(*wrong)


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    """By counting every outcome: 30 clips, of which 30 % are won and 10 % lost on average."""
    clips, won_share, lost_share = 30, 0.3, 0.1
    covered = 0.0
    for won in range(clips + 1):
        for lost in range(clips - won + 1):
            low, high = paired_interval(won, lost, clips)
            if low <= won_share - lost_share <= high:
                covered += stats.multinomial.pmf(
                    [won, lost, clips - won - lost],
                    clips,
                    [won_share, lost_share, 1 - won_share - lost_share],
                )
    assert 0.93 < covered < 0.975


# --- the proof ------------------------------------------------------------------------------------------
LABELS = ("wave", "run", "jump")
TRUTH = {1: "wave", 2: "wave", 3: "run", 4: "run", 5: "jump", 6: "jump"}


def snapshot(labels: tuple[str, ...] = LABELS) -> Snapshot:
    clips = [
        SnapshotClip(
            content_hash=f"h{number}", start_us=0, end_us=1, label=label, part="test", source=f"s{number // 2}",
            path=Path(f"{number}.mp4"), clip_id=number,
        )
        for number, label in TRUTH.items()
    ]  # fmt: skip
    learned = SnapshotClip(
        content_hash="t",
        start_us=0,
        end_us=1,
        label="wave",
        part="train",
        source="t",
        path=Path("t.mp4"),
        clip_id=99,
    )
    return Snapshot(clips=(*clips, learned), labels=labels, split="by-source")


def contender(
    said: dict[int, str], labels: tuple[str, ...] = LABELS, *, trained: tuple[str, ...] = ()
) -> Contender:
    rows = np.full((len(said), len(labels)), 0.1, np.float32)
    for row, label in enumerate(said.values()):
        rows[row, labels.index(label)] = 0.8
    answers = Answers(clip_ids=np.array(list(said), np.int64), labels=labels, probabilities=rows)
    return Contender(model=f"m{len(labels)}", hash="h", answers=answers, trained_on=frozenset(trained))


def test_clips_won_and_lost_and_the_figures() -> None:
    before = contender({1: "wave", 2: "run", 3: "run", 4: "wave", 5: "wave", 6: "jump"})
    after = contender({1: "wave", 2: "wave", 3: "run", 4: "run", 5: "jump", 6: "run"})
    proof = compared(before, after, snapshot())
    assert (proof.won, proof.lost) == ((2, 4, 5), (6,))
    assert proof.active.top1 == pytest.approx(3 / 6)
    assert proof.candidate.top1 == pytest.approx(5 / 6)
    assert proof.difference == pytest.approx(2 / 6)
    assert proof.interval[0] < proof.difference < proof.interval[1]
    assert proof.p_value == pytest.approx(stats.binomtest(3, 4).pvalue)
    assert proof.candidate.confusion == ((2, 0, 0), (0, 2, 0), (0, 1, 1))
    assert [(change.label, change.active, change.candidate) for change in proof.changes] == [
        ("wave", 0.5, 1.0), ("run", 0.5, 1.0), ("jump", 0.5, 0.5),
    ]  # fmt: skip
    assert proof.worse == ()
    assert proof.common is None
    assert proof.sources == 4
    assert Proof.from_json(json.loads(json.dumps(proof.to_json()))) == proof
    assert verdict(proof).startswith("Not to be told from chance: 83.3% instead of 50.0% of 6 clips")
    assert any("4 sources" in words for words in cautions(proof))
    assert "3 won, 1 lost" in details(proof)[0]


def test_a_label_that_loses_more_than_the_bound_is_worse() -> None:
    right = contender(TRUTH)
    after = contender(TRUTH | {5: "run"})
    assert [change.label for change in compared(right, after, snapshot(), bound=0.4).worse] == ["jump"]
    assert compared(right, after, snapshot(), bound=0.5).worse == ()
    proof = compared(right, after, snapshot())
    assert guard_words(proof) == (
        "1 label loses more than 10 points of its clips: jump 100% → 50.0% (2 clips)."
    )
    with pytest.raises(ValueError):
        compared(right, after, snapshot(), bound=1.5)


def test_a_label_only_one_of_them_knows() -> None:
    """The active model knows no 'jump' but 'sit' and 'wave', 'run'; the candidate the label list of the snapshot."""
    before = contender({1: "wave", 2: "sit", 3: "run", 4: "run", 5: "sit", 6: "run"}, ("wave", "sit", "run"))
    after = contender(TRUTH)
    proof = compared(before, after, snapshot())
    assert proof.unknown == ("jump",)
    assert proof.forgotten == ("sit",)
    assert proof.won == (2, 5, 6)
    assert proof.active.top1 == pytest.approx(0.5)
    # Clips 2 and 5 were said to be of a label outside the list.
    assert proof.active.elsewhere == (1, 0, 1)
    assert proof.common is not None
    assert (proof.common.labels, proof.common.clips) == (2, 4)
    # Without 'sit' both others are as probable, and the first of the list counts as the more probable.
    assert (proof.common.active, proof.common.candidate) == (1.0, 1.0)
    said = " ".join(cautions(proof))
    assert "does not know jump" in said
    assert "cannot suggest sit" in said
    assert Proof.from_json(json.loads(json.dumps(proof.to_json()))) == proof


def test_five_best_is_nothing_for_a_label_a_model_does_not_know() -> None:
    before = contender({1: "wave", 2: "wave", 3: "run", 4: "run", 5: "run", 6: "run"}, ("wave", "run"))
    assert compared(before, contender(TRUTH), snapshot()).active.top5 == pytest.approx(4 / 6)


def test_what_one_could_not_read_counts_for_neither_and_what_was_seen_is_said() -> None:
    before = contender({number: label for number, label in TRUTH.items() if number != 6}, trained=("h1", "t"))
    after = contender({number: label for number, label in TRUTH.items() if number != 1}, trained=("h2", "h3"))
    proof = compared(before, after, snapshot())
    assert (proof.clips, proof.unreadable) == (4, 2)
    assert (proof.seen_before, proof.seen_by_candidate) == (0, 2)
    assert verdict(proof) == "No difference: both have the same 100% of 4 clips right."


def test_nothing_to_measure() -> None:
    proof = compared(contender({}), contender({}), snapshot())
    assert (proof.clips, proof.p_value, proof.active.top1, proof.changes) == (0, 1.0, None, ())
    assert "nothing is proven" in verdict(proof)
    assert Proof.from_json(json.loads(json.dumps(proof.to_json()))) == proof


def test_labels_renamed_since() -> None:
    """The snapshot and the candidate say 'wave', which the project calls 'greet' now."""
    names = {"wave": "greet"}
    own = contender(TRUTH)
    now = Contender(model="m", hash="h", answers=own.answers.under(names))
    proof = compared(now, now, snapshot(), names=names)
    assert proof.labels == ("greet", "run", "jump")
    assert proof.candidate.top1 == 1.0


def test_proofs_of_before_can_be_read() -> None:
    content = compared(contender(TRUTH), contender(TRUTH), snapshot()).to_json()
    for name in ("seen_by_candidate", "unknown", "forgotten", "common", "sources"):
        del content[name]
    for name in ("active", "candidate"):
        del content[name]["elsewhere"]
    assert Proof.from_json(json.loads(json.dumps(content))).clips == 6


# --- answers --------------------------------------------------------------------------------------------
def test_labels_that_are_one_now_are_added() -> None:
    answers = Answers(
        clip_ids=np.array([7]),
        labels=("wave", "greet", "run"),
        probabilities=np.array([[0.3, 0.3, 0.4]], np.float32),
    )
    now = answers.under({"wave": "greet"})
    assert now.labels == ("greet", "run")
    assert now.probabilities[0] == pytest.approx([0.6, 0.4])
    (answer,) = judged(now, {7: "greet"})
    assert answer.right


def test_a_clip_the_model_had_no_numbers_for_is_wrong() -> None:
    answers = Answers(
        clip_ids=np.array([1, 2]), labels=("wave", "run"), silent={2: "no numbers"},
        probabilities=np.array([[0.9, 0.1], [0, 0]], np.float32),
    )  # fmt: skip
    found = evaluated("m", "h", answers, truth={1: "wave", 2: "wave", 3: "fly"})
    assert (found.clips, found.top1, found.top5) == (2, 0.5, 0.5)
    assert found.left_out == {"fly": 1}
    assert found.answers[1].suggested == ""
