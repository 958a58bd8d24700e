"""Icons: SVG files drawn in ``currentColor``, coloured by the scheme when they are rendered."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QSize
from PySide6.QtGui import QIcon, QImageReader, QPixmap

from vidlabel.core.resources import resource_path


@lru_cache(maxsize=128)
def pixmap(name: str, colour: str, size: int, ratio: float = 1.0) -> QPixmap:
    """One icon as a pixmap of ``size`` logical pixels.

    Qt's image plugin renders it, which spares the import of the SVG module at start-up. Without the
    plugin the pixmap is empty, and the control still has its words.
    """
    source = resource_path(f"icons/{name}.svg").read_bytes().replace(b"currentColor", colour.encode())
    buffer = QBuffer()
    buffer.setData(QByteArray(source))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer, QByteArray(b"svg"))
    pixels = round(size * ratio)
    reader.setScaledSize(QSize(pixels, pixels))
    made = QPixmap.fromImageReader(reader)
    made.setDevicePixelRatio(ratio)
    return made


def icon(name: str, colour: str, size: int = 16) -> QIcon:
    """One icon for a button, sharp on screens of single and double density."""
    made = QIcon()
    made.addPixmap(pixmap(name, colour, size))
    made.addPixmap(pixmap(name, colour, size, 2.0))
    return made
