"""Names of files as database text.

A file name on Linux need not be valid UTF-8; Python then carries the odd bytes as lone surrogates, which no
database takes. They are stored as an escape character and four hexadecimal digits, and so is the escape
character itself, so that every name comes back exactly as it was.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

_UNSTORABLE = re.compile("[\x1b\ud800-\udfff]")
_ESCAPED = re.compile("\x1b([0-9a-f]{4})")


def to_stored(name: str) -> str:
    """A name as it is written to the database."""
    if name.isascii() and "\x1b" not in name:
        return name
    return _UNSTORABLE.sub(lambda match: f"\x1b{ord(match.group()):04x}", name)


def from_stored(stored: str) -> str:
    """The inverse of :func:`to_stored`."""
    if "\x1b" not in stored:
        return stored
    return _ESCAPED.sub(lambda match: chr(int(match.group(1), 16)), stored)


def absolute(root: str, relative: str) -> str:
    """The path on this machine of a file of a root (both as in Python, not as stored)."""
    if os.sep != "/":
        relative = relative.replace("/", os.sep)
    return root + relative if root.endswith(os.sep) else root + os.sep + relative


class NameText(TypeDecorator[str]):
    """Text that may hold any file name."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else to_stored(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else from_stored(value)
