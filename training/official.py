"""Measures a fine-tuning on its test parts: three official splits, their mean, and the random split beside them.

Called by ``python -m training.evaluate --official RUN --data HMDB51``. What it adds to plain figures is how much of a
figure may be owed to films that are in both parts: the share of test clips with a sibling in train (a clip cut from the
same source), and the accuracy on the clips with and without one.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.files import write_whole
from training.finetune_clips import Decoder
from training.hmdb51 import OFFICIAL, RANDOM, SPLITS, Index, IndexedClip
from training.hmdb51_leaks import has_sibling, leak
from vidlabel.core.errors import FormatError, MediaError
from vidlabel.core.words import Views
from vidlabel.learning.evaluate import evaluate_probabilities
from vidlabel.ml.devices import choose_device
from vidlabel.ml.modelfile import load_model, read_info
from vidlabel.ml.predictor import Predictor

FIGURES = ("top1", "top5", "mean_class", "ece")
_MOST_CONFUSED = 10
# Looks at clips that go through the network at once.
_LOOKS = 32
# Clips from one line of progress to the next.
_TELL = 200


@dataclass(frozen=True, kw_only=True)
class Manner:
    """How clips are looked at: ``views`` along the time, and 1 or 3 ``crops`` of the pictures."""

    views: Views = field(default_factory=Views)
    crops: int = 1

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"clips": self.views.clips, "flip": self.views.flip, "crops": self.crops}


@dataclass(frozen=True)
class Answers:
    """What a model said of the test clips that could be read: float32 (N, L), true labels (N,), paths."""

    probabilities: NDArray[np.float32]
    truth: NDArray[np.int64]
    paths: tuple[str, ...]


def measure_run(
    run: Path,
    index: Index,
    *,
    manner: Manner,
    device: str = "cpu",
    workers: int = 1,
    threads: int | None = None,
    say: Callable[[str], None] = print,
) -> dict[str, Any]:
    """Measures every split that has a model, and writes ``run/scores.json`` and ``run/scores.md``.

    The answers of each split are kept in ``run/<split>/answers.npz`` and taken from there the next time, if the model
    and the manner are the same.

    Raises:
        FileNotFoundError: no split has a model.
        FormatError: a model knows other labels than the index.
    """
    found = [split for split in SPLITS if (run / split / "model.safetensors").is_file()]
    if not found:
        raise FileNotFoundError(f"{run} holds no model of any split; make one with training.finetune")
    scores: dict[str, Any] = {}
    for split in found:
        answers = _answers(
            run / split, index, split, manner=manner, device=device, workers=workers, threads=threads
        )
        scores[split] = split_scores(index, split, answers)
        say(f"{split}: top-1 {scores[split]['top1']:.4f} of {scores[split]['clips']} clips")
    told = {
        "manner": manner.to_json(),
        "splits": scores,
        "official_mean": mean_of([scores[split] for split in OFFICIAL if split in scores]),
    }
    text = json.dumps(told, indent=1)
    write_whole(run / "scores.json", lambda file: file.write(text.encode("utf-8")))
    table = as_table(told)
    write_whole(run / "scores.md", lambda file: file.write(table.encode("utf-8")))
    return told


def split_scores(index: Index, split: str, answers: Answers) -> dict[str, Any]:
    """All figures of one split, what its parts share, and the accuracy with and without siblings."""
    evaluation = evaluate_probabilities(answers.probabilities, answers.truth, index.labels)
    by_path = {clip.path: clip for clip in index.clips}
    test = [by_path[path] for path in answers.paths]
    train = index.part(split, "train")
    whole = index.part(split, "test", readable=False)
    right = answers.probabilities.argmax(axis=1) == answers.truth
    label_sibling = has_sibling([_as_one(clip) for clip in train], [_as_one(clip) for clip in test])
    any_sibling = has_sibling([clip.source for clip in train], [clip.source for clip in test])
    values = evaluation.to_json()
    return {
        **{name: values[name] for name in ("clips", *FIGURES)},
        "unreadable": len(whole) - len(test),
        "top1_unreadable_wrong": float(right.sum() / len(whole)) if whole else None,
        "leak": asdict(leak([_source(clip) for clip in train], [_source(clip) for clip in test])),
        "same_label_sibling": _with_and_without(right, label_sibling),
        "any_sibling": _with_and_without(right, any_sibling),
        "most_confused": most_confused(evaluation.confusion, index.labels),
        "confusion": values["confusion"],
        "labels": values["labels"],
    }


def mean_of(scores: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The mean over official splits and how far apart they lie; None without any."""
    if not scores:
        return None
    mean: dict[str, Any] = {"splits": len(scores)}
    for name in FIGURES:
        values = [one[name] for one in scores if one[name] is not None]
        mean[name] = float(np.mean(values)) if values else None
    top1 = [one["top1"] for one in scores if one["top1"] is not None]
    mean["top1_lowest_and_highest"] = [min(top1), max(top1)] if top1 else None
    return mean


