"""A file is written whole beside its place and then put there, so nobody ever sees half of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO


@contextmanager
def writing(path: Path) -> Iterator[TextIO]:
    """A UTF-8 text file that takes its name only if everything was written; line ends are left as they are.

    Raises:
        OSError: it cannot be written; what was at ``path`` before is untouched.
    """
    temporary = path.with_name(f".vidlabel-{secrets.token_hex(8)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("x", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None:
            # The person knows the file they named, not the temporary one.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
