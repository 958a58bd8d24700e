"""What a person types into the filter, and what it means."""

from __future__ import annotations

import pytest

from vidlabel.core.errors import FilterError
from vidlabel.core.filters import parse, text_words
from vidlabel.core.words import DECIDED_STATES, ClipQuery, ClipState, QueueOrder


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
