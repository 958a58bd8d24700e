"""Installs a published model: finds its weights, fetches them, makes a model file of them, puts it in place.

Nothing counts as installed before the whole model file is on the disk under its hash. What was fetched stays
in ``downloads`` beside the models when it is stopped, and the next call goes on from there.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vidlabel.core.catalogue import PublishedModel
from vidlabel.core.errors import DownloadError, ModelError, StoppedError
from vidlabel.ml.catalogue import installed_folder, list_models
from vidlabel.ml.converter import convert_apart
from vidlabel.ml.download import Fetched, Progress, fetch
from vidlabel.ml.modelfile import ModelInfo, read_info
from vidlabel.ml.network import Patience
from vidlabel.ml.part import Part
from vidlabel.ml.sources import Source, find_source
from vidlabel.ml.watched import watched

_PATIENCE = Patience()
_LOCK_TRY_S = 0.1
_MAKING = ".making.safetensors"
# The download, the model file made of it, and a little for its description.
_ROOM_FOR = 2.05


@dataclass(frozen=True)
class Started:
    """Fetching begins: ``bytes`` is the size of the file, about; None if nobody published it."""

    name: str
    bytes: int | None


@dataclass(frozen=True)
class Step:
    """What is being done now, in a word or two."""

    words: str


Event = Started | Progress | Step
Tell = Callable[[Event], None]


@dataclass(frozen=True)
class Installed:
    """The outcome. ``fetched``: None if the model was there already; ``download``: the raw file, if kept."""

    model: ModelInfo
    fetched: Fetched | None
    download: Path | None = None


def downloads_folder() -> Path:
    """Where what is being fetched lies until it is a model."""
    return installed_folder() / "downloads"


def installed(entry: PublishedModel, models: Sequence[ModelInfo] | None = None) -> ModelInfo | None:
    """The installed model that was made of this published one, or None; ``models`` if they are listed already."""
    models = list_models() if models is None else models
    return next((model for model in models if _made_of(model, entry)), None)


def install(
    entry: PublishedModel,
    *,
    tell: Tell = lambda _event: None,
    stop: threading.Event | None = None,
    keep_download: bool = False,
    patience: Patience = _PATIENCE,
) -> Installed:
    """Installs a published model, or answers the one that is there already.

    Args:
        entry: of ``core.catalogue``.
        tell: called on this thread with what happens, up to ten times a second.
        stop: set from anywhere to leave within 0.3 s.
        keep_download: leaves the published file in ``downloads_folder()``.
        patience: with the server.

    Raises:
        DownloadError: it cannot be fetched; ``kind`` says what stood in the way.
        ModelError: what was fetched is not this model.
        StoppedError: ``stop`` was set; the next call goes on from there.
    """
    stop = stop or threading.Event()
    folder = downloads_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(folder / f"{entry.name}.lock", tell=tell, stop=stop):
            there = installed(entry)
            if there is not None:
                return Installed(there, None)
            _sweep(folder, entry)
            return _install(entry, folder, tell=tell, stop=stop, keep=keep_download, patience=patience)
    except OSError as error:
        place = error.filename or folder
        raise DownloadError(
            entry.name,
            f"{place} cannot be written ({error.strerror or error}). Make room or give yourself the right to it, "
            "or set VIDLABEL_HOME to another folder.",
            kind="disk",
        ) from error


def _install(
    entry: PublishedModel,
    folder: Path,
    *,
    tell: Tell,
    stop: threading.Event,
    keep: bool,
    patience: Patience,
) -> Installed:
    tell(Step("looking it up"))
    source = watched(lambda: find_source(entry, patience), stop=stop)
    # Two publishers may call a file alike.
    raw = folder / entry.name / source.file
    tell(Started(entry.name, source.remote.size or entry.download_bytes or None))
    fetched = _fetched_before(source, raw) or fetch(
        source.remote, raw, stop=stop, tell=tell, room_for=_ROOM_FOR, patience=patience
    )
    tell(Step("converting"))
    making = folder / f"{entry.name}-{secrets.token_hex(4)}{_MAKING}"
    try:
        placed = _place(_convert(entry, source, raw, making, stop))
    except ModelError:
        # What cannot be converted once will not be the next time.
        raw.unlink(missing_ok=True)
        raise
    finally:
        making.unlink(missing_ok=True)
    if not keep:
        raw.unlink(missing_ok=True)
        _remove_if_empty(raw.parent)
    return Installed(placed, fetched, raw if keep else None)


def _convert(
    entry: PublishedModel, source: Source, raw: Path, making: Path, stop: threading.Event
) -> ModelInfo:
    try:
        return convert_apart(entry.name, raw, making, revision=source.revision, stop=stop)
    except ModelError as error:
        # The file it names is about to be thrown away.
        raise ModelError(entry.name, f"what {source.remote.url} holds: {error.reason}") from error


def _place(made: ModelInfo) -> ModelInfo:
    """Gives the whole model file its name, by which it counts as installed."""
    place = installed_folder() / f"{made.hash}.safetensors"
    made.path.replace(place)
    return read_info(place)


def _made_of(model: ModelInfo, entry: PublishedModel) -> bool:
    """Whether an installed model of this name is the published one, and not a person's own."""
    return model.network == entry.network and model.card.get("published") == entry.name


def _fetched_before(source: Source, raw: Path) -> Fetched | None:
    """The whole file, if an earlier call fetched it and then was stopped, or kept it."""
    checksum = source.remote.checksum
    if checksum is None or not raw.is_file():
        return None
    part = Part(raw, checksum)
    part.read(lambda: False)
    if not part.fits():
        raw.unlink()
        return None
    return Fetched(raw, part.done, received=0, resumed=part.done)


@contextmanager
def _alone(lock: Path, *, tell: Tell, stop: threading.Event) -> Iterator[None]:
    """Waits until no other process or thread installs the same model."""
    holding = FileLock(lock)
    try:
        holding.acquire(timeout=0)
    except Timeout:
        tell(Step("waiting for another install of it"))
        _acquire(holding, stop)
    try:
        yield
    finally:
        holding.release()


def _acquire(holding: FileLock, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            holding.acquire(timeout=_LOCK_TRY_S, poll_interval=_LOCK_TRY_S / 2)
        except Timeout:
            continue
        return
    raise StoppedError("Stopped.")


def _sweep(folder: Path, entry: PublishedModel) -> None:
    """What an install left that was killed while it made the model file."""
    # With what a killed process had written of it under a temporary name.
    for left in (*folder.glob(f"{entry.name}-*{_MAKING}"), *folder.glob(f".{entry.name}-*.part")):
        left.unlink(missing_ok=True)


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):  # Not empty: another file of it is kept.
        folder.rmdir()
