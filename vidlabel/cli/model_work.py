"""What changes the models of this computer, for the command and for the window's worker alike."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vidlabel.core.errors import ModelError, UsageError, VidlabelError
from vidlabel.core.model_key import ModelKey
from vidlabel.core.paths import PROJECT_SUFFIX, data_folder
from vidlabel.ml.catalogue import BUNDLED, find_model, installed_folder, note_removed
from vidlabel.ml.install import Step, Tell
from vidlabel.ml.modelfile import ModelInfo, read_info
from vidlabel.ml.watched import watched


@dataclass(frozen=True)
class Removed:
    """What was taken away: ``model`` is None for a damaged file. ``active_in``: projects that used it."""

    path: Path
    model: ModelInfo | None
    active_in: tuple[Path, ...] = ()


def import_file(
    path: Path,
    *,
    tell: Tell,
    stop: threading.Event,
    name: str | None = None,
    labels: Path | None = None,
    network: str | None = None,
) -> ModelInfo:
    """Makes an installed model of a file from elsewhere.

    Raises:
        UsageError: there is no such file, or the name is taken by the program.
        ModelError: it cannot become a model; the message explains what does not fit.
        StoppedError: ``stop`` was set.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a folder. Name the file with the weights.")
    if not path.is_file():
        raise UsageError(f"There is no file {path}. Check the path.")
    _refuse_bundled_name(path, name)
    listed = None if labels is None else read_labels(labels)
    tell(Step("reading it"))

    def work() -> ModelInfo:
        from vidlabel.ml.convert import import_model

        return import_model(path, installed_folder(), name=name, labels=listed, network=network)

    return watched(work, stop=stop)


def _refuse_bundled_name(path: Path, name: str | None) -> None:
    """That name is the program's own model's. A model file of vidlabel brings its name and is what it says."""
    if name is None and path.stem == BUNDLED:
        try:
            read_info(path)
        except ModelError:
            name = BUNDLED
    if name == BUNDLED:
        raise UsageError(f"The name {BUNDLED} is that of the program's own model. Give another one (--name).")


def export(model: str, out: Path, *, kind: str, replace: bool, tell: Tell, stop: threading.Event) -> Path:
    """Writes a model for other programs; answers the file.

    Raises:
        UsageError: there is a file already, and it is not to be replaced.
        ModelError: there is no such model, or it cannot be written so.
        StoppedError: ``stop`` was set.
    """
    info = find_model(model)
    if out.is_dir():
        raise UsageError(f"{out} is a folder. Name the file to write.")
    if out.exists() and (not replace or out.samefile(info.path)):
        raise UsageError(f"{out} is there already. Choose another name, or give --force.")
    tell(Step("writing it"))

    def work() -> Path:
        from vidlabel.ml.convert import export_model

        return export_model(info, out, kind=kind)

    return watched(work, stop=stop)


def remove(wanted: str) -> Removed:
    """Takes an installed model, or a damaged file among them, off this computer.

    Raises:
        ModelError: there is none, or it is not one to be removed.
        OSError: the disk does not let it go.
    """
    damaged = installed_folder() / Path(wanted).name
    if wanted != BUNDLED and damaged.is_file() and Path(wanted).suffix == ".safetensors":
        try:
            model = read_info(damaged)
        except ModelError:
            damaged.unlink()
            return Removed(damaged, None)
    else:
        model = find_model(wanted)
    if model.name == BUNDLED and model.path.parent != installed_folder():
        raise ModelError(BUNDLED, "it is part of the program and cannot be removed.")
    if model.path.parent != installed_folder():
        raise ModelError(
            str(model.path), "it is not among the installed models. Delete the file yourself if you mean it."
        )
    active_in = projects_using(model.hash)
    # Before: should this fail, the model is still there.
    note_removed(model)
    model.path.unlink()
    return Removed(model.path, model, active_in)


def projects_using(model_hash: str) -> tuple[Path, ...]:
    """Projects in the person's data folder whose active model it is. Project files elsewhere are not known."""
    # A second's work to import, and only removing asks.
    from vidlabel.store.project_store import ProjectStore

    found = []
    for project in sorted((data_folder() / "projects").glob(f"*{PROJECT_SUFFIX}")):
        try:
            with ProjectStore.open(project, read_only=True) as store:
                active = store.active_model()
        except VidlabelError:
            continue  # One that cannot be opened is not stopped by a model that is gone.
        if active is not None and ModelKey.parse(active[0]).hash == model_hash:
            found.append(project)
    return tuple(found)


def read_labels(path: Path) -> Sequence[str]:
    """A label a line, in the order of the network's outputs.

    Raises:
        UsageError: it cannot be read, is empty, or a label stands twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UsageError(f"{path}, the list of labels, cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is no list of labels: it is not text in UTF-8. It needs one label a line."
        ) from error
    labels = [line.strip() for line in lines if line.strip()]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if not labels or twice:
        reason = f"the label '{twice[0]}' stands in it twice" if twice else "it is empty"
        raise UsageError(
            f"{path}: {reason}. It needs one label a line, in the order of the network's outputs."
        )
    return tuple(labels)
