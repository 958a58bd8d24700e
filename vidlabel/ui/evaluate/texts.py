"""The words of the evaluate page: figures with what they are of, and what to know before believing them."""

from __future__ import annotations

from vidlabel.services.evaluation_jobs import Choices, Interval, Result, Subject
from vidlabel.ui.parts.basics import count, percent

_NAMED = 4


def share_words(share: float | None) -> str:
    """``42.0 %``; a dash where there is nothing to measure."""
    return "–" if share is None else f"{share * 100:.1f} %"


def interval_words(interval: Interval) -> str:
    """``95 % interval 37.1 to 47.0 %``"""
    low, high = interval
    return f"95 % interval {low * 100:.1f} to {high * 100:.1f} %"


def subject_words(part: str, choices: Choices) -> str:
    """One choice of what to evaluate on, with its number of clips."""
    if not part:
        return f"Decided clips ({choices.decided:,})"
    names = {"test": "Test clips", "validation": "Validation clips", "train": "Training clips"}
    return f"{names[part]} of the newest snapshot ({choices.parts.get(part, 0):,})"  # type: ignore[call-overload]


def result_words(result: Result) -> str:
    """``bundled on 412 decided clips, label:wave``"""
    return f"{result.evaluated.model} on {result.evaluated.clips:,} {subject_tail(result.asked.subject)}"


def subject_tail(subject: Subject) -> str:
    return subject.words


def cautions(result: Result, *, outdated: int) -> tuple[str, ...]:
    """What to know before believing the figures, the gravest first."""
    found, parts = result.evaluated, []
    if outdated:
        parts.append(f"{count(outdated, 'clip')} decided anew since: evaluate again.")
    if found.trained_on:
        parts.append(
            f"The model was trained on {found.trained_on:,} of these {count(found.clips, 'clip')}: it looks better "
            "on them than it is."
        )
    if found.unhashed:
        parts.append(
            f"Of {count(found.unhashed, 'clip')} it is not known yet whether the model was trained on them."
        )
    if found.left_out:
        names = list(found.left_out)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        clips = sum(found.left_out.values())
        parts.append(
            f"{count(clips, 'clip')} left out, for the model does not know their label: "
            f"{', '.join(names[:_NAMED])}{more}."
        )
    if found.only_in_model:
        parts.append(f"{count(len(found.only_in_model), 'label')} of the model are none of the project's.")
    if found.unreadable:
        parts.append(f"{count(len(found.unreadable), 'clip')} could not be read.")
    if result.unusable:
        parts.append(f"{count(result.unusable, 'clip')} left out: missing or unreadable.")
    return tuple(parts)


def cell_words(label: str, suggested: str, *, clips: int, of: int) -> str:
    """``12 of 40 wave clips were suggested as run (30 %)``"""
    said = "recognised" if label == suggested else f"suggested as {suggested or 'nothing'}"
    share = f" ({percent(clips / of)})" if of else ""
    return f"{clips:,} of {count(of, f'{label} clip')} {said}{share}"


def chosen_words(label: str, suggested: str) -> str:
    """What the clips of a cell have in common: 'of wave suggested as run'."""
    return (
        f"of {label} recognised"
        if label == suggested
        else f"of {label} suggested as {suggested or 'nothing'}"
    )
