"""The figures of an evaluation as SVG: confusion matrix, reliability plot, bars of each label.

Each paints its own background and follows the colour scheme of whoever shows it; colours are blue against orange,
which colour-blind people tell apart. What stands nowhere in figures stands in titles that show under the mouse.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from vidlabel.core.evaluation import Evaluated
from vidlabel.core.words import ReliabilityBin

_PLAIN = {
    "ground": 'fill="#ffffff"',
    "ink": 'fill="#1c2127"',
    "faint": 'fill="#5a6470"',
    "on": 'fill="#ffffff"',
    "trough": 'fill="#e9ecf0"',
    "right": 'fill="#1d63b0"',
    "wrong": 'fill="#b45309"',
    "line": 'fill="none" stroke="#8a939e"',
    "mark": 'fill="none" stroke="#b45309" stroke-width="3"',
}
"""What stands in the file; a style sheet, where one is heeded, goes before it."""
_STYLE = (
    "<style>@media (prefers-color-scheme: dark){"
    ".ground{fill:#16191d}.ink{fill:#e8ebef}.faint{fill:#a3adb8}.trough{fill:#2a2f36}"
    ".right{fill:#2a73c4}.wrong{fill:#c2610f}.line{stroke:#77818c}.mark{stroke:#f0a35a}}</style>"
)
_MOST_NUMBERS = 30
"""With more labels the numbers in the cells could not be read."""
_EDGE = 24
_LONGEST = 26
_LETTER = 6.6
"""Width of a letter at 12 pixels, about."""


def confusion_svg(found: Evaluated, *, title: str) -> str:
    """Rows are true labels, columns suggested ones; a cell is the darker, the larger its share of the row."""
    places = found.used
    names = [_short(found.labels[place]) for place in places]
    numbers = len(places) <= _MOST_NUMBERS
    cell = 34 if numbers else 16
    left = _EDGE + max((len(name) for name in names), default=0) * _LETTER
    top = 58 + left * 0.72
    side = cell * len(places)
    parts = [
        _text(_EDGE, 24, title, size=15),
        _text(_EDGE, 44, "row: the label; column: the suggestion", kind="faint"),
    ]
    for number, name in enumerate(names):
        middle = number * cell + cell / 2
        parts.append(_text(left - 8, top + middle + 4, name, anchor="end"))
        x, y = left + middle + 4, top - 8
        parts.append(f'<g transform="rotate(-45 {x:.1f} {y:.1f})">{_text(x, y, name)}</g>')
    for row, true in enumerate(places):
        whole = sum(found.confusion[true]) or 1
        for column, said in enumerate(places):
            count = found.confusion[true][said]
            if count:
                told = f"{found.labels[true]} suggested as {found.labels[said]}: {count}"
                at = (left + column * cell, top + row * cell)
                parts.append(
                    _cell(
                        at, cell, count, share=count / whole, right=row == column, told=told, numbers=numbers
                    )
                )
    parts.append(_box(left, top, side, side))
    return _whole(parts, width=left + side + max(40.0, left * 0.72), height=top + side + 24)


def reliability_svg(found: Evaluated, *, title: str) -> str:
    """For each bin of the model's own confidence how often it was right (bar), and how sure it was (line)."""
    return _reliability(
        found.bins, found.ece, _clips(found.clips), title=title, whose="the model's own confidence"
    )


def calibrated_svg(found: Evaluated, *, title: str) -> str:
    """The same of the calibrated confidence, which the window shows.

    Raises:
        ValueError: the evaluation has none.
    """
    if found.calibrated is None:
        raise ValueError("there is no calibration")
    told = f"{_clips(found.clips)}, temperature {found.calibrated.temperature:.2f}"
    bins, error = found.calibrated.bins, found.calibrated.ece
    return _reliability(bins, error, told, title=title, whose="calibrated confidence")


def _reliability(
    bins: Sequence[ReliabilityBin], ece: float | None, told: str, *, title: str, whose: str
) -> str:
    left, top, side = 60, 64, 300
    bottom = top + side
    error = "" if ece is None else f"expected calibration error {ece:.1%}, "
    parts = [
        _text(_EDGE, 24, title, size=15),
        _text(_EDGE, 44, f"{whose}: {error}{told}", kind="faint"),
        *(_bar_of_bin(one, left, bottom, side) for one in bins if one.clips),
        _box(left, top, side, side),
        f'<line x1="{left}" y1="{bottom}" x2="{left + side}" y2="{top}" {_as("line")} stroke-dasharray="4 4"/>',
    ]
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(_text(left + share * side, bottom + 18, f"{share:.0%}", anchor="middle"))
        parts.append(_text(left - 6, bottom - share * side + 4, f"{share:.0%}", anchor="end"))
    below = f"{whose}; bar: how often right, line: how sure"
    parts.append(_text(left + side / 2, bottom + 38, below, anchor="middle"))
    return _whole(parts, width=left + side + 40, height=bottom + 56)


