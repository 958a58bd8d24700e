"""How a run that is at work is told of in the status bar."""

from __future__ import annotations

from vidlabel.core.runs import RunState
from vidlabel.services.background import left_words
from vidlabel.services.run_story import RunStory


def background_words(name: str, story: RunStory | None) -> str:
    """``Training run-3 · epoch 12 of 20 · 318 clips/s · 4 min left``"""
    if story is None or story.state is RunState.PREPARING:
        what = f" · {story.preparing}" if story is not None and story.preparing else ""
        return f"Preparing {name}{what}"
    if story.state is RunState.PAUSED:
        return f"{name} is paused at epoch {story.epoch} of {story.epochs}"
    if story.proving is not None:
        return f"Measuring {name} on test clips {story.proving[0]:,} of {story.proving[1]:,}"
    parts = [f"Training {name} · epoch {max(1, story.epoch)} of {story.epochs}"]
    if story.clips_per_s:
        parts.append(rate_words(story.clips_per_s))
    if story.left_s is not None:
        parts.append(f"{left_words(story.left_s)} left")
    return " · ".join(parts)


def rate_words(clips_per_s: float) -> str:
    """``318 clips/s``, ``4.2 clips/s``."""
    return f"{clips_per_s:,.0f} clips/s" if clips_per_s >= 10 else f"{clips_per_s:.1f} clips/s"
