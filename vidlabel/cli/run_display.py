"""What a run tells, on a terminal: one bar, a line an epoch, and everything worth a note."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vidlabel.cli.progress import Bar, progress

Event = Mapping[str, Any]


class RunDisplay:
    """Takes the events of a run as they come.

    Args:
        bar: moved by the steps.
        log: told single lines.
    """

    def __init__(self, bar: Bar, log: Callable[[str], None]) -> None:
        self._bar = bar
        self._log = log
        self._epochs = 0

    def __call__(self, event: Event) -> None:
        """One event; what it does not know it passes over."""
        match event.get("event"):
            case "preparing":
                self._bar.say(_capital(str(event.get("words", "preparing"))))
                self._bar.at(int(event.get("done") or 0), event.get("total"))
            case "started":
                self._started(event)
            case "step":
                loss = event.get("loss")
                self._bar.say(
                    f"Epoch {event.get('epoch')}/{self._epochs}"
                    + ("" if loss is None else f", loss {loss:.3f}")
                )
                self._bar.at(int(event.get("step", 0)), event.get("steps"))
            case "epoch":
                self._log(_epoch_line(event))
            case "note":
                self._log(f"vidlabel: {event.get('words')}")
            case "paused":
                self._bar.say("Paused")
            case "proving":
                self._bar.say("Measuring on the test clips")
                self._bar.at(int(event.get("done") or 0), event.get("total"))

    def _started(self, event: Event) -> None:
        self._epochs = int(event.get("epochs") or 0)
        self._log(
            f"Learning from {event.get('train'):,} clips, validation {event.get('validation'):,}, "
            f"test {event.get('test'):,}; on {event.get('device')} in {event.get('precision')}, "
            f"{event.get('batch')} clips a step."
        )
        resumed = event.get("resumed_at_step")
        if resumed:
            self._log(f"It goes on at step {resumed:,}.")


def _epoch_line(event: Event) -> str:
    parts = [f"Epoch {event.get('epoch')}: loss {_number(event.get('loss'))}"]
    for name, words in (
        ("train_top1", "train"),
        ("val_top1", "validation"),
        ("val_mean_class", "mean class"),
    ):
        share = event.get(name)
        if share is not None:
            parts.append(f"{words} {share:.1%}")
    if event.get("seconds") is not None:
        parts.append(f"{event['seconds']:.0f} s")
    if event.get("best"):
        parts.append("the best so far")
    return ", ".join(parts) + "."


def _number(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, int | float) else "-"


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


@contextmanager
def displayed(log: Callable[[str], None]) -> Iterator[RunDisplay]:
    """Shows a run while the block goes on; without a terminal only the lines."""
    with progress("Starting", unit=" steps") as bar:
        yield RunDisplay(bar, lambda words: bar.line(log, words))
