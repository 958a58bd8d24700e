"""``vidlabel models install``, ``import``, ``export`` and ``remove``."""

from __future__ import annotations

import threading
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vidlabel.cli import model_work
from vidlabel.cli.arguments.models import EXPORT_KINDS
from vidlabel.cli.output import Output
from vidlabel.cli.progress import BYTES, Bar, progress
from vidlabel.core.catalogue import published_model
from vidlabel.core.errors import UsageError
from vidlabel.ml.download import Progress
from vidlabel.ml.install import Event, Installed, Started, Tell
from vidlabel.ml.install import install as install_model
from vidlabel.ml.part import megabytes

_INTERRUPTED = 130


def install(arguments: Namespace, output: Output, name: str) -> int:
    """Fetches a published model; Ctrl+C leaves what was fetched for the next time."""
    entry = published_model(name)
    try:
        with _shown(f"Installing {name}") as tell:
            outcome = install_model(entry, tell=tell, keep_download=arguments.keep_download)
    except KeyboardInterrupt:
        words = f"Stopped. `vidlabel models install {name}` goes on from there."
        output.log(f"vidlabel: {words}")
        if output.as_json:
            output.answer({"error": words}, ())
        return _INTERRUPTED
    model, fetched = outcome.model, outcome.fetched
    document = {
        "model": model.name,
        "hash": model.hash,
        "path": str(model.path),
        "installed": fetched is not None,
        "fetched_bytes": fetched.received if fetched else 0,
        "resumed_bytes": fetched.resumed if fetched else 0,
        "download": str(outcome.download) if outcome.download else None,
    }
    output.answer(document, _installed_lines(outcome))
    return 0


def _installed_lines(outcome: Installed) -> list[str]:
    model, fetched = outcome.model, outcome.fetched
    if fetched is None:
        return [f"{model.name} was installed already ({model.hash[:12]})."]
    resumed = f", {megabytes(fetched.resumed)} were there" if fetched.resumed else ""
    lines = [
        f"{model.name} is installed ({model.hash[:12]}); {megabytes(fetched.received)} fetched{resumed}."
    ]
    lines.append(f"`vidlabel suggest PROJECT --model {model.name}` uses it.")
    if outcome.download:
        lines.append(f"The published file is kept: {outcome.download}")
    return lines


def import_file(arguments: Namespace, output: Output, path: str) -> int:
    """Takes a model over from a file."""
    with _shown("Importing") as tell:
        model = model_work.import_file(
            Path(path),
            tell=tell,
            stop=threading.Event(),
            name=arguments.name,
            labels=arguments.labels,
            network=arguments.network,
        )
    document = {
        "model": model.name,
        "hash": model.hash,
        "path": str(model.path),
        "network": model.network,
        "labels": len(model.labels),
    }
    lines = [f"{model.name} is installed ({model.hash[:12]}): {model.network}, {len(model.labels)} labels."]
    output.answer(document, lines)
    return 0


def export(arguments: Namespace, output: Output, model: str, out: str) -> int:
    """Writes a model for other programs."""
    kind = arguments.kind or _kind_of(Path(out))
    with _shown("Exporting") as tell:
        path = model_work.export(
            model, Path(out), kind=kind, replace=arguments.force, tell=tell, stop=threading.Event()
        )
    path = path.absolute()
    size = path.stat().st_size
    output.answer(
        {"model": model, "kind": kind, "path": str(path), "bytes": size},
        [f"{path}: {kind}, {megabytes(size)}."],
    )
    return 0


def _kind_of(out: Path) -> str:
    """By the file's ending, where no kind was named."""
    kinds = {".safetensors": "safetensors", ".onnx": "onnx", ".pth": "state-dict", ".pt": "state-dict"}
    kind = kinds.get(out.suffix.lower())
    if kind is None:
        raise UsageError(f"What shall {out} be? Give --kind {'|'.join(EXPORT_KINDS)}.")
    return kind


def remove(arguments: Namespace, output: Output, model: str) -> int:
    """Takes a model off this computer."""
    del arguments
    removed = model_work.remove(model)
    info = removed.model
    document = {
        "model": info.name if info else removed.path.name,
        "hash": info.hash if info else None,
        "path": str(removed.path),
        "active_in": [str(path) for path in removed.active_in],
    }
    lines = [f"{document['model']} is removed."]
    lines += [f"It was the active model of {path}: choose another one there." for path in removed.active_in]
    output.answer(document, lines)
    return 0


@contextmanager
def _shown(words: str) -> Iterator[Tell]:
    """Shows on a terminal what happens."""
    with progress(words, unit=BYTES) as bar:
        yield lambda event: _show(bar, words, event)


def _show(bar: Bar, words: str, event: Event) -> None:
    match event:
        case Started():
            bar.at(0, event.bytes)
        case Progress():
            bar.at(event.done, event.total)
        case _:
            bar.say(f"{words}: {event.words}")
