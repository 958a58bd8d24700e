"""The one place that knows where icons, label sets, the bundled model, sample clips and keys lie."""

from __future__ import annotations

from pathlib import Path

from vidlabel.core.errors import MissingResourceError

_PACKAGE = Path(__file__).resolve().parent.parent


def resources_root() -> Path:
    """The folder of shipped resources.

    A wheel carries them inside the package (``vidlabel/resources``); an editable install has no
    such copy, and they are found in the checkout beside the package.
    """
    inside = _PACKAGE / "resources"
    return inside if inside.is_dir() else _PACKAGE.parent / "resources"


def resource_path(relative: str) -> Path:
    """The absolute path of one resource, such as ``"label_sets/hmdb51.json"``.

    Raises:
        MissingResourceError: it is not there, so the installation is damaged.
    """
    path = resources_root() / relative
    if not path.exists():
        raise MissingResourceError(path)
    return path
