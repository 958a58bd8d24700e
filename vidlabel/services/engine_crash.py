"""What is said when the engine dies."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import PurePath

_OUTSIDE = frozenset({"SIGKILL", "SIGTERM", "SIGHUP"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashRecord:
    """How the process ended.

    Exit code or (``crashed``) the signal's number, and the files it was working on.
    """

    code: int
    crashed: bool
    suspects: tuple[str, ...]

    @property
    def from_outside(self) -> bool:
        """Whether somebody ended it, or the system for want of memory: no decoder does that."""
        return self.crashed and _signal_name(self.code) in _OUTSIDE


def crash_words(record: CrashRecord) -> str:
    """One or two sentences for the status bar."""
    return f"The media engine {_how(record)}{_while(record.suspects)}. It is started again; nothing was lost."


def _how(record: CrashRecord) -> str:
    if not record.crashed:
        return f"ended unexpectedly (exit code {record.code})"
    name = _signal_name(record.code)
    if record.from_outside:
        return f"was ended from outside or ran out of memory ({name})"
    return f"crashed ({name})"


def _signal_name(code: int) -> str:
    try:
        return signal.Signals(code).name
    except ValueError:
        # Windows gives an exception code such as 0xC0000005 instead of a signal.
        return f"0x{code & 0xFFFFFFFF:08X}"


def _while(suspects: tuple[str, ...]) -> str:
    names = [PurePath(path).name for path in suspects]
    if not names:
        return ""
    return (
        f" while reading {names[0]}"
        if len(names) == 1
        else f" while reading {', '.join(names[:-1])} or {names[-1]}"
    )
