"""A run's process without torch: writes what one writes, and heeds wishes. ``python train_worker.py RUNFOLDER``."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

from filelock import FileLock

STEPS, EPOCHS = 40, 8
NEVER = threading.Event()


def proof_of(clips: list[list[Any]], labels: list[str]) -> dict[str, Any]:
    """Made-up figures over the test clips that the snapshot really has."""
    test = [clip for clip in clips if clip[4] == "test"]
    used = [label for label in labels if any(clip[3] == label for clip in test)]
    figures = {
        "model": "active", "hash": "0" * 64, "top1": 0.629, "top5": 0.9, "mean_class": 0.6, "ece": 0.1,
        "confusion": [[0] * len(labels) for _ in labels],
    }  # fmt: skip
    changes = [
        {"label": label, "clips": 3, "active": 0.5 + 0.3 * (place % 2), "candidate": 0.8 - 0.25 * (place % 2),
         "worse": place % 2 == 1}
        for place, label in enumerate(used)
    ]  # fmt: skip
    return {
        "snapshot": "s", "clips": len(test), "unreadable": 0, "labels": labels, "active": figures,
        "candidate": {**figures, "model": "made", "top1": 0.741}, "won": [clip[7] for clip in test[:2]],
        "lost": [clip[7] for clip in test[2:3]], "p_value": 0.0004, "difference": 0.112,
        "interval": [0.061, 0.163], "interval_candidate": [0.696, 0.782], "changes": changes, "bound": 0.1,
        "seen_before": 0,
    }  # fmt: skip


class Teller:
    """Appends lines to ``events.jsonl``."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __call__(self, event: str, **values: Any) -> None:
        line = json.dumps({"v": 1, "at": time.time(), "event": event, **values})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def heed(folder: Path, tell: Teller) -> str:
    """The wish that ends it, after pausing for as long as that is wished."""
    paused = False
    while True:
        wish = (folder / "wish").read_text().strip() if (folder / "wish").exists() else ""
        if wish in ("stop", "keep"):
            return wish
        if wish == "pause" and not paused:
            paused = True
            tell("paused")
        elif wish != "pause":
            if paused:
                tell("resumed")
            return ""
        NEVER.wait(0.02)


def main(folder: Path) -> None:
    pace = float(os.environ.get("FAKE_PACE", "0.02"))
    tell = Teller(folder / "events.jsonl")
    manifest = json.loads((folder / "snapshot.json").read_text())
    labels = manifest["labels"]
    parts = [clip[4] for clip in manifest["clips"]]
    used = sorted({clip[3] for clip in manifest["clips"]})
    known = (folder / "checkpoint.pt").exists()
    begin = int((folder / "checkpoint.pt").read_text()) if known else 0
    tell(
        "started", epochs=EPOCHS, steps=STEPS, device="cpu", precision="float32", batch=8,
        train=parts.count("train"), validation=parts.count("validation"), test=parts.count("test"),
        resumed_at_step=begin,
    )  # fmt: skip
    for step in range(begin + 1, STEPS + 1):
        ending = heed(folder, tell)
        if ending == "stop":
            (folder / "checkpoint.pt").write_text(str(step - 1))
            tell("stopped", step=step - 1, kept=False)
            return
        if ending == "keep":
            break
        if os.environ.get("FAKE_FAILS") and step == 8:
            (folder / "checkpoint.pt").write_text(str(step - 1))
            tell("failed", kind="memory", words="CUDA ran out of memory at batch 48.")
            return
        NEVER.wait(pace)
        epoch = (step - 1) // (STEPS // EPOCHS) + 1
        loss = 3.0 * 0.95**step
        tell("step", epoch=epoch, step=step, steps=STEPS, loss=loss, rate=0.001, clips_per_s=318.0,
             left_s=(STEPS - step) * 6.0, memory_mb=11_200.0)  # fmt: skip
        if step % (STEPS // EPOCHS) == 0:
            right = 0.3 + 0.4 * step / STEPS
            tell("epoch", epoch=epoch, loss=loss, train_top1=right + 0.1, val_loss=loss + 0.3, val_top1=right,
                 val_mean_class=right - 0.05, recall=dict.fromkeys(used, right), seconds=1.0,
                 best=True)  # fmt: skip
    test = parts.count("test")
    tell("proving", done=test, total=test)
    (folder / "proof.json").write_text(json.dumps(proof_of(manifest["clips"], labels)))
    made = os.environ["FAKE_MODEL"].split("|")
    tell("finished", model=made[0], name=made[1], path=made[2], metrics={"val_top1": 0.7})


if __name__ == "__main__":
    run_folder = Path(sys.argv[1])
    with FileLock(run_folder / "lock").acquire(timeout=10):
        main(run_folder)
