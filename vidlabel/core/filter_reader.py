"""Reads the words, fields and quoted values of a filter expression from left to right."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vidlabel.core.errors import FilterError

_TERM = re.compile(r"(?P<name>[A-Za-z_]+)(?P<operator>:|<=|>=|<|>|=)")


@dataclass(frozen=True, slots=True)
class Value:
    """One value without its quotation marks, and where it began."""

    text: str
    position: int


class Reader:
    """A place in an expression."""

    def __init__(self, expression: str) -> None:
        self.expression = expression
        self.position = 0

    def skip_spaces(self) -> bool:
        """Goes to the next term; False at the end."""
        while self.position < len(self.expression) and self.expression[self.position].isspace():
            self.position += 1
        return self.position < len(self.expression)

    def head(self) -> re.Match[str] | None:
        """``field:`` or ``field<`` where the next term begins so."""
        found = _TERM.match(self.expression, self.position)
        if found is not None:
            self.position = found.end()
        return found

    def value(self, *, until: str = "") -> Value:
        """One value, quoted or up to a space or one of the characters in ``until``."""
        start = self.position
        if self.expression[start : start + 1] == '"':
            return self._quoted()
        while self.position < len(self.expression):
            character = self.expression[self.position]
            if character.isspace() or character in until:
                break
            self.position += 1
        return Value(self.expression[start : self.position], start)

    def values(self) -> list[Value]:
        """Values separated by commas."""
        found = [self.value(until=",")]
        while self.expression[self.position : self.position + 1] == ",":
            self.position += 1
            found.append(self.value(until=","))
        for value in found:
            if not value.text:
                raise self.error(value.position, "a value is missing here.")
        return found

    def error(self, position: int, reason: str) -> FilterError:
        """The error about this place of the expression."""
        return FilterError(self.expression, position, reason)

    def _quoted(self) -> Value:
        start = self.position
        text = ""
        at = start + 1
        while at < len(self.expression):
            character = self.expression[at]
            if character == "\\" and self.expression[at + 1 : at + 2] in ('"', "\\"):
                text += self.expression[at + 1]
                at += 2
                continue
            if character == '"':
                self.position = at + 1
                return Value(text, start)
            text += character
            at += 1
        raise self.error(start, 'the closing " is missing.')


def quoted(text: str, *, also: str = "") -> str:
    """A value as :meth:`Reader.value` reads it back: in quotation marks where it needs them.

    ``also`` are characters besides spaces that would end it.
    """
    plain = text and text[0] != '"' and not any(mark.isspace() or mark in also for mark in text)
    if plain:
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
