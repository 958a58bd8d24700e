"""What a run has told so far, put together from the lines of its ``events.jsonl``. Plain values, no Qt."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vidlabel.core.runs import LIVE, PROTOCOL, RunState

MOST_POINTS = 2048
"""A curve with more is thinned: a window has not many more pixels."""
MOST_BYTES = 500_000
"""Read at once; the rest follows with the next look."""
MOST_NOTES = 50
_WAS_LAST = {"finished": RunState.FINISHED, "failed": RunState.FAILED, "stopped": RunState.STOPPED}


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (step, value) in order; each stands for ``stride`` steps that were told."""

    points: tuple[tuple[float, float], ...] = ()
    stride: int = 1
    waiting: tuple[tuple[float, float], ...] = ()
    """Told ones that do not fill a point yet."""

    def extended(self, fresh: Sequence[tuple[float, float]]) -> Curve:
        """With more steps at its end; pairs become their mean once it has too many points."""
        points, waiting, stride = list(self.points), [*self.waiting], self.stride
        for one in fresh:
            waiting.append(one)
            if len(waiting) >= stride:
                points.append(_mean(waiting))
                waiting.clear()
            if len(points) > MOST_POINTS:
                points = [_mean(points[at : at + 2]) for at in range(0, len(points), 2)]
                stride *= 2
        return Curve(tuple(points), stride, tuple(waiting))

    def up_to(self, step: float) -> Curve:
        """Without what came after a step: a resumed run takes those steps again."""
        return Curve(
            tuple(one for one in self.points if one[0] <= step),
            self.stride,
            tuple(one for one in self.waiting if one[0] <= step),
        )


