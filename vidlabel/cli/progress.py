"""A progress bar, on a terminal only."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

# No thread that wakes up to see whether a bar moves too rarely: ours are told often enough.
tqdm.monitor_interval = 0
_USUAL_COLUMNS = 80

BYTES = "B"
"""The unit that is shown in thousands and millions."""


class Bar:
    """Takes note of how far something is."""

    def __init__(self, bar: tqdm[Any]) -> None:
        self._bar = bar

    def advance(self, count: int = 1) -> None:
        """So many more are done."""
        self._bar.update(count)

    def say(self, words: str) -> None:
        """What is being done now."""
        self._bar.set_description_str(words)

    def at(self, done: int, total: int | None) -> None:
        """So many of so many (None: not known yet) are done."""
        self._bar.total = total
        self._bar.update(done - self._bar.n)

    def line(self, tell: Callable[[str], None], words: str) -> None:
        """Lets ``tell`` print a line above the bar."""
        with tqdm.external_write_mode(file=sys.stderr):
            tell(words)


@contextmanager
def progress(words: str, *, total: int | None = None, unit: str = " clips") -> Iterator[Bar]:
    """Shows a bar on stderr while the block runs; silent where stderr is a file or a pipe."""
    quiet = not sys.stderr.isatty()
    with tqdm(
        desc=words, total=total, unit=unit, unit_scale=unit == BYTES,
        disable=quiet, file=sys.stderr, leave=False, ncols=_columns(),
    ) as bar:  # fmt: skip
        yield Bar(bar)


def _columns() -> int | None:
    """The width for a terminal that does not tell its own (a serial line); None leaves it to the terminal."""
    try:
        return None if os.get_terminal_size(sys.stderr.fileno()).columns else _USUAL_COLUMNS
    except (OSError, ValueError):
        return None
