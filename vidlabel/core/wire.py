"""Messages on the wire: a 4-byte big-endian length, then UTF-8 JSON ``[class name, {field: value}]``."""

from __future__ import annotations

import json
import struct
import types
import typing
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any

from vidlabel.core.messages import PROTOCOL, Message

MAX_MESSAGE = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")


def _all_messages() -> dict[str, type[Message]]:
    return {cls.__name__: cls for cls in Message.__subclasses__()}


_BY_NAME = _all_messages()


@cache
def _field_types(cls: type) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return value


def _typed(value: Any, kind: Any) -> Any:
    origin = typing.get_origin(kind)
    if origin is tuple:
        inner = typing.get_args(kind)
        if len(inner) == 2 and inner[1] is Ellipsis:
            return tuple(_typed(item, inner[0]) for item in value)
        return tuple(_typed(item, part) for item, part in zip(value, inner, strict=True))
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _typed(value, next(part for part in typing.get_args(kind) if part is not type(None)))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _field_types(kind)
        return kind(**{name: _typed(item, hints[name]) for name, item in value.items()})
    return value


def encode(message: Message) -> bytes:
    """A message with its length in front, ready for the pipe."""
    body = json.dumps([type(message).__name__, _plain(message)], separators=(",", ":")).encode()
    return _LENGTH.pack(len(body)) + body


def decode(body: bytes | bytearray | memoryview) -> Message:
    """The inverse of :func:`encode`, without the length.

    Raises:
        ValueError: these bytes are no message of this protocol.
    """
    try:
        name, values = json.loads(bytes(body))
        return typing.cast(Message, _typed(values, _BY_NAME[name]))
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise ValueError(f"not a message of protocol {PROTOCOL}: {error}") from error


class MessageBuffer:
    """Cuts a byte stream into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """Takes what arrived and yields each message that is now whole.

        Raises:
            ValueError: the stream is out of step.
        """
        self._bytes += data
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            if length > MAX_MESSAGE:
                raise ValueError(f"a message of {length} bytes cannot be right")
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                return
            body = bytes(self._bytes[_LENGTH.size : end])
            del self._bytes[:end]
            yield decode(body)
