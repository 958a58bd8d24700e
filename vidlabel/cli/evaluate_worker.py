"""Measures models for the window, in a process of its own: lines of JSON on stdout, ``stop`` on stdin.

The job is a file of JSON: ``clips`` (each ``clip_id``, ``path``, ``start_us``, ``end_us``, ``label``, and where known
``content_hash``, and ``embeddings``: packed ones by trunk), ``models`` (hash, key, name or path), ``out`` (a folder),
and where wanted ``labels`` (the project's), ``aliases`` (present name by former name), ``device`` and ``calibrations``
(by model as named in ``models``: ``temperature`` and ``fitted_on``, a number of clips).

Each line is an object with ``"v": 1`` and an ``event``: ``progress`` (``model``, ``done``, ``total``), ``note``
(``words``), ``result`` (``model``, ``hash``, ``path`` of a file with ``Evaluated.to_json``), ``failed_model``
(``model``, ``words``; the next one is still measured); and, last, ``finished`` (``results``, ``failed``: how many),
``stopped``, or ``failed`` (``kind``, ``words``). The end of stdin means ``stop``, too: the window is gone.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

from vidlabel.cli.evaluating import KnownClip, Seen, evaluate_clips, model_of_key
from vidlabel.core.errors import FormatError, StoppedError, UsageError, VidlabelError
from vidlabel.core.evaluation import Evaluated, InForce
from vidlabel.core.messages import WantedClip
from vidlabel.core.model_key import ModelKey
from vidlabel.core.words import ONE_VIEW
from vidlabel.interop.atomic import writing
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.ml.trunk import trunk_of

PROTOCOL = 1
_DONE, _FAILED, _WRONG_USAGE, _INTERRUPTED = 0, 1, 2, 130
_STDIN = 0
_TELL_EVERY_S = 0.1
_PATIENCE_S = 2.0

Tell = Callable[[dict[str, Any]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    clips: tuple[KnownClip, ...]
    embeddings: Mapping[int, Mapping[str, str]]
    models: tuple[str, ...]
    out: Path
    labels: tuple[str, ...]
    aliases: Mapping[str, str]
    device: str
    calibrations: Mapping[str, InForce]


def run_evaluate(arguments: Sequence[str]) -> int:
    """Does one job and answers the exit code; everything else is said on stdout."""
    write = _own_stdout()
    stop = threading.Event()
    ending = threading.Lock()
    threading.Thread(target=_listen, args=(stop, ending, write), daemon=True).start()
    try:
        if len(arguments) != 1:
            raise UsageError("the evaluate worker takes one file, the job.")
        answer, code = _do(_read(Path(arguments[0])), tell=write, stop=stop)
    except (StoppedError, KeyboardInterrupt):
        answer, code = {"event": "stopped"}, _INTERRUPTED
    except (VidlabelError, OSError) as error:
        answer = {"event": "failed", "kind": _kind(error), "words": str(error)}
        code = _WRONG_USAGE if isinstance(error, UsageError) else _FAILED
    # Never given back: the last word is said once.
    ending.acquire()
    write(answer)
    sys.stderr.flush()
    # A thread may hang in torch or in a decoder: nothing of it needs an orderly end.
    os._exit(code)


def _do(job: _Job, *, tell: Tell, stop: threading.Event) -> tuple[dict[str, Any], int]:
    """Measures one model after the other; what to say last, and the exit code."""
    results = failed = 0
    for name in job.models:
        try:
            model = model_of_key(name)
            calibration = job.calibrations.get(name)
            number = results + failed
            path = _measure(model, job, calibration, number=number, tell=tell, stop=stop)
        except StoppedError:
            raise
        except VidlabelError as error:
            failed += 1
            tell({"event": "failed_model", "model": name, "words": str(error)})
        else:
            results += 1
            tell({"event": "result", "model": model.name, "hash": model.hash, "path": str(path)})
    return {"event": "finished", "results": results, "failed": failed}, _FAILED if failed else _DONE


def _measure(
    model: ModelInfo,
    job: _Job,
    calibration: InForce | None,
    *,
    number: int,
    tell: Tell,
    stop: threading.Event,
) -> Path:
    told = -_TELL_EVERY_S

    def progress(done: int) -> None:
        nonlocal told
        now = monotonic()
        if now - told >= _TELL_EVERY_S:
            told = now
            tell({"event": "progress", "model": model.name, "done": done, "total": len(job.clips)})

    progress(0)
    found = evaluate_clips(
        model, job.clips, labels=job.labels, aliases=job.aliases, device=job.device,
        seen=_Told(job.embeddings, model), calibration=calibration, should_stop=stop.is_set, on_progress=progress,
        on_note=lambda words: tell({"event": "note", "words": words}),
    )  # fmt: skip
    return _written(job.out / f"evaluation-{number + 1}.json", found)


def _written(path: Path, found: Evaluated) -> Path:
    with writing(path) as file:
        json.dump(found.to_json(), file, separators=(",", ":"))
    return path


class _Told(Seen):
    """The embeddings that came with the job."""

    def __init__(self, embeddings: Mapping[int, Mapping[str, str]], model: ModelInfo) -> None:
        key = ModelKey.parse(model.hash)
        plain = key.views == ONE_VIEW and any(embeddings.values())
        self._trunk = trunk_of(model, precision=key.precision) if plain else ""
        self._embeddings = embeddings

    def wanted(self, clips: Sequence[KnownClip]) -> Iterator[WantedClip]:
        for clip in clips:
            yield WantedClip(
                clip_id=clip.clip_id,
                path=str(clip.path),
                start_us=clip.start_us,
                end_us=clip.end_us,
                embedding=self._embeddings.get(clip.clip_id, {}).get(self._trunk, "") if self._trunk else "",
            )


def _read(path: Path) -> _Job:
    """The job in a file.

    Raises:
        FormatError: it is none.
        OSError: it cannot be read.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        clips = tuple(
            KnownClip(
                clip_id=int(one["clip_id"]), path=Path(one["path"]), start_us=int(one["start_us"]),
                end_us=int(one["end_us"]), label=str(one["label"]), content_hash=one.get("content_hash"),
            )
            for one in content["clips"]
        )  # fmt: skip
        return _Job(
            clips=clips,
            embeddings={int(one["clip_id"]): one.get("embeddings", {}) for one in content["clips"]},
            models=tuple(map(str, content["models"])),
            out=Path(content["out"]),
            labels=tuple(content.get("labels", ())),
            aliases=dict(content.get("aliases", {})),
            device=str(content.get("device", "auto")),
            calibrations={
                str(name): InForce(float(one["temperature"]), int(one["fitted_on"]))
                for name, one in content.get("calibrations", {}).items()
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FormatError(path, f"it is no job to evaluate ({type(error).__name__}: {error}).") from error


def _kind(error: Exception) -> str:
    if isinstance(error, UsageError):
        return "usage"
    return "disk" if isinstance(error, OSError) else "job" if isinstance(error, FormatError) else "model"


def _listen(stop: threading.Event, ending: threading.Lock, write: Tell) -> None:
    """Until told to stop, or until nobody is left to tell it; then ends the process if it does not end by itself."""
    heard = b""
    while data := os.read(_STDIN, 4096):
        heard = (heard + data)[-4096:]
        if b"stop" in heard.split(b"\n")[:-1]:
            break
    stop.set()
    # Importing torch takes seconds in which nothing is asked whether to stop, and there is nothing to save.
    threading.Event().wait(_PATIENCE_S)
    if ending.acquire(blocking=False):
        write({"event": "stopped"})
        os._exit(_INTERRUPTED)


def _own_stdout() -> Tell:
    """Writes lines to the window; what any library prints goes to standard error from now on."""
    private = os.dup(1)
    os.dup2(2, 1)

    def write(line: dict[str, Any]) -> None:
        # ASCII, so that no encoding can come between.
        os.write(private, json.dumps({"v": PROTOCOL, **line}).encode() + b"\n")

    return write
