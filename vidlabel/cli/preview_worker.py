"""Shows the window what training will make of a clip, in a process of its own: a job file in, lines of JSON out.

The job: ``clip`` (``path``, ``start_us``, ``end_us``), ``model`` (name, hash or path) or ``preprocessing``,
``strength``, ``seed``, ``count``, ``mirror``, and ``out``, the folder for the pictures. Each line has ``"v": 1`` and
an ``event``: ``picture`` (``number`` from 0, ``path``, ``frames``, ``width``, ``height`` of one frame); and, last,
``finished`` (``original``, ``pictures``) or ``failed`` (``kind``: usage, clips, model or disk; ``words``). A picture
is a PNG with a clip's frames side by side. It takes about a second; whoever does not want it any more ends it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vidlabel.core.errors import MediaError, ModelError, UsageError, VidlabelError
from vidlabel.learning.augment_preview import augment_preview, write_versions
from vidlabel.learning.clip_stock import LabelledClip
from vidlabel.ml.catalogue import find_model
from vidlabel.ml.preprocess import Preprocessing

PROTOCOL = 1
_DONE, _FAILED, _WRONG_USAGE = 0, 1, 2
_MOST = 32


def run_preview(arguments: Sequence[str]) -> int:
    """Does one job and answers the exit code."""
    try:
        _do(_job(arguments))
    except (VidlabelError, OSError) as error:
        _tell({"event": "failed", "kind": _kind(error), "words": str(error)})
        return _WRONG_USAGE if isinstance(error, UsageError) else _FAILED
    return _DONE


def _job(arguments: Sequence[str]) -> Mapping[str, Any]:
    try:
        (path,) = arguments
        job = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise UsageError(f"The preview wants one file with a job: {error}.") from error
    if not isinstance(job, dict):
        raise UsageError("The preview's job is not an object.")
    return job


def _do(job: Mapping[str, Any]) -> None:
    try:
        about = job["clip"]
        whole = LabelledClip(path=Path(about["path"]), label=0)
        clip = LabelledClip(
            path=whole.path,
            label=0,
            start_us=int(about.get("start_us", 0)),
            end_us=int(about.get("end_us") or whole.end_us),
        )
        p = (
            Preprocessing.from_json(job["preprocessing"])
            if "preprocessing" in job
            else find_model(job["model"]).preprocessing
        )
        count, out = max(1, min(_MOST, int(job.get("count", 6)))), Path(job["out"])
        seed, strength = int(job.get("seed", 0)), str(job.get("strength", "light"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(f"The preview's job is not complete: {error!r}.") from error
    versions = augment_preview(
        clip, p, strength=strength, seed=max(0, seed), count=count, mirror=bool(job.get("mirror", True))
    )

    def written(number: int, path: Path) -> None:
        _tell(
            {
                "event": "picture",
                "number": number,
                "path": str(path),
                "frames": p.frames,
                "width": p.width,
                "height": p.height,
            }
        )

    original, pictures = write_versions(versions, out, on_written=written)
    _tell({"event": "finished", "original": str(original), "pictures": [str(path) for path in pictures]})


def _kind(error: Exception) -> str:
    kinds = ((UsageError, "usage"), (MediaError, "clips"), (ModelError, "model"))
    return next((kind for sort, kind in kinds if isinstance(error, sort)), "disk")


def _tell(line: Mapping[str, Any]) -> None:
    # ASCII, so that no encoding can come between.
    sys.stdout.write(json.dumps({"v": PROTOCOL, **line}) + "\n")
    sys.stdout.flush()
