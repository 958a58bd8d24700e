"""A process that speaks the protocol of the evaluate worker: it suggests ``wave`` for every clip, with much confidence.

With ``slow`` it waits half-way to be stopped, with ``fails`` it fails, with ``crashes`` it dies without a word.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from vidlabel.core.evaluation import CalibratedFigures, ClipAnswer, Evaluated, LabelResult
from vidlabel.core.words import ReliabilityBin

SAID = "wave"


def say(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"v": 1, "event": event, **values}) + "\n")
    sys.stdout.flush()


def evaluated(job: dict[str, Any]) -> Evaluated:
    """What comes of a job whose model says the same of every clip."""
    labels = tuple(sorted({clip["label"] for clip in job["clips"]} | {SAID, "run"}))
    answers = tuple(
        ClipAnswer(clip["clip_id"], clip["label"], SAID, 0.9, 0.9 if clip["label"] == SAID else 0.05,
                   1 if clip["label"] == SAID else 2)
        for clip in job["clips"]
    )  # fmt: skip
    confusion = [[0] * len(labels) for _ in labels]
    for one in answers:
        confusion[labels.index(one.label)][labels.index(SAID)] += 1
    right = sum(one.right for one in answers) / len(answers)
    clips = {label: sum(one.label == label for one in answers) for label in labels}
    return Evaluated(
        model="fixed", hash=job["models"][0], clips=len(answers), labels=labels, top1=right, top5=1.0,
        mean_class=right, ece=0.4, confusion=tuple(tuple(row) for row in confusion),
        figures=tuple(
            LabelResult(label, clips[label], float(label == SAID) if clips[label] else None,
                        right if label == SAID else None)
            for label in labels
        ),
        bins=(ReliabilityBin(low=0.8, high=1.0, clips=len(answers), confidence=0.9, accuracy=right),),
        answers=answers, trained_on=2, calibrated=calibrated(job, answers),
    )  # fmt: skip


def calibrated(job: dict[str, Any], answers: tuple[ClipAnswer, ...]) -> CalibratedFigures | None:
    """Where the job brings a calibration: three quarters instead of 0.9."""
    told = job["calibrations"].get(job["models"][0])
    if told is None:
        return None
    bins = (ReliabilityBin(low=0.6, high=0.8, clips=len(answers), confidence=0.75, accuracy=0.5),)
    return CalibratedFigures(temperature=told["temperature"], fitted_on=told["fitted_on"], ece=0.25, bins=bins,
                             shown=(0.75,) * len(answers))  # fmt: skip


def main(arguments: list[str]) -> int:
    way, file = arguments
    job = json.loads(Path(file).read_text(encoding="utf-8"))
    total = len(job["clips"])
    say("progress", model="fixed", done=0, total=total)
    if way == "slow":
        say("progress", model="fixed", done=total // 2, total=total)
        sys.stdin.readline()
        say("stopped")
        return 130
    if way == "fails":
        say("failed_model", model="fixed", words="fixed: its file is gone. Install it again.")
        say("finished", results=0, failed=1)
        return 1
    if way == "crashes":
        sys.stderr.write("MemoryError: no room\n")
        return 1
    path = Path(job["out"]) / "evaluation-1.json"
    path.write_text(json.dumps(evaluated(job).to_json()), encoding="utf-8")
    say("result", model="fixed", hash=job["models"][0], path=str(path))
    say("finished", results=1, failed=0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