def _mean(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    return (sum(one[0] for one in points) / len(points), sum(one[1] for one in points) / len(points))


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochPoint:
    """One epoch as it was measured; shares in 0..1, ``step`` the last of it."""

    epoch: int
    step: int
    loss: float
    val_loss: float | None
    train_top1: float | None
    val_top1: float | None
    val_mean_class: float | None
    recall: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    best: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStory:
    """A run from outside.

    Attributes:
        state: by its last word; whether its process lives is not known here.
        epoch, epochs, step, steps: where it is and how far it goes; steps count over all epochs.
        device, precision, batch: what it computes with.
        train, validation, test: clips of each part.
        loss, rate, clips_per_s, left_s, memory_mb: of the last step; None: not told.
        curve: training loss by step.
        epoch_points: each epoch once, in order.
        notes: what it did by itself and a person should know, oldest first.
        preparing: what it does before its first step, in words.
        proving: (done, total) while the made model is measured on the test clips.
        model, model_name: hash and name of what it made.
        trouble_kind, trouble: why it failed.
        kept: whether a stopped run kept its best as a model.
        at: unix seconds of its last word.
        offset: bytes of the file that are in here.
    """

    state: RunState = RunState.PREPARING
    epoch: int = 0
    epochs: int = 0
    step: int = 0
    steps: int = 0
    device: str = ""
    precision: str = ""
    batch: int = 0
    train: int = 0
    validation: int = 0
    test: int = 0
    loss: float | None = None
    rate: float | None = None
    clips_per_s: float | None = None
    left_s: float | None = None
    memory_mb: float | None = None
    curve: Curve = field(default_factory=Curve)
    epoch_points: tuple[EpochPoint, ...] = ()
    notes: tuple[str, ...] = ()
    proving: tuple[int, int] | None = None
    preparing: str = ""
    model: str = ""
    model_name: str = ""
    trouble_kind: str = ""
    trouble: str = ""
    kept: bool = False
    at: float = 0.0
    offset: int = 0

    @property
    def best(self) -> EpochPoint | None:
        """The last epoch that was the best when it was measured."""
        return next((one for one in reversed(self.epoch_points) if one.best), None)

    @property
    def live(self) -> bool:
        """Whether its last word leaves it at work."""
        return self.state in LIVE

    @property
    def share(self) -> float | None:
        """How much of its steps is done, 0..1; None while that is not known."""
        return min(1.0, self.step / self.steps) if self.steps else None


def read_on(story: RunStory, path: Path) -> RunStory:
    """The story with what its file says since; off the GUI thread.

    A line that is still being written is left for the next time; a file that is shorter than before is read anew.
    """
    try:
        size = path.stat().st_size
    except OSError:
        return story
    if size < story.offset:
        story = RunStory()
    if size == story.offset:
        return story
    with path.open("rb") as file:
        file.seek(story.offset)
        chunk = file.read(MOST_BYTES)
    end = chunk.rfind(b"\n") + 1
    return replace(told(story, _events(chunk[:end].splitlines())), offset=story.offset + end)


def _events(lines: Iterable[bytes]) -> list[dict[str, Any]]:
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            # The half line of a process that was killed.
            continue
        if isinstance(event, dict) and event.get("v") == PROTOCOL:
            found.append(event)
    return found


def told(story: RunStory, events: Sequence[Mapping[str, Any]]) -> RunStory:
    """The story with these events at its end."""
    fresh: list[tuple[float, float]] = []
    for number, event in enumerate(events):
        kind = str(event.get("event"))
        if kind == "step":
            fresh.append((float(event["step"]), float(event["loss"])))
            if number + 1 < len(events) and events[number + 1].get("event") == "step":
                # Of steps in a row only the last says where it stands.
                continue
        elif kind == "started":
            story = replace(story, curve=story.curve.extended(fresh))
            fresh = []
        story = replace(_one(story, kind, event), at=float(event.get("at") or story.at))
    return replace(story, curve=story.curve.extended(fresh)) if fresh else story


def _one(story: RunStory, kind: str, event: Mapping[str, Any]) -> RunStory:
    match kind:
        case "started":
            return _started(story, event)
        case "step":
            state = RunState.RUNNING if story.state is not RunState.PAUSED else RunState.PAUSED
            return replace(
                story, state=state, step=int(event["step"]), epoch=int(event["epoch"]),
                steps=int(event.get("steps") or story.steps), loss=float(event["loss"]),
                rate=_number(event, "rate"), clips_per_s=_number(event, "clips_per_s"),
                left_s=_number(event, "left_s"), memory_mb=_number(event, "memory_mb"),
            )  # fmt: skip
        case "epoch":
            return _epoch(story, event)
        case "note":
            return replace(story, notes=(*story.notes, str(event.get("words", "")))[-MOST_NOTES:])
        case "preparing":
            return replace(story, state=RunState.PREPARING, preparing=_preparing(event))
        case "paused":
            return replace(story, state=RunState.PAUSED)
        case "resumed":
            return replace(story, state=RunState.RUNNING)
        case "proving":
            return replace(story, proving=(int(event["done"]), int(event["total"])))
        case "finished" | "stopped" | "failed":
            return _ended(story, kind, event)
    return story


def _preparing(event: Mapping[str, Any]) -> str:
    """``decoding clips 40 of 200``"""
    words, total = str(event.get("words") or ""), int(event.get("total") or 0)
    return f"{words} {int(event.get('done') or 0):,} of {total:,}" if total else words


def _started(story: RunStory, event: Mapping[str, Any]) -> RunStory:
    """Begins, or goes on from a checkpoint: what came after that checkpoint is done again."""
    at = int(event.get("resumed_at_step") or 0)
    return replace(
        story, state=RunState.RUNNING, step=at, epochs=int(event.get("epochs") or 0),
        steps=int(event.get("steps") or 0), device=str(event.get("device") or ""),
        precision=str(event.get("precision") or ""), batch=int(event.get("batch") or 0),
        train=int(event.get("train") or 0), validation=int(event.get("validation") or 0),
        test=int(event.get("test") or 0), curve=story.curve.up_to(at),
        epoch_points=tuple(one for one in story.epoch_points if one.step <= at),
        proving=None, preparing="", trouble="", trouble_kind="", clips_per_s=None, left_s=None,
    )  # fmt: skip


def _epoch(story: RunStory, event: Mapping[str, Any]) -> RunStory:
    recall = event.get("recall")
    number = int(event["epoch"])
    point = EpochPoint(
        epoch=number, step=story.step, loss=float(event["loss"]), val_loss=_number(event, "val_loss"),
        train_top1=_number(event, "train_top1"), val_top1=_number(event, "val_top1"),
        val_mean_class=_number(event, "val_mean_class"),
        recall={str(label): float(one) for label, one in recall.items() if one is not None}
        if isinstance(recall, dict) else {},
        seconds=float(event.get("seconds") or 0.0), best=bool(event.get("best")),
    )  # fmt: skip
    earlier = tuple(one for one in story.epoch_points if one.epoch < number)
    return replace(story, epoch=number, epoch_points=(*earlier, point))


def _ended(story: RunStory, kind: str, event: Mapping[str, Any]) -> RunStory:
    return replace(
        story, state=_WAS_LAST[kind], proving=None, left_s=None,
        model=str(event.get("model") or story.model), model_name=str(event.get("name") or story.model_name),
        trouble_kind=str(event.get("kind") or ""), trouble=str(event.get("words") or ""),
        kept=bool(event.get("kept", kind == "finished")),
    )  # fmt: skip


def _number(event: Mapping[str, Any], name: str) -> float | None:
    value = event.get(name)
    return float(value) if isinstance(value, int | float) else None
