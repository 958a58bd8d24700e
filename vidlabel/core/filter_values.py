"""What a single value of a filter expression means: a confidence, a length of time, a day, a yes."""

from __future__ import annotations

import math
import re
from datetime import date, datetime, timedelta

from vidlabel.core.filter_reader import Reader, Value
from vidlabel.core.time import US_PER_SECOND

_DURATION = re.compile(r"(?P<number>\d+(?:\.\d*)?|\.\d+)(?P<unit>ms|s|m|min|h)?", re.ASCII)
_UNITS = {"ms": 0.001, "s": 1, None: 1, "m": 60, "min": 60, "h": 3600}
_YES = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}

Bounds = tuple[float | None, float | None]
"""From and to; None is open."""


def probability_of(reader: Reader, value: Value) -> float:
    """0..1, from a number or a percentage."""
    percent = value.text.endswith("%")
    try:
        number = float(value.text.removesuffix("%")) / (100 if percent else 1)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise reader.error(value.position, "a confidence is a number from 0 to 1, or a percentage.")
    return number


def duration_of(reader: Reader, value: Value) -> int:
    """Microseconds, from '3s', '0.5', '200ms', '2m' or '1:30'."""
    minutes, colon, seconds = value.text.rpartition(":")
    found = _DURATION.fullmatch(seconds.lower())
    if found is None or (colon and not (minutes.isdecimal() and minutes.isascii())):
        raise reader.error(value.position, "a duration is written like 3s, 0.5s, 200ms, 2m or 1:30.")
    length = float(found["number"]) * _UNITS[found["unit"]] + 60 * int(minutes or 0)
    return round(length * US_PER_SECOND)


def day_of(reader: Reader, value: Value) -> date:
    """A day, from '2026-11-02'."""
    try:
        day = date.fromisoformat(value.text)
        begin_us(day), begin_us(day + timedelta(days=1))
    except (ValueError, OverflowError, OSError):
        raise reader.error(value.position, "a date is written like 2026-11-02.") from None
    return day


def begin_us(day: date) -> int:
    """When a day begins here, in microseconds since 1970 UTC."""
    return round(datetime(day.year, day.month, day.day).astimezone().timestamp()) * US_PER_SECOND


def day_bounds(day: date, operator: str) -> tuple[int | None, int | None]:
    """From (included) and to (not included) for 'decided on, before, since ... this day'."""
    begin, end = begin_us(day), begin_us(day + timedelta(days=1))
    match operator:
        case "<":
            return None, begin
        case "<=":
            return None, end
        case ">":
            return end, None
        case ">=":
            return begin, None
        case _:
            return begin, end


def yes_or_no(reader: Reader, value: Value) -> bool:
    """True for yes, False for no."""
    found = _YES.get(value.text.lower())
    if found is None:
        raise reader.error(value.position, "this is answered by yes or no.")
    return found
