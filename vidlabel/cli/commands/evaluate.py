"""``vidlabel evaluate``: how good a model is on clips whose label is known."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vidlabel.cli.context import Use, open_project
from vidlabel.cli.evaluating import (
    SeenInProject,
    ToMeasure,
    calibration_in_force,
    clips_to_measure,
    evaluate_clips,
    former_names,
    model_to_measure,
)
from vidlabel.cli.output import Output
from vidlabel.cli.progress import progress
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import UsageError, VidlabelError
from vidlabel.core.evaluation import Evaluated
from vidlabel.core.filters import parse
from vidlabel.core.kept_evaluation import KeptEvaluation, MeasuredClip
from vidlabel.core.label_errors import label_errors
from vidlabel.core.paths import is_project_file
from vidlabel.core.proof_words import share
from vidlabel.core.time import now_us
from vidlabel.core.words import ClipQuery
from vidlabel.interop.evaluation_out import Place, doubt_json, is_earlier, write
from vidlabel.interop.kept_evaluations import keep
from vidlabel.learning.paired import wilson
from vidlabel.media.walk import SUFFIXES

_CONFUSIONS = 5
_NAMED = 8


def run(arguments: Namespace, output: Output) -> int:
    """Measures, answers the figures, and writes them where asked."""
    query = parse(arguments.filter, base=ClipQuery(sort="path"))
    out = None if arguments.out is None else _checked(arguments.out.absolute())
    with open_project(arguments.project, use=Use.WRITE) as store:
        model = model_to_measure(store, arguments.model, output)
        scan_roots(store, output)
        wanted = clips_to_measure(store, query, part=arguments.split)
        clips = wanted.clips
        with progress("Evaluating", total=len(clips)) as bar:
            found = evaluate_clips(
                model, clips, labels=[label.name for label in store.labels()],
                aliases=former_names(store, model.labels), device=arguments.device,
                batch=arguments.batch_size, seen=SeenInProject(store, model, output.log),
                on_progress=lambda done: bar.at(done, len(clips)),
                on_note=lambda words: output.log(f"vidlabel: {words}"),
                calibration=calibration_in_force(store, model),
            )  # fmt: skip
        _keep(store.path, _kept(found, wanted, arguments), output)
    places = {clip.clip_id: Place(str(clip.path), clip.start_us, clip.end_us) for clip in clips}
    written = () if out is None else write(out, found, places)
    for caution in (*_changes(wanted), *_cautions(found, part=arguments.split)):
        output.log(f"vidlabel: {caution}")
    document = {
        **_document(found, places),
        "split": arguments.split,
        "snapshot": None if wanted.snapshot is None else wanted.snapshot.hash,
        "decided_otherwise": wanted.otherwise,
        "filter": arguments.filter,
        "out": None if out is None else str(out),
        "files": [str(path) for path in written],
    }
    output.answer(document, [*_lines(found), *(f"Written: {path}" for path in written)])
    return 0


def _checked(out: Path) -> Path:
    """Nothing of the person's is replaced by accident: only an earlier evaluation."""
    if not out.exists():
        if out.suffix.lower() not in (".csv", ".json") and out.suffix:
            raise UsageError(f"{out.name}: figures are written as *.csv, as *.json, or into a folder.")
        return out
    if out.is_file() and (out.suffix.lower() in SUFFIXES or is_project_file(out)):
        raise VidlabelError(f"{out} is a video or a project, which is never replaced.")
    if not is_earlier(out):
        what = "a folder with other things in it" if out.is_dir() else "no earlier evaluation"
        raise VidlabelError(f"{out} is there and is {what}. Choose another name, or remove it.")
    return out


def _kept(found: Evaluated, wanted: ToMeasure, arguments: Namespace) -> KeptEvaluation:
    return KeptEvaluation(
        made_at_us=now_us(), model=found.hash, part=arguments.split, expression=arguments.filter.strip(),
        snapshot="" if wanted.snapshot is None else wanted.snapshot.hash, evaluated=found,
        clips={
            clip.clip_id: MeasuredClip(str(clip.path), clip.start_us, clip.end_us, clip.label)
            for clip in wanted.clips
        },
        otherwise=wanted.otherwise,
    )  # fmt: skip


def _keep(project: Path, kept: KeptEvaluation, output: Output) -> None:
    """The page *Evaluate* shows it, too; that it cannot be kept is no reason to fail."""
    try:
        keep(project, kept)
    except OSError as error:
        output.log(f"vidlabel: the evaluation could not be kept beside the project: {error}")


