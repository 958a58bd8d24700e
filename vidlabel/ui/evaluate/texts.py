"""The words of the evaluate page: figures with what they are of, and what to know before believing them."""

from __future__ import annotations

from datetime import datetime

from vidlabel.core.evaluation import CalibratedFigures
from vidlabel.core.kept_evaluation import KeptFacts
from vidlabel.core.model_key import ModelKey
from vidlabel.services.evaluation_jobs import PART_WORDS, Choices, Subject
from vidlabel.services.evaluation_results import Interval, Result
from vidlabel.services.models import ModelEntry, Presence
from vidlabel.ui.decide.history import when_words
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


def made_words(result: Result, now: datetime) -> str:
    """``Measured today 10:41, under the labels of the snapshot``"""
    when = when_words(result.made_at_us, now)
    under = "what was decided by then" if result.asked.subject.part is None else "the labels of the snapshot"
    return f"Measured {'today ' if ':' in when and ' ' not in when else ''}{when}, against {under}"


def kept_words(kept: KeptFacts, now: datetime) -> str:
    """``10:41 · 62.0 % · bundled on test clips``"""
    on = "decided clips" if kept.part is None else PART_WORDS[kept.part]
    narrowed = f", {kept.expression}" if kept.expression else ""
    return f"{when_words(kept.made_at_us, now)} · {share_words(kept.top1)} · {kept.model} on {on}{narrowed}"


def shown_words(calibrated: CalibratedFigures | None) -> str:
    """What stands below the calibration error."""
    if calibrated is None:
        return "mean gap between its own confidence and how often it is right"
    return f"of the calibrated confidence that is shown: {share_words(calibrated.ece)}"


def calibrated_words(calibrated: CalibratedFigures | None) -> str:
    """What stands above the second plot, or in its place."""
    if calibrated is None:
        return (
            "The project had no calibration of this model when this was measured: the percentages shown while "
            "labelling were the model's own."
        )
    return (
        f"Calibrated, as shown while labelling · ECE {share_words(calibrated.ece)} · temperature "
        f"{calibrated.temperature:.2f}, fitted on {count(calibrated.fitted_on, 'decided clip')} that may be "
        "among these"
    )


def doubtful_words(result: Result) -> str:
    """What stands above the list of clips that may carry a wrong label."""
    doubtful = len(result.doubtful)
    if not doubtful:
        return "None: where it is sure, it agrees with the label."
    learned = (
        " It was trained on some of these clips, so it will have learned wrong labels among them, too."
        if result.evaluated.trained_on
        else ""
    )
    return (
        f"{count(doubtful, 'clip')}, those first on which it contradicts the label most. Sure means: it gives the "
        f"other label 50 % or more, and as much as it gives that label to its own clips.{learned} Enter leads "
        "through them."
    )


def cautions(result: Result, *, outdated: int, models: tuple[ModelEntry, ...] = ()) -> tuple[str, ...]:
    """What to know before believing the figures, the gravest first."""
    found, parts = result.evaluated, []
    if outdated:
        parts.append(_otherwise(outdated, of_part=result.asked.subject.part is not None))
    if result.added:
        parts.append(f"{count(result.added, 'clip')} decided since, and not among these: evaluate again.")
    parts += _model_cautions(result, models)
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


def _otherwise(clips: int, *, of_part: bool) -> str:
    """Labels of a snapshot stay what they are; those of decided clips do not."""
    if of_part:
        return (
            f"{count(clips, 'clip')} decided otherwise since the snapshot was made. Measured is against the "
            "labels of the snapshot, with which the parts were frozen; the next run takes the new ones."
        )
    return f"{count(clips, 'clip')} decided otherwise since this was measured: evaluate again."


def _model_cautions(result: Result, models: tuple[ModelEntry, ...]) -> list[str]:
    installed = {one.facts.hash: one for one in models if one.facts.hash}
    if not installed:
        return []
    own = ModelKey.parse(result.evaluated.hash).hash
    if own not in installed:
        return [f"{result.evaluated.model} is not installed any more."]
    active = next((one for one in installed.values() if one.presence is Presence.ACTIVE), None)
    if active is None or ModelKey.parse(active.facts.hash).hash == own:
        return []
    return [f"{result.evaluated.model} is not the active model; that is {active.facts.name}."]


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
