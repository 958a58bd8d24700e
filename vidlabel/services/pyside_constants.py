"""Works round a fault of PySide6 6.12 under Python 3.11: it takes references from ``True`` and ``None``.

Each emitted signal takes one from ``True``, each Qt call that returns nothing one from ``None``. When a count is used
up, the interpreter aborts ("bool_dealloc: deallocating True or False"), within seconds of painting. PySide6 6.11
does not do it, and since Python 3.12 these objects cannot be used up.
"""

from __future__ import annotations

import ctypes
import sys

import PySide6

_PLENTY = 1 << 40


def keep_constants_alive() -> None:
    """Gives ``True``, ``False`` and ``None`` more references than any session takes.

    Does nothing where that is not needed.
    """
    if sys.version_info < (3, 12) and PySide6.__version_info__[:2] == (6, 12):
        for constant in (True, False, None):
            # The count is the first field of every object of this CPython; one Py_IncRef at a time would
            # take hours.
            ctypes.c_ssize_t.from_address(id(constant)).value += _PLENTY
