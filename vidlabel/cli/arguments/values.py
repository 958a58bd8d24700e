"""What the arguments of all commands are made of."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

from vidlabel.core.words import MOST_VIEWS

DEVICES = ("auto", "cpu", "cuda", "mps")
_PROJECT = "a *.vidlabel file, or a folder of videos (its own project is then opened or created)"
_SHORTEST_S = 0.1
"""Windows and steps below this look at nearly the same frames over and over."""


@dataclass(frozen=True)
class Command:
    """What a command says of itself, and what adds its arguments."""

    says: str
    example: str
    arguments: Callable[[argparse.ArgumentParser], None]
    more: str = ""


def with_project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("project", metavar="PROJECT", help=_PROJECT)


def positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of 1 or more")
    return number


def views(text: str) -> int:
    number = positive(text)
    if number > MOST_VIEWS:
        raise argparse.ArgumentTypeError(f"'{text}' is more than {MOST_VIEWS} looks at a clip")
    return number


def seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not math.isfinite(number) or number < 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no time in seconds")
    return number


def length(text: str) -> float:
    number = seconds(text)
    if number < _SHORTEST_S:
        raise argparse.ArgumentTypeError(f"'{text}' is less than {_SHORTEST_S:g} seconds")
    return number


def share(text: str) -> float:
    """'0.4' and '40%' alike."""
    try:
        number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        number = -1.0
    if not 0 < number <= 1:
        raise argparse.ArgumentTypeError(f"'{text}' is no share between 0 and 1 (or 0% and 100%)")
    return number
