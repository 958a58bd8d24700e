"""A reliability plot before and after calibrating, as an SVG file that any browser shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from vidlabel.core.words import Calibration, ReliabilityBin
from vidlabel.interop.atomic import writing

_SIDE, _GAP, _LEFT, _TOP = 260, 70, 56, 64
_WIDTH, _HEIGHT = _LEFT + 2 * _SIDE + _GAP + 24, _TOP + _SIDE + 56

_BEGINNING = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '


def write_plot(path: Path, calibration: Calibration, *, title: str) -> None:
    """Writes both plots side by side: for each bin how often the first suggestion was right, and how sure it was.

    Raises:
        OSError: the file cannot be written; what was there before is untouched.
    """
    with writing(path) as file:
        file.write(plot(calibration, title=title))


def is_plot(path: Path) -> bool:
    """Whether a file is an earlier plot, or empty.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(len(_BEGINNING)) in (_BEGINNING.encode(), b"")


def plot(calibration: Calibration, *, title: str) -> str:
    """The same as text."""
    sides = (
        ("Before", calibration.bins_before, calibration.ece_before),
        ("After", calibration.bins_after, calibration.ece_after),
    )
    parts = [
        f"{_BEGINNING}"
        f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="12" fill="#222">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
    ]
    for number, (name, bins, error) in enumerate(sides):
        parts += _side(_LEFT + number * (_SIDE + _GAP), f"{name}: ECE {error:.1%}", bins)
    return "\n".join([*parts, "</svg>\n"])


def _side(left: int, heading: str, bins: Sequence[ReliabilityBin]) -> list[str]:
    bottom = _TOP + _SIDE
    parts = [f'<text x="{left}" y="{_TOP - 12}">{escape(heading)}</text>']
    for one in bins:
        if one.accuracy is None or one.confidence is None:
            continue
        x, width = left + one.low * _SIDE, (one.high - one.low) * _SIDE
        height = one.accuracy * _SIDE
        said = bottom - one.confidence * _SIDE
        told = f"{one.clips} clips: said {one.confidence:.0%}, right {one.accuracy:.0%}"
        parts.append(
            f'<g><title>{told}</title><rect x="{x + 1:.1f}" y="{bottom - height:.1f}" '
            f'width="{width - 2:.1f}" height="{height:.1f}" fill="#7aa6d8"/>'
            f'<line x1="{x:.1f}" y1="{said:.1f}" x2="{x + width:.1f}" y2="{said:.1f}" '
            'stroke="#c0392b" stroke-width="2"/></g>'
        )
    parts.append(
        f'<rect x="{left}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#888"/>'
        f'<line x1="{left}" y1="{bottom}" x2="{left + _SIDE}" y2="{_TOP}" stroke="#888" '
        'stroke-dasharray="4 4"/>'
    )
    for share in (0, 0.5, 1):
        parts.append(
            f'<text x="{left + share * _SIDE:.0f}" y="{bottom + 18}" text-anchor="middle">{share:.0%}</text>'
        )
        parts.append(
            f'<text x="{left - 6}" y="{bottom - share * _SIDE + 4:.0f}" text-anchor="end">{share:.0%}</text>'
        )
    parts.append(
        f'<text x="{left + _SIDE / 2:.0f}" y="{bottom + 38}" text-anchor="middle">'
        "confidence; bars: how often right, red: how sure</text>"
    )
    return parts
