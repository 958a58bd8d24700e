"""One window per project: a lock held beside the file, which the system gives back even after a crash."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

from vidlabel.core.errors import ProjectInUseError
from vidlabel.store.places import lock_of

_HELD = {errno.EACCES, errno.EAGAIN, errno.EDEADLK}


class WindowLock:
    """The right to be the window that writes a project; :meth:`release` gives it back."""

    def __init__(self, project: Path) -> None:
        """Takes the lock.

        Raises:
            ProjectInUseError: another window has it.
        """
        self._path = lock_of(project)
        while True:
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _lock(self._descriptor)
            except OSError as error:
                os.close(self._descriptor)
                if error.errno in _HELD:
                    raise ProjectInUseError(
                        project, "another window has this project open. Close that one, or read it here."
                    ) from error
                raise
            if self._is_current():
                return
            os.close(self._descriptor)  # the window before us removed it while we waited: take the new one

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.fstat(self._descriptor), self._path.stat())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Lets another window have the project."""
        if sys.platform != "win32":
            self._path.unlink(missing_ok=True)
        os.close(self._descriptor)
        if sys.platform == "win32":
            try:
                self._path.unlink(missing_ok=True)
            except PermissionError:
                return  # the next window has it already


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
