"""What a command says: its answer on stdout, everything else on stderr."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from typing import Any


class Output:
    """The two channels of one command.

    Args:
        as_json: one JSON document on stdout instead of words.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.answered = False
        """Whether the answer was given: there is only one, whatever happens after it."""

    def answer(self, document: dict[str, Any], lines: Sequence[str]) -> None:
        """The command's answer, once: the document with ``--json``, else the lines."""
        # ASCII on purpose: JSON is read the same whatever encoding the pipe or terminal has.
        text = json.dumps(document, indent=2) if self.as_json else "\n".join(lines)
        self.answered = True
        if text:
            print(text)
        sys.stdout.flush()

    def log(self, line: str) -> None:
        """Something worth knowing while it runs."""
        print(line, file=sys.stderr, flush=True)


def make_printable() -> None:
    """Lets names through that the terminal's encoding cannot show, instead of failing on them."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
