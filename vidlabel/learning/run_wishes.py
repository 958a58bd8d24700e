"""What is wished of a run from outside: to stop, to keep the best so far, to pause, to go on. No torch."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, get_args

from vidlabel.core.runs import RunFolder
from vidlabel.learning.run_files import unwritable, write_text

Wish = Literal["stop", "keep", "pause", "resume"]
LOOK_S = 0.2
"""How often the process looks for a wish."""


def send_wish(folder: RunFolder, wish: Wish) -> None:
    """Leaves a wish for the run's process; the last of several counts.

    Raises:
        ValueError: no such wish.
        TrainingError: the folder is gone or cannot be written.
    """
    if wish not in get_args(Wish):
        raise ValueError(f"a run understands {', '.join(get_args(Wish))}, not {wish!r}")
    try:
        write_text(folder.wish, f"{wish}\n")
    except OSError as error:
        raise unwritable(folder.path, error) from error


def forget_wish(folder: RunFolder) -> None:
    """To be called before a run's process is started again: a wish meant for the earlier one must not reach it."""
    folder.wish.unlink(missing_ok=True)


class Wishes:
    """What was wished so far; any thread may ask or tell."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._stop = self._keep = self._pause = False

    def hear(self, word: str) -> bool:
        """Takes a word as it came from outside; false if it is no wish."""
        word = word.strip()
        with self._changed:
            if word == "stop":
                self._stop = True
            elif word == "keep":
                self._keep = True
            elif word in ("pause", "resume"):
                self._pause = word == "pause"
            self._changed.notify_all()
        return word in get_args(Wish)

    def stop(self) -> None:
        """As the word ``stop``."""
        self.hear("stop")

    @property
    def stopping(self) -> bool:
        """Whether the run shall end with a checkpoint."""
        return self._stop

    @property
    def keeping(self) -> bool:
        """Whether the run shall end with the best so far as its model."""
        return self._keep

    @property
    def ending(self) -> bool:
        return self._stop or self._keep

    @property
    def pausing(self) -> bool:
        """Whether the run shall wait; never once it shall end."""
        return self._pause and not self.ending

    def wait_while_paused(self) -> None:
        """Returns once the run may go on or shall end; needs no processor meanwhile."""
        with self._changed:
            self._changed.wait_for(lambda: not self.pausing)

    @contextmanager
    def watching(self, folder: RunFolder, *, stdin: int | None = None) -> Iterator[Wishes]:
        """Looks for wishes in the folder, and reads words from a file descriptor, until the block is left.

        The end of ``stdin`` wishes nothing: the window is gone, and the run goes on.
        """
        over = threading.Event()
        looking = threading.Thread(target=self._look, args=(folder.wish, over), daemon=True)
        looking.start()
        if stdin is not None:
            # It blocks for good, and ends with the process.
            threading.Thread(target=self._listen, args=(stdin,), daemon=True).start()
        try:
            yield self
        finally:
            over.set()
            looking.join()

    def _look(self, path: Path, over: threading.Event) -> None:
        while True:
            word = _taken(path)
            if word is not None:
                self.hear(word)
            if over.wait(LOOK_S):
                return

    def _listen(self, stdin: int) -> None:
        rest = b""
        try:
            while data := os.read(stdin, 4096):
                *lines, rest = (rest + data)[-4096:].split(b"\n")
                for line in lines:
                    self.hear(line.decode("ascii", "replace"))
        except OSError:
            return  # Closed, or never open: the folder is still looked at.


def _taken(path: Path) -> str | None:
    """The word that lies there; it is taken away, so that no later process finds it."""
    try:
        word = path.read_text(encoding="ascii", errors="replace")
        path.unlink()
    except OSError:
        return None
    return word