def _changes(wanted: ToMeasure) -> list[str]:
    said: list[str] = []
    if wanted.otherwise:
        said.append(
            f"{_clips(wanted.otherwise)} {'was' if wanted.otherwise == 1 else 'were'} decided otherwise since the "
            "snapshot; measured is against the snapshot's labels."
        )
    if wanted.gone:
        said.append(f"{_clips(wanted.gone)} of the snapshot are in the project no longer.")
    return said


def _document(found: Evaluated, places: Mapping[int, Place]) -> dict[str, Any]:
    content = found.to_json()
    calibrated = content["calibrated"]
    right = sum(answer.right for answer in found.answers)
    return {
        "model": found.model,
        "model_hash": found.hash,
        "clips": found.clips,
        "top1": found.top1,
        "top1_interval": list(wilson(right, found.clips)) if found.clips else None,
        "top5": found.top5,
        "mean_class": found.mean_class,
        "ece": found.ece,
        "labels": content["labels"],
        "confusion": content["confusion"],
        "bins": content["bins"],
        "calibrated": calibrated and {key: value for key, value in calibrated.items() if key != "shown"},
        "label_errors": [doubt_json(one, places[one.clip_id]) for one in label_errors(found.answers)],
        "unreadable": [{"video": places[clip].path, "reason": reason} for clip, reason in found.unreadable],
        "left_out": content["left_out"],
        "only_in_model": content["only_in_model"],
        "trained_on": found.trained_on,
        "unhashed": found.unhashed,
    }


def _cautions(found: Evaluated, *, part: str | None) -> list[str]:
    said: list[str] = []
    if found.left_out:
        count = sum(found.left_out.values())
        said.append(
            f"{found.model} does not know {_named(list(found.left_out))}: {_clips(count)} of "
            f"{'it' if len(found.left_out) == 1 else 'these'} {'is' if count == 1 else 'are'} left out."
        )
    if found.trained_on and part != "train":
        said.append(
            f"{found.model} was trained on the videos of {found.trained_on:,} of these clips: "
            "the figures are better than it is. `--split test` measures on clips it has not seen."
        )
    if found.unhashed:
        said.append(
            f"whether it was trained on {_clips(found.unhashed)} cannot be told yet: "
            "`vidlabel scan` hashes their videos."
        )
    if found.unreadable:
        said.append(
            f"{_clips(len(found.unreadable))} could not be read and {_do(len(found.unreadable))} not count."
        )
    return said


def _lines(found: Evaluated) -> list[str]:
    if not found.clips:
        return [f"{found.model} knows none of the labels of these clips: nothing was measured."]
    right = sum(answer.right for answer in found.answers)
    low, high = wilson(right, found.clips)
    lines = [
        f"{found.model} on {_clips(found.clips)}:",
        f"  top-1       {share(found.top1):>6}  ({right:,} right; 95 % interval {share(low)} to {share(high)})",
        f"  top-5       {share(found.top5):>6}",
        f"  mean class  {share(found.mean_class):>6}",
        f"  ECE         {share(found.ece):>6}  (of its own probabilities, 15 bins)",
    ]
    if found.calibrated is not None:
        lines.append(
            f"  ECE shown   {share(found.calibrated.ece):>6}  (calibrated as in the window, on "
            f"{_clips(found.calibrated.fitted_on)} decided here, which may be among these)"
        )
    lines.append("")
    shown = [one for one in found.figures if one.clips]
    width = max(len(one.label) for one in shown)
    lines.append(f"{'label':{width}}  clips  recall  precision")
    lines += [
        f"{one.label:{width}}  {one.clips:5}  {share(one.recall):>6}  {share(one.precision):>9}"
        for one in shown
    ]
    wrong = _most_confused(found)
    if wrong:
        lines += ["", "most often mistaken:"]
        lines += [f"  {true} suggested as {said}: {count}" for count, true, said in wrong]
    doubtful = label_errors(found.answers)
    if doubtful:
        lines += ["", f"labels worth a second look: {_clips(len(doubtful))} (listed by --json and --out)"]
    return lines


def _most_confused(found: Evaluated) -> list[tuple[int, str, str]]:
    pairs = [
        (count, found.labels[true], found.labels[said])
        for true, row in enumerate(found.confusion)
        for said, count in enumerate(row)
        if count and true != said
    ]
    return sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:_CONFUSIONS]


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more labels" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _clips(count: int) -> str:
    return f"{count:,} clip{'' if count == 1 else 's'}"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"
