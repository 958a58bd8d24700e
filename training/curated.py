"""What fine-tuning on a curated folder is worth: real clips, told apart before and after, by several seeds.

    python -m training.curated --data ../shared/data --out RUNS [--tasks fencing ucf101 silhouettes] [--seeds 0 1 2]

Each task is made into a folder per label and goes through the command line as a user's would: ``import``, ``train``,
and the proof on test clips from sources that no training clip is from. A table is printed; RUNS/results.json holds all
of it.

- ``fencing``: fencing against everything else. The bundled model's head was fitted on most of these clips, which
  flatters the figure *before*; how many test clips it had seen is told.
- ``ucf101``: the four UCF101 classes with three groups or more: 13 clips, so every figure is coarse.
- ``silhouettes``: 21 labels, HMDB51's official split 1; the bundled network was trained on outlines of the same
  training part.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np

from training.files import write_whole
from training.sources import real_clips, silhouette_files, source_of
from vidlabel.learning.split import read_hmdb51_split
from vidlabel.media.encode import VideoOptions, write_video

TASKS = ("fencing", "ucf101", "silhouettes")
_FEWEST_GROUPS = 3


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    results: list[dict[str, Any]] = []
    for task in options.tasks:
        folder = options.out / task
        extra = {"fencing": _fencing, "ucf101": _ucf101, "silhouettes": _silhouettes}[task](
            options.data, folder
        )
        for tunes in options.tunes:
            for seed in options.seeds:
                results.append(_run(task, folder, tunes, seed, [*extra, *options.train]))
                write_whole(
                    options.out / "results.json",
                    lambda file: file.write(json.dumps(results, indent=1).encode()),
                )
    print(as_table(results))


def as_table(results: Sequence[dict[str, Any]]) -> str:
    """One line a task and way of learning: top-1 before and after, as mean over seeds and lowest to highest."""
    lines = [
        "| task | learns | seeds | test clips | seen by the base | before | after |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, tunes in dict.fromkeys((one["task"], one["tunes"]) for one in results):
        own = [one for one in results if (one["task"], one["tunes"]) == (task, tunes)]
        cells = [
            task, tunes, str(len(own)), _range([one["clips"] for one in own], "{:.0f}"),
            _range([one["seen_before"] for one in own], "{:.0f}"),
            *(_percent([one[name] for one in own]) for name in ("before", "after")),
        ]  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _percent(shares: Sequence[float | None]) -> str:
    """None: the model has no name for any of the labels."""
    known = [100 * share for share in shares if share is not None]
    return _range(known, "{:.0f} %") if known else "knows none"


def _range(values: Sequence[float], form: str) -> str:
    """The mean, and the lowest and highest where they differ."""
    text = form.format(mean(values))
    if min(values) == max(values):
        return text
    return f"{text} ({form.format(min(values))} to {form.format(max(values))})"


def _run(task: str, folder: Path, tunes: str, seed: int, extra: list[str]) -> dict[str, Any]:
    """One fine-tuning in a project of its own."""
    project = folder.parent / f"{task}-{tunes}-{seed}.vidlabel"
    _vidlabel("import", project, folder / "clips", "--format", "class-folders")
    said = _vidlabel("suggest", project, "--model", "bundled", "--top-k", 1)
    run = _vidlabel("train", project, "--base", "bundled", "--tunes", tunes, "--seed", seed, *extra)
    proof = run["proof"]
    snapshot = json.loads((Path(run["folder"]) / "snapshot.json").read_text(encoding="utf-8"))
    test = {str(Path(clip[6])): clip[3] for clip in snapshot["clips"] if clip[4] == "test"}
    first = {one["video"]: one["suggestions"][0]["label"] for one in said["clips"] if one["suggestions"]}
    known = set(test.values()) & {one["label"] for one in proof["changes"]} - set(proof.get("unknown", ()))
    # What it has no name for is right where it says none of the names it has.
    right = [
        first.get(video) == label if label in known else first.get(video) not in known
        for video, label in test.items()
    ]
    return {
        "task": task, "tunes": tunes, "seed": seed, "clips": proof["clips"], "seen_before": proof["seen_before"],
        "before": float(np.mean(right)) if known else None, "after": proof["candidate"]["top1"],
        "after_mean_class": proof["candidate"]["mean_class"], "labels": len(set(test.values())),
        "metrics": run["metrics"], "snapshot": proof["snapshot"], "p_value": proof["p_value"],
    }  # fmt: skip


def _vidlabel(*arguments: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "vidlabel", *map(str, arguments), "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}: {done.stdout[-2000:]}")
    return dict(json.loads(done.stdout))


# --- the tasks -----------------------------------------------------------------------------------
def _fencing(data: Path, folder: Path) -> list[str]:
    clips = []
    fencing = {clip.path: clip for clip in real_clips(data) if clip.label == "fencing"}
    for path in sorted([*(data / "hmdb51_clips").glob("*/*"), *(data / "ucf101_clips").glob("*/*")]):
        label = "fencing" if path in fencing else "other"
        clips.append((path, label, _source(path, path.parent.name)))
    return _laid_out(folder, clips)


def _ucf101(data: Path, folder: Path) -> list[str]:
    clips = []
    for label in sorted((data / "ucf101_clips").iterdir()):
        own = [(path, label.name, _source(path, label.name)) for path in sorted(label.iterdir())]
        if len({source for _, _, source in own}) >= _FEWEST_GROUPS:
            clips += own
    return _laid_out(folder, clips)


def _source(path: Path, label: str) -> str:
    """The film of an HMDB51 clip, the group of a UCF101 one (``v_Diving_g03_c07``: group 3 of that class)."""
    return path.stem.rpartition("_c")[0] if path.stem.startswith("v_") else source_of(path.stem, label)


def _laid_out(folder: Path, clips: Sequence[tuple[Path, str, str]]) -> list[str]:
    """A folder for each label, and the sources as ``--source`` takes them."""
    rows = []
    for path, label, source in clips:
        place = folder / "clips" / label / path.name
        place.parent.mkdir(parents=True, exist_ok=True)
        if not place.exists():
            shutil.copyfile(path, place)
        rows.append((str(place.absolute()), source))
    table = folder / "sources.csv"
    with table.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("video", "source"), *rows])
    return ["--source", str(table)]


def _silhouettes(data: Path, folder: Path) -> list[str]:
    from scipy.io import loadmat

    splits = data / "hmdb51_splits" / "testTrainMulti_7030_splits"
    parts: dict[str, dict[str, Any]] = {}
    for entry in read_hmdb51_split(splits, 1):
        parts.setdefault(entry.label, {})[Path(entry.video).stem] = entry.part or "unused"
    for path, label, part in silhouette_files(data, parts):
        place = folder / "clips" / label / f"{path.stem}.avi"
        if part == "unused" or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        masks = np.moveaxis(loadmat(path)["part_mask"], -1, 0)
        frames = [np.repeat(mask[:, :, None] * np.uint8(255), 3, axis=2) for mask in masks]
        write_video(place, frames, fps=30, options=VideoOptions(codec="mpeg4", gop=12))
    return ["--split", "official", "--splits", str(splits)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the footage")
    parser.add_argument("--out", type=Path, required=True, help="for clips, projects and results")
    parser.add_argument("--tasks", nargs="+", choices=TASKS, default=list(TASKS))
    parser.add_argument("--tunes", nargs="+", choices=("head", "last", "all"), default=["head"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--train", nargs=argparse.REMAINDER, default=[], help="all after it goes to `vidlabel train`"
    )
    return parser


if __name__ == "__main__":
    main()
