"""What a person types into the filter, and what it means."""

from __future__ import annotations

from datetime import datetime

import pytest

from vidlabel.core.errors import FilterError
from vidlabel.core.filter_chips import chips, expression
from vidlabel.core.filter_completion import FilterFacts, completions
from vidlabel.core.filters import parse, text_words
from vidlabel.core.words import DECIDED_STATES, ChosenClips, ClipQuery, ClipState, QueueOrder


def test_nothing_means_every_clip() -> None:
    assert parse("   ") == ClipQuery()


def test_words_are_searched_in_the_path() -> None:
    assert parse('fencing "day 1"').text == 'fencing "day 1"'
    assert text_words('fencing "day 1"') == ("fencing", "day 1")


def test_fields_combine() -> None:
    query = parse('state:suggested suggested:kick,"kick ball" folder:sub/dir/ left')
    assert query == ClipQuery(
        text="left",
        states=frozenset({ClipState.SUGGESTED}),
        suggested=frozenset({"kick", "kick ball"}),
        folder="sub/dir",
    )


def test_a_folder_may_be_absolute() -> None:
    assert parse("folder:/media/day1/").folder == "/media/day1"


def test_decided_means_accepted_corrected_or_labelled() -> None:
    assert parse("State:decided").states == DECIDED_STATES


def test_one_field_twice_means_either() -> None:
    assert parse("label:wave label:kick").labels == frozenset({"wave", "kick"})


def test_a_label_may_hold_a_comma_and_a_quote() -> None:
    assert parse(r'label:"sit, then \"stand\""').labels == frozenset({'sit, then "stand"'})


@pytest.mark.parametrize(
    ("expression", "inside", "outside"),
    [
        ("conf<0.4", 0.3999999, 0.4),
        ("conf<=0.4", 0.4, 0.4000001),
        ("conf>40%", 0.4000001, 0.4),
        ("conf>=0.8 conf<0.9", 0.8, 0.9),
    ],
)
def test_bounds(expression: str, inside: float, outside: float) -> None:
    query = parse(expression)
    least = 0.0 if query.min_probability is None else query.min_probability
    most = 1.0 if query.max_probability is None else query.max_probability
    assert least <= inside <= most
    assert not least <= outside <= most


def test_sorting_is_kept_from_the_base() -> None:
    base = ClipQuery(sort="path", order=QueueOrder.SUREST, text="old")
    assert parse("new", base=base) == ClipQuery(sort="path", order=QueueOrder.SUREST, text="new")


@pytest.mark.parametrize(
    ("expression", "position", "word"),
    [
        ("a  colour:red", 3, "colour"),
        ("state:done", 6, "done"),
        ("conf<high", 5, "number"),
        ("conf<1.2", 5, "0 to 1"),
        ("conf:0.4", 4, "compared"),
        ("label=wave", 5, "colon"),
        ("label:", 6, "missing"),
        ("label:wave,", 11, "missing"),
        ('wave "open', 5, "closing"),
        ("conf>0.9 conf<0.1", 0, "bounds"),
        ("folder:a folder:b", 16, "once"),
    ],
)
def test_what_cannot_be_understood_is_pointed_at(expression: str, position: int, word: str) -> None:
    with pytest.raises(FilterError) as caught:
        parse(expression)
    assert caught.value.position == position
    assert word in caught.value.reason
    assert str(caught.value).splitlines()[2].index("^") == position + 2


def test_what_looks_like_a_field_can_be_quoted() -> None:
    assert parse('"take:2"').text == "take:2"


def test_days_are_those_of_this_place() -> None:
    begin = round(datetime(2026, 11, 2).astimezone().timestamp()) * 1_000_000
    end = round(datetime(2026, 11, 3).astimezone().timestamp()) * 1_000_000
    assert parse("date:2026-11-02") == ClipQuery(decided_from_us=begin, decided_to_us=end)
    assert parse("date>=2026-11-02 date<2026-11-03") == parse("date=2026-11-02")
    assert parse("date>2026-11-02") == ClipQuery(decided_from_us=end)
    assert parse("date<=2026-11-02") == ClipQuery(decided_to_us=end)


