"""A process that speaks the protocol of the models worker and does as the name of the model says.

``slow-…`` brings 43 of 100 MB and then waits to be stopped; ``fails-KIND`` fails so; ``crashes`` dies without a
word; ``stubborn`` does not hear that it is to stop; anything else is done at once. With ``--copy FILE`` an
install puts that file into the folder of models, so that it is really there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
import threading
from pathlib import Path

from vidlabel.core.paths import models_folder

MEGABYTE = 1_000_000


def say(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"v": 1, "event": event, **values}) + "\n")
    sys.stdout.flush()


def listen(stopped: threading.Event) -> None:
    for line in sys.stdin:
        if line.strip() == "stop":
            stopped.set()
            return


def main(arguments: list[str]) -> int:
    copy = Path(arguments[1]) if arguments[0] == "--copy" else None
    kind, name, *_ = arguments[2:] if copy else arguments
    stopped = threading.Event()
    if name != "stubborn":
        threading.Thread(target=listen, args=(stopped,), daemon=True).start()
    sys.stdout.write("a library that prints\n")
    say("started", name=name, bytes=100 * MEGABYTE)
    if name.startswith(("slow", "stubborn")):
        for done in range(1, 44):
            say("progress", done=done * MEGABYTE, total=100 * MEGABYTE, rate=8.4e6)
        stopped.wait(60)
        say("stopped")
        return 130
    if name.startswith("fails-"):
        say("failed", kind=name.removeprefix("fails-"), words=f"{name}: so it went. Do this.")
        return 1
    if name == "crashes":
        sys.stderr.write("MemoryError: no room\n")
        return 1
    if kind == "remove":
        for path in models_folder().glob("*.safetensors"):
            path.unlink()
    path = models_folder() / f"{name}.safetensors"
    if copy is not None and kind == "install":
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(copy, path)
    say("progress", done=100 * MEGABYTE, total=100 * MEGABYTE, rate=8.4e6)
    say("step", words="verifying")
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""
    say("finished", model=name, hash=digest, path=str(path))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