def labels_svg(found: Evaluated, *, title: str) -> str:
    """A bar for each label with clips: the share recognised; a tick where its suggestions were right so often."""
    shown = [one for one in found.figures if one.recall is not None]
    left = _EDGE + max((len(_short(one.label)) for one in shown), default=0) * _LETTER
    top, line, width = 64, 22, 320
    parts = [
        _text(_EDGE, 24, title, size=15),
        _text(
            _EDGE,
            44,
            "bar: share recognised (recall); tick: share of its suggestions right (precision)",
            kind="faint",
        ),
    ]
    for number, one in enumerate(shown):
        y = top + number * line
        recall = one.recall or 0.0
        told = f"{one.label}: recall {recall:.1%}, precision {_percent(one.precision)}, {_clips(one.clips)}"
        tick = ""
        if one.precision is not None:
            x = left + one.precision * width
            tick = f'<line x1="{x:.1f}" y1="{y}" x2="{x:.1f}" y2="{y + 16}" {_as("mark")}/>'
        parts.append(
            f"<g><title>{escape(told)}</title>"
            f'<rect x="{left:.1f}" y="{y + 2}" width="{width}" height="12" {_as("trough")}/>'
            f'<rect x="{left:.1f}" y="{y + 2}" width="{recall * width:.1f}" height="12" {_as("right")}/>{tick}</g>'
        )
        parts.append(_text(left - 8, y + 12, _short(one.label), anchor="end"))
        parts.append(_text(left + width + 10, y + 12, f"{recall:.0%} of {one.clips:,}", kind="faint"))
    return _whole(parts, width=left + width + 130, height=top + len(shown) * line + 20)


def _cell(
    at: tuple[float, float], side: int, count: int, *, share: float, right: bool, told: str, numbers: bool
) -> str:
    x, y = at
    shade = 0.15 + 0.85 * share
    number = ""
    if numbers:
        kind = "on" if shade > 0.75 else "ink"
        number = _text(x + side / 2, y + side / 2 + 4, str(count), kind=kind, anchor="middle", size=11)
    return (
        f"<g><title>{escape(told)}</title>"
        f'<rect x="{x + 0.5:.1f}" y="{y + 0.5:.1f}" width="{side - 1}" height="{side - 1}" '
        f'{_as("right" if right else "wrong")} fill-opacity="{shade:.2f}"/>{number}</g>'
    )


def _bar_of_bin(one: ReliabilityBin, left: float, bottom: float, side: float) -> str:
    x, width = left + one.low * side, (one.high - one.low) * side
    right, said = one.accuracy or 0.0, one.confidence or 0.0
    told = f"{_clips(one.clips)}: said {said:.0%}, right {right:.0%}"
    return (
        f"<g><title>{told}</title>"
        f'<rect x="{x + 1:.1f}" y="{bottom - right * side:.1f}" width="{width - 2:.1f}" '
        f'height="{right * side:.1f}" {_as("right")}/>'
        f'<line x1="{x:.1f}" y1="{bottom - said * side:.1f}" x2="{x + width:.1f}" '
        f'y2="{bottom - said * side:.1f}" {_as("mark")}/></g>'
    )


def _text(x: float, y: float, words: str, *, kind: str = "ink", anchor: str = "start", size: int = 12) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" {_as(kind)}>'
        f"{escape(_storable(words))}</text>"
    )


def _box(x: float, y: float, width: float, height: float) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{width}" height="{height}" {_as("line")}/>'


def _whole(parts: list[str], *, width: float, height: float) -> str:
    # A title may be longer than what stands below it.
    width = max(width, 520)
    beginning = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="sans-serif">'
    )
    ground = f'<rect width="{width:.0f}" height="{height:.0f}" {_as("ground")}/>'
    return "\n".join([beginning, _STYLE, ground, *parts, "</svg>\n"])


def _as(kind: str) -> str:
    return f'class="{kind}" {_PLAIN[kind]}'


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _storable(words: str) -> str:
    return words.encode("utf-8", "replace").decode()


def _percent(value: float | None) -> str:
    return "none" if value is None else f"{value:.1%}"


def _clips(count: int) -> str:
    return f"{count:,} clip{'' if count == 1 else 's'}"
