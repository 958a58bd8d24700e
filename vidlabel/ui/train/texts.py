"""The words of the train page."""

from __future__ import annotations

from vidlabel.core.proof import Proof
from vidlabel.core.proof_words import p_words
from vidlabel.core.runs import RunState, TrainSettings, Tunes
from vidlabel.services.background import left_words
from vidlabel.services.run_jobs import RunEntry, RunFacts
from vidlabel.services.run_story import RunStory
from vidlabel.services.run_words import rate_words
from vidlabel.ui.parts.basics import count

TUNES = {Tunes.HEAD: "head", Tunes.LAST: "last two stages + head", Tunes.ALL: "everything"}
SPLITS = {"by-source": "by source", "random": "at random", "official": "as published"}
_TROUBLE = {
    "memory": "It ran out of memory. Set a smaller batch, then resume or begin anew.",
    "disk": "The disk is full. Make room, then resume.",
    "clips": "Too many clips could not be read. Look for them with the filter, then resume.",
    "nan": "The loss was no number any more. Begin anew with a lower rate.",
    "model": "The model could not be made or read.",
    "device": "The device gave up. Choose another one, then resume.",
    "crash": "Its process ended unexpectedly. It can be resumed from the last checkpoint.",
}


def shares(value: float | None, *, digits: int = 1) -> str:
    """``74.1 %`` with a space that does not break; a dash where it is not known."""
    return "–" if value is None else f"{value * 100:.{digits}f}\u00a0%"


def signed(value: float, *, digits: int = 1) -> str:
    """``+11.2``, ``-2.0``, ``0``: a change in points of a hundred."""
    points = round(value * 100, digits)
    return "0" if points == 0 else f"{points:+.{digits}f}"


def run_words(run: RunEntry) -> str:
    """``run-3 · running``"""
    return f"{run.name} · {run.state.value}"


def clips_words(facts: RunFacts) -> str:
    """``2,406 train · 300 validation · 402 test, split by source``"""
    parts = [f"{facts.parts[part]:,} {part}" for part in ("train", "validation", "test")]
    return f"{' · '.join(parts)}, split {SPLITS.get(facts.split, facts.split)}"


def device_words(story: RunStory, settings: TrainSettings) -> str:
    """``CUDA, bfloat16, batch 48 (found)``"""
    if not story.device:
        return settings.device
    device = (
        "CPU" if story.device == "cpu" else story.device.upper() if story.device == "cuda" else story.device
    )
    parts = [device, story.precision]
    if story.batch:
        parts.append(f"batch {story.batch}{'' if settings.batch else ' (found)'}")
    return ", ".join(part for part in parts if part)


def progress_words(story: RunStory) -> str:
    """``Epoch 12 of 20 · 318 clips/s · 4 min left``; '' once it is finished: then its end says it."""
    if story.state is RunState.FINISHED:
        return ""
    if story.state is RunState.PREPARING:
        return f"Preparing: {story.preparing}" if story.preparing else "Preparing …"
    if story.proving is not None:
        done, total = story.proving
        return f"Measuring on the test clips: {done:,} of {total:,}"
    parts = [f"Epoch {max(1, story.epoch)} of {story.epochs}" if story.epochs else "Begun"]
    if story.live and story.state is not RunState.PAUSED:
        if story.clips_per_s:
            parts.append(rate_words(story.clips_per_s))
        if story.left_s is not None:
            parts.append(f"{left_words(story.left_s)} left")
    return " · ".join(parts)


def step_words(story: RunStory) -> str:
    """``Rate 0.0003 · 11.2 GB of GPU memory``: what few look at."""
    parts = []
    if story.rate is not None:
        parts.append(f"Learning rate {story.rate:.2g}")
    if story.memory_mb:
        gigabytes = story.memory_mb >= 1000
        memory = f"{story.memory_mb / 1000:.1f} GB" if gigabytes else f"{story.memory_mb:.0f} MB"
        parts.append(f"{memory} of GPU memory")
    return " · ".join(parts)


def ended_words(run: RunEntry, story: RunStory) -> tuple[str, str]:
    """How a run ended and what can be done, and the level of the words; ('', '') while it is at work."""
    match run.state:
        case RunState.FINISHED:
            made = f" It made {story.model_name}." if story.model_name else ""
            most = f" of at most {story.epochs:,}" if story.epoch < story.epochs else ""
            return f"Finished after {count(story.epoch, 'epoch')}{most}.{made}", "done"
        case RunState.STOPPED:
            return "Stopped. It can go on from where it was.", "second"
        case RunState.INTERRUPTED:
            return (
                "Its process is gone without a last word. It can go on from the last checkpoint.",
                "trouble",
            )
        case RunState.FAILED:
            words = story.trouble or run.words
            return f"{words} {_TROUBLE.get(story.trouble_kind, '')}".strip(), "trouble"
    return "", ""


def measured_words(proof: Proof) -> str:
    """``402 frozen test clips. McNemar p = 0.0004.``"""
    clips = count(proof.clips, "frozen test clip")
    unreadable = f"; {count(proof.unreadable, 'clip')} could not be read" if proof.unreadable else ""
    chance = p_words(proof.p_value).replace(" ", "\u00a0")
    return f"{clips}{unreadable}. McNemar {chance}."


def interval_words(proof: Proof) -> str:
    """``top-1, was 62.9 % · 95 % interval 69.6 to 78.2``"""
    low, high = (f"{one * 100:.1f}" for one in proof.interval_candidate)
    return f"top-1, was {shares(proof.active.top1)} · 95\u00a0% interval {low} to {high}"


def difference_words(proof: Proof) -> str:
    """``The difference lies between +6.1 and +16.3 (95 %).``"""
    low, high = (signed(one) for one in proof.interval)
    return f"The difference lies between {low} and {high} points (95\u00a0%)."


def worse_words(proof: Proof) -> str:
    """Which labels got worse than the bound, by how much; '' for none."""
    if not proof.worse:
        return ""
    names = ", ".join(
        f"{one.label} ({one.active * 100:.0f} to {one.candidate * 100:.0f})" for one in proof.worse
    )
    more = "loses" if len(proof.worse) == 1 else "lose"
    return f"{count(len(proof.worse), 'label')} {more} more than {proof.bound * 100:.0f} points of recall: {names}."