def most_confused(confusion: NDArray[np.int64], labels: Sequence[str]) -> list[dict[str, Any]]:
    """The largest numbers off the diagonal: true label, suggested label, clips."""
    off = confusion.copy()
    np.fill_diagonal(off, 0)
    order = np.argsort(off, axis=None, kind="stable")[::-1][:_MOST_CONFUSED]
    places = [(int(place) // len(labels), int(place) % len(labels)) for place in order]
    return [
        {"label": labels[row], "suggested": labels[column], "clips": int(off[row, column])}
        for row, column in places
        if off[row, column] > 0
    ]


def as_table(scores: dict[str, Any]) -> str:
    """The figures side by side, in Markdown."""
    rows = [(split, scores["splits"][split]) for split in SPLITS if split in scores["splits"]]
    head = (
        "| split | clips | top-1 | top-5 | mean class | ECE | test clips with a sibling of the same label in train "
        "| top-1 with one | top-1 without | with a sibling of any label |"
    )
    lines = [head, "|---" * 10 + "|"]
    for split, own in rows:
        same, leaked = own["same_label_sibling"], own["leak"]
        lines.append(
            f"| {split} | {own['clips']} | "
            + " | ".join(_percent(own[name]) for name in FIGURES[:3])
            + f" | {own['ece']:.3f} | {_percent(leaked['label_siblings'] / max(1, leaked['test']))} "
            f"| {_percent(same['with']['top1'])} of {same['with']['clips']} "
            f"| {_percent(same['without']['top1'])} of {same['without']['clips']} "
            f"| {_percent(leaked['siblings'] / max(1, leaked['test']))} |"
        )
    mean = scores["official_mean"]
    if mean is not None:
        lines.append(
            f"| **mean of {mean['splits']} official** | | "
            + " | ".join(_percent(mean[name]) for name in FIGURES[:3])
            + f" | {mean['ece']:.3f} | | | | |"
        )
    if RANDOM in scores["splits"] and mean is not None:
        more = scores["splits"][RANDOM]["top1"] - mean["top1"]
        lines += ["", f"The random split reads {100 * more:+.1f} points of top-1 against the official mean."]
    return "\n".join(lines) + "\n"


def _answers(
    folder: Path,
    index: Index,
    split: str,
    *,
    manner: Manner,
    device: str,
    workers: int,
    threads: int | None,
) -> Answers:
    model, kept = folder / "model.safetensors", folder / "answers.npz"
    made = json.dumps({"model": read_info(model).hash, "manner": manner.to_json()}, sort_keys=True)
    if kept.is_file():
        with np.load(kept) as stored:
            if str(stored["made"]) == made:
                return Answers(stored["probabilities"], stored["truth"], tuple(map(str, stored["paths"])))
    loaded = load_model(model)
    if loaded.info.labels != index.labels:
        raise FormatError(model, "this model knows other labels than the index. Is it of another set?")
    predictor = Predictor(loaded, choose_device(device), threads=threads)
    answers = answer_all(predictor, index, index.part(split, "test"), manner=manner, workers=workers)
    write_whole(
        kept,
        lambda file: np.savez(
            file,
            probabilities=answers.probabilities,
            truth=answers.truth,
            paths=np.array(answers.paths),
            made=np.array(made),
        ),
    )
    return answers


def answer_all(
    predictor: Predictor, index: Index, clips: Sequence[IndexedClip], *, manner: Manner, workers: int
) -> Answers:
    """What a model says of clips, each in all its looks; clips that cannot be read are left out and told of."""
    decoder = Decoder(predictor.info.preprocessing)
    there: list[IndexedClip] = []
    waiting: list[NDArray[np.uint8]] = []
    rows: list[NDArray[np.float32]] = []

    def run() -> None:
        """Sends what waits through the network, in one batch so that a GPU is worth its while."""
        if not waiting:
            return
        looks = np.concatenate(waiting)
        parts = [looks[start : start + _LOOKS] for start in range(0, len(looks), _LOOKS)]
        said = np.concatenate([predictor.predict(part).probabilities for part in parts])
        ends = np.cumsum([len(own) for own in waiting])[:-1]
        rows.extend(own.mean(axis=0, dtype=np.float64).astype(np.float32) for own in np.split(said, ends))
        waiting.clear()

    for clip, looks in _decoded(decoder, index, clips, manner=manner, workers=workers):
        if isinstance(looks, MediaError):
            print(f"left out: {looks}", flush=True)
            continue
        there.append(clip)
        waiting.append(looks)
        if sum(map(len, waiting)) >= _LOOKS:
            run()
        if len(there) % _TELL == 0:
            print(f"{len(there)} of {len(clips)} clips", flush=True)
    run()
    return Answers(
        np.stack(rows) if rows else np.empty((0, len(index.labels)), np.float32),
        np.array([index.labels.index(clip.label) for clip in there], np.int64),
        tuple(clip.path for clip in there),
    )


def _decoded(
    decoder: Decoder, index: Index, clips: Sequence[IndexedClip], *, manner: Manner, workers: int
) -> Iterator[tuple[IndexedClip, NDArray[np.uint8] | MediaError]]:
    """The clips with their looks, decoded ahead on threads, in order."""

    def read(clip: IndexedClip) -> NDArray[np.uint8] | MediaError:
        try:
            return decoder.views(index.file(clip), manner.views, crops=manner.crops)
        except MediaError as error:
            return error

    ahead: deque[tuple[IndexedClip, Future[NDArray[np.uint8] | MediaError]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="decode") as pool:
        for clip in clips:
            ahead.append((clip, pool.submit(read, clip)))
            if len(ahead) > 2 * workers:
                first, looks = ahead.popleft()
                yield first, looks.result()
        while ahead:
            first, looks = ahead.popleft()
            yield first, looks.result()


def _with_and_without(right: NDArray[np.bool_], sibling: NDArray[np.bool_]) -> dict[str, Any]:
    return {
        words: {"clips": int(chosen.sum()), "top1": float(right[chosen].mean()) if chosen.any() else None}
        for words, chosen in (("with", sibling), ("without", ~sibling))
    }


def _source(clip: IndexedClip) -> tuple[str, str]:
    return clip.source, clip.label


def _as_one(clip: IndexedClip) -> str:
    return f"{clip.source}\0{clip.label}"


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"