def test_durations() -> None:
    assert parse("duration<3s") == ClipQuery(max_duration_us=2_999_999)
    assert parse("duration>=1:30 duration<=2m") == ClipQuery(
        min_duration_us=90_000_000, max_duration_us=120_000_000
    )
    assert parse("duration=200ms") == ClipQuery(min_duration_us=200_000, max_duration_us=200_000)


def test_who_parts_and_answers() -> None:
    assert parse('annotator:ana,"Ben B" split:test disagree:yes flag:no note:YES') == ClipQuery(
        annotators=frozenset({"ana", "Ben B"}),
        parts=frozenset({"test"}),
        disagrees=True,
        flagged=False,
        noted=True,
    )


@pytest.mark.parametrize(
    ("expression", "position"),
    [
        ("date:yesterday", 5), ("date>2026-13-01", 5), ("duration:3s", 8), ("duration<long", 9),
        ("split:training", 6), ("flag:maybe", 5), ("note>1", 4), ("duration>3s duration<2s", 0),
        ("date>2026-11-02 date<2026-11-02", 0),
    ],
)  # fmt: skip
def test_what_cannot_be_meant(expression: str, position: int) -> None:
    with pytest.raises(FilterError) as caught:
        parse(expression)
    assert caught.value.position == position


@pytest.mark.parametrize(
    "typed",
    [
        "", "fencing", '"day 1"', '"label:wave"', "state:decided", "state:skipped,missing", "label:wave,kick",
        'label:"sit, then \\"stand\\""', "suggested:kick folder:day1/morning", 'folder:"/media/day 1"', "conf<0.4",
        "conf<=0.4", "conf>0.3 conf<0.9", "conf=0.5", "annotator:ana", "date:2026-11-02", "date>=2026-11-02",
        "date<2026-11-02", "duration<3s", "duration>=90s duration<=200s", "duration=200ms", "duration>33.333ms",
        "split:test,train disagree:no flag:yes note:no", "state:decided label:wave conf<0.4 fencing left",
    ],
)  # fmt: skip
def test_a_query_can_be_typed_again_and_taken_apart(typed: str) -> None:
    query = parse(typed)
    again = expression(query)
    assert parse(again) == query
    while parts := chips(query):
        assert all(len(chips(part.without)) == len(parts) - 1 for part in parts)
        query = parts[0].without
    assert query == ClipQuery()


def test_of_picked_clips_one_can_let_go() -> None:
    query = ClipQuery(chosen=ChosenClips(words="lost", ids=(3, 1)), sort="chosen", flagged=True)
    first = chips(query)[0]
    assert (first.field, first.text) == ("chosen", "lost")
    assert first.without == ClipQuery(flagged=True)
    assert expression(query) == "flag:yes"


FACTS = FilterFacts(
    labels=("wave", "sit up", "sit"), folders=("", "day 1", "day 1/late"), annotators=("ana",)
)


@pytest.mark.parametrize(
    ("typed", "result"),
    [
        ("st", "state:"),
        ("con", "conf<"),
        ("state:sug", "state:suggested"),
        ("label:wave,si", 'label:wave,"sit up"'),
        ('label:"sit u', 'label:"sit up"'),
        ("left folder:la", 'left folder:"day 1/late"'),
        ("conf", "conf<"),
        ("conf>", "conf>=0.8"),
        ("annotator:", "annotator:ana"),
        ("disagree:", "disagree:yes"),
        ("split:te", "split:test"),
    ],
)
def test_what_may_come_is_offered(typed: str, result: str) -> None:
    found = completions(f"{typed} left", len(typed), FACTS)
    assert typed[: found.start] + found.choices[0].text + typed[found.end :] == result


@pytest.mark.parametrize("typed", ['"lab', "clip_0", "nothing:x", "label:wave", "conf<0.4"])
def test_nothing_is_offered_where_nothing_fits(typed: str) -> None:
    assert completions(typed, len(typed), FACTS).choices == ()
