"""Time arithmetic, in one place: integer microseconds of presentation time, half-open ranges."""

from __future__ import annotations

from datetime import UTC, date, datetime

US_PER_SECOND = 1_000_000


def us_from_seconds(seconds: float) -> int:
    """Seconds to the nearest whole microsecond."""
    return round(seconds * US_PER_SECOND)


def seconds_from_us(us: int) -> float:
    """Microseconds to seconds."""
    return us / US_PER_SECOND


def now_us() -> int:
    """The present moment in microseconds since 1970-01-01 UTC."""
    return round(datetime.now(UTC).timestamp() * US_PER_SECOND)


def today() -> date:
    """The day it is here."""
    return datetime.now().astimezone().date()


def iso_from_us(moment_us: int) -> str:
    """A moment in microseconds since 1970 UTC as ISO 8601 with the zone, to the millisecond."""
    moment = datetime.fromtimestamp(moment_us / US_PER_SECOND, UTC)
    return moment.isoformat(timespec="milliseconds")


def us_from_iso(text: str) -> int:
    """The inverse of :func:`iso_from_us`; a text without a zone is taken as UTC.

    Raises:
        ValueError: the text is no ISO 8601 moment.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * US_PER_SECOND)


def short_duration(us: int) -> str:
    """A duration for lists: ``0:03``, ``12:07``, ``1:02:03``."""
    seconds = round(max(us, 0) / US_PER_SECOND)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def timecode(us: int) -> str:
    """A position for the player: ``00:01.467``, with hours where there are any."""
    milliseconds = max(us, 0) // 1000
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    clock = f"{minutes:02d}:{seconds:02d}.{milliseconds:03d}"
    return f"{hours}:{clock}" if hours else clock
