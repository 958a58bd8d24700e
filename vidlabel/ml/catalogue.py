"""Which models there are on this computer, and where. No torch: listing must be quick."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vidlabel.core.errors import MissingResourceError, ModelError
from vidlabel.core.paths import models_folder
from vidlabel.core.resources import resource_path
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
    known = ", ".join(dict.fromkeys(info.name for info in models)) or "none"
    raise ModelError(wanted, f"no model of this name, hash or path. Installed are: {known}.")


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
