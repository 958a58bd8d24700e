"""What all benchmarks share: their options, their goals, and how they answer."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

Figure = float | int | str | None
Goal = Mapping[str, float]
"""``{"at_most": x}`` or ``{"at_least": x}``, or both."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """One benchmark's answer.

    Args:
        name: the module's name.
        figures: what was measured; a figure with a goal must be a number (None counts as not met).
        baselines: what it was measured against, in the same run.
        goals: by figure.
    """

    name: str
    figures: Mapping[str, Figure]
    baselines: Mapping[str, Figure] = field(default_factory=dict)
    goals: Mapping[str, Goal] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        """Whether every goal is met."""
        return all(meets(self.figures.get(name), goal) for name, goal in self.goals.items())

    def document(self) -> dict[str, object]:
        """The JSON document."""
        return {
            "name": self.name,
            "figures": dict(self.figures),
            "baselines": dict(self.baselines),
            "goals": {name: dict(goal) for name, goal in self.goals.items()},
            "met": self.met,
        }


def meets(value: Figure, goal: Goal) -> bool:
    """Whether a figure is within its goal."""
    if not isinstance(value, int | float):
        return False
    return value <= goal.get("at_most", float("inf")) and value >= goal.get("at_least", float("-inf"))


def run(measure: Callable[[bool], Report], description: str, arguments: list[str] | None = None) -> int:
    """The command line of a benchmark: parses the options, measures and answers.

    Args:
        measure: takes whether to be quick (under a minute).
        description: one line for ``--help``.
        arguments: instead of the process's own.

    Returns:
        The exit status: 0, whether the goals are met or not; the answer says which.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="under a minute")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write the JSON document to FILE")
    options = parser.parse_args(arguments)
    report = measure(options.quick)
    document = json.dumps(report.document(), indent=None if options.json else 2)
    if options.out is not None:
        unfinished = options.out.with_name(f".{options.out.name}.{os.getpid()}")
        unfinished.write_text(document + "\n", encoding="utf-8")
        unfinished.replace(options.out)
    sys.stdout.write((document if options.json else table(report)) + "\n")
    return 0


def table(report: Report) -> str:
    """The report for a person."""
    lines = [report.name]
    width = max(len(name) for name in [*report.figures, *report.baselines, ""])
    for name, value in report.figures.items():
        lines.append(f"  {name:<{width}}  {_number(value):>12}{_verdict(value, report.goals.get(name))}")
    if report.baselines:
        lines.append("against")
        lines += [f"  {name:<{width}}  {_number(value):>12}" for name, value in report.baselines.items()]
    lines.append("met" if report.met else "NOT met")
    return "\n".join(lines)


def _number(value: Figure) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "-" if value is None else str(value)


def _verdict(value: Figure, goal: Goal | None) -> str:
    if goal is None:
        return ""
    wish = " and ".join(f"{kind.replace('_', ' ')} {bound:g}" for kind, bound in goal.items())
    return f"   {wish}: {'yes' if meets(value, goal) else 'NO'}"
