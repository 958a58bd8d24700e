"""The words of the models page: figures with units, states, and one line for each model."""

from __future__ import annotations

from vidlabel.services.background import left_words
from vidlabel.services.model_facts import ModelFacts, Score, bytes_words
from vidlabel.services.model_jobs import JobKind, ModelJob
from vidlabel.services.models import ModelEntry, Presence

_DOING = {
    JobKind.INSTALL: "downloading",
    JobKind.IMPORT: "being imported",
    JobKind.EXPORT: "being exported",
    JobKind.REMOVE: "being removed",
}


def parameters_words(parameters: int) -> str:
    """``11.7 M``, ``790 k``."""
    if parameters >= 999_500:
        return f"{parameters / 1e6:.1f} M"
    return f"{parameters / 1e3:,.0f} k"


def size_words(facts: ModelFacts) -> str:
    """``47.0 MB``, with ``about`` where nobody published it."""
    if facts.size is None:
        return ""
    return ("" if facts.size_exact else "about ") + bytes_words(facts.size)


def input_words(facts: ModelFacts) -> str:
    """``16 frames × 112 px``, and which part of the clip they are spread over."""
    if not facts.frames:
        return ""
    side = f"{facts.width}" if facts.width == facts.height else f"{facts.width} × {facts.height}"
    span = "over the whole clip" if facts.span_s is None else f"over {facts.span_s:.1f} s of its middle"
    return f"{facts.frames} frames × {side} px, {span}"


def figures_words(facts: ModelFacts) -> str:
    """``47.0 MB · medium · 11.7 M parameters``: what a line of the list says."""
    parts = [size_words(facts), facts.speed]
    if facts.parameters:
        parts.append(f"{parameters_words(facts.parameters)} parameters")
    return " · ".join(part for part in parts if part)


def state_words(entry: ModelEntry) -> str:
    """``installed``, ``downloading 43 %``, ``damaged``."""
    job = entry.job
    if job is not None and not job.running:
        return "waiting" if job.kind is JobKind.INSTALL else _DOING[job.kind]
    if job is not None and job.stopping:
        return "stopping"
    if job is not None and job.step:
        return job.step
    if job is not None:
        share = f" {job.share * 100:.0f} %" if job.share is not None else ""
        return f"{_DOING[job.kind]}{share}"
    if entry.presence is Presence.ACTIVE:
        return "active"
    if entry.presence is Presence.AVAILABLE:
        return "not installed" if entry.trouble else fetched_words(entry)
    return entry.presence.value


def fetched_words(entry: ModelEntry) -> str:
    """``43 % is here``, of a download that was stopped; '' where nothing of it is."""
    if not entry.fetched or not entry.facts.size:
        return ""
    return f"{min(99.0, 100 * entry.fetched / entry.facts.size):.0f} % is here"


def line_words(entry: ModelEntry) -> str:
    """The second line of a row."""
    if entry.presence is Presence.DAMAGED:
        return entry.trouble
    return figures_words(entry.facts)


def spoken_words(entry: ModelEntry) -> str:
    """All of a row, for a screen reader and the tooltip."""
    parts = [entry.facts.name, state_words(entry) or entry.presence.value, line_words(entry)]
    return ", ".join(dict.fromkeys(part for part in [*parts, entry.trouble] if part))


def progress_words(job: ModelJob) -> str:
    """``54.2 of 126 MB · 8.4 MB/s · 9 s left``"""
    if not job.running:
        return "Waits for the download before it."
    if job.stopping:
        return "Stopping …"
    if job.step:
        return f"{job.step[:1].upper()}{job.step[1:]} …"
    if not job.done and job.total is None:
        return "Asking the server …"
    parts = [
        bytes_words(job.done) if job.total is None else f"{bytes_words(job.done)} of {bytes_words(job.total)}"
    ]
    if job.rate > 0:
        parts.append(f"{bytes_words(job.rate)}/s")
    if job.left_s is not None:
        parts.append(f"{left_words(job.left_s)} left")
    return " · ".join(parts)


def share_words(share: float | None) -> str:
    """``42.0 %``; a dash where it is not known."""
    return "–" if share is None else f"{share * 100:.1f} %"


def score_words(score: Score) -> str:
    """One score in a sentence, for a screen reader."""
    top5 = "" if score.top5 is None else f", top-5 {share_words(score.top5)}"
    clips = "" if score.clips is None else f", {score.clips:,} clips"
    source = f", published by {score.source}" if score.source else ""
    return f"{score.on}: top-1 {share_words(score.top1)}{top5}{clips}{source}"
