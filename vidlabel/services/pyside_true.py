"""Works round a fault of PySide6 6.12 under Python 3.11: each emitted signal takes a reference from ``True``.

After some 570 signals the count is used up and the interpreter aborts ("bool_dealloc: deallocating True or
False"). PySide6 6.11 does not do it, and since Python 3.12 ``True`` cannot be used up.
"""

from __future__ import annotations

import ctypes
import sys

import PySide6

_PLENTY = 1 << 40


def keep_true_alive() -> None:
    """Gives ``True`` more references than any session emits signals.

    Does nothing where that is not needed.
    """
    if sys.version_info < (3, 12) and PySide6.__version_info__[:2] == (6, 12):
        # The count is the first field of every object of this CPython; one Py_IncRef at a time would take
        # hours.
        # Calls of Qt functions that return nothing take one from ``None`` in the same way; ``False`` to be safe.
        for constant in (True, False, None):
            ctypes.c_ssize_t.from_address(id(constant)).value += _PLENTY
