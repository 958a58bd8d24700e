"""Which models there are on this computer, and where. No torch: listing must be quick."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from vidlabel.core.catalogue import published_models
from vidlabel.core.errors import MissingResourceError, ModelError
from vidlabel.core.paths import models_folder
from vidlabel.core.resources import resource_path
from vidlabel.ml.files import write_whole
from vidlabel.ml.modelfile import ModelInfo, read_info

BUNDLED = "bundled"
_SHORTEST_HASH = 6


def bundled_path() -> Path:
    """The model file that ships with the program.

    Raises:
        MissingResourceError: it is not there, so the installation is damaged.
    """
    return resource_path("models/bundled.safetensors")


def installed_folder() -> Path:
    """Where installed models lie, once per user; ``VIDLABEL_HOME`` moves it. It may not exist yet."""
    return models_folder()


def list_models() -> tuple[ModelInfo, ...]:
    """The bundled model, then the installed ones by name; damaged files are left out (``damaged_models``)."""
    return _bundled() + tuple(
        sorted(_survey()[0], key=lambda info: (info.name.casefold(), info.created, info.hash))
    )


def damaged_models() -> tuple[ModelError, ...]:
    """Why files in the installed folder cannot be used, for the models page and ``vidlabel doctor``."""
    return _survey()[1]


def find_model(name_or_hash_or_path: str | Path) -> ModelInfo:
    """The model meant by a name, a hash (or its beginning, six characters or more) or a path.

    ``bundled`` is always the one that ships with the program. Of several models with one name the newest
    is meant.

    Raises:
        ModelError: there is none, the beginning of a hash fits several, or the file cannot be used.
    """
    wanted = str(name_or_hash_or_path)
    if wanted == BUNDLED:
        return replace(read_info(bundled_path()), name=BUNDLED)
    if isinstance(name_or_hash_or_path, Path) or wanted.endswith(".safetensors"):
        return _as_listed(Path(name_or_hash_or_path).expanduser().absolute())
    models = list_models()
    named = [info for info in models if info.name == wanted]
    if named:
        return max(named, key=lambda info: info.created)
    if len(wanted) >= _SHORTEST_HASH:
        hashed = {info.hash: info for info in models if info.hash.startswith(wanted.lower())}
        if len(hashed) == 1:
            return next(iter(hashed.values()))
        if hashed:
            raise ModelError(wanted, f"{len(hashed)} models have a hash that begins so. Give more of it.")
    path = Path(wanted).expanduser()
    if path.is_file():
        return _as_listed(path.absolute())
    raise _not_here(wanted, models)


def note_removed(model: ModelInfo) -> None:
    """Remembers what a model that is taken away was called, for those who still want it by its hash.

    Raises:
        OSError: it cannot be written.
    """
    content = json.dumps({**_removed(), model.hash: model.name}, indent=1, sort_keys=True)
    write_whole(_removed_file(), content.encode())


def _not_here(wanted: str, models: tuple[ModelInfo, ...]) -> ModelError:
    """Why there is no such model here, and how to get it."""
    published = {entry.name: entry for entry in published_models()}
    if wanted in published:
        return ModelError(wanted, f"it is not installed. `vidlabel models install {wanted}` fetches it.")
    hashed = [name for file_hash, name in _removed().items() if file_hash.startswith(wanted.lower())]
    if len(wanted) >= _SHORTEST_HASH and len(hashed) == 1:
        back = (
            f"`vidlabel models install {hashed[0]}` fetches it again"
            if hashed[0] in published
            else "if you have its file, `vidlabel models import FILE` brings it back"
        )
        return ModelError(
            f"{hashed[0]} ({wanted[:12]})",
            f"it was removed from this computer: {back}. Or choose another model.",
        )
    known = ", ".join(dict.fromkeys(info.name for info in models)) or "none"
    return ModelError(
        wanted,
        f"no model of this name, hash or path. Installed are: {known}. `vidlabel models list` has those to be had.",
    )


def _removed_file() -> Path:
    return installed_folder() / "removed.json"


def _removed() -> dict[str, str]:
    """Names of removed models by hash; none where nobody can tell any more."""
    try:
        read = json.loads(_removed_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(file_hash): str(name) for file_hash, name in read.items()} if isinstance(read, dict) else {}


def _as_listed(path: Path) -> ModelInfo:
    """A file named by its path; the bundled one keeps its name however it is reached."""
    info = read_info(path)
    return next((bundled for bundled in _bundled() if bundled.hash == info.hash), info)


def _bundled() -> tuple[ModelInfo, ...]:
    try:
        return (replace(read_info(bundled_path()), name=BUNDLED),)
    except (MissingResourceError, ModelError):
        # A damaged installation still lists the models that can be used; find_model says what is wrong.
        return ()


def _survey() -> tuple[tuple[ModelInfo, ...], tuple[ModelError, ...]]:
    folder = installed_folder()
    good: list[ModelInfo] = []
    bad: list[ModelError] = []
    for path in sorted(folder.glob("*.safetensors")) if folder.is_dir() else ():
        try:
            good.append(read_info(path))
        except ModelError as error:
            bad.append(error)
    return tuple(good), tuple(bad)
