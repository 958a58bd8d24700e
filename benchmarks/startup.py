"""How soon the window is there, and how soon it can be worked in, against a plain labelme.

Both programs are started in turn, again and again, on the same screen (the one of ``DISPLAY``, else Qt's offscreen
platform), each as its own command starts it. Time runs from the start of the process:

* ``painted``: to the first paint of the main window;
* ``ready``: to the first clip's first frame painted, from when on the decision keys act (a scanned project of the
  sample clips given as argument, as after the first day).

labelme comes into an environment of its own (``labelme`` inside this one), because it brings another Qt; it is
installed on the first run.
"""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import vidlabel
from benchmarks.report import Report, run
from vidlabel.core.resources import resource_path

LABELME = "labelme==6.3.1"
GOALS = {"painted_ratio": {"at_most": 0.5}, "ready_ratio": {"at_most": 1.2}}
_GIVE_UP_S = 60.0


def _python_of(environment: Path) -> Path:
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _labelme_python() -> Path:
    """The Python of an environment with labelme in it, made on the first run."""
    environment = Path(sys.prefix) / "labelme"
    python = _python_of(environment)
    found = (
        python.exists()
        and not subprocess.run([python, "-c", "import labelme"], capture_output=True, check=False).returncode
    )
    if not found:
        print("Installing labelme, the baseline, into an environment of its own ...", file=sys.stderr)
        shutil.rmtree(environment, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", LABELME]
        subprocess.run(install, check=True, stdout=sys.stderr)
    return python


def _environment(home: Path) -> dict[str, str]:
    variables = {**os.environ, "HOME": str(home), "VIDLABEL_HOME": str(home / "vidlabel")}
    if not any(name in variables for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        variables["QT_QPA_PLATFORM"] = "offscreen"
    return variables


def _marks(command: list[str], marks: Path, *, last: str, environment: dict[str, str]) -> dict[str, float]:
    """Starts a program and waits for its last mark; answers seconds from start to each mark."""
    marks.unlink(missing_ok=True)
    began = time.time()
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            while time.time() - began < _GIVE_UP_S:
                lines = marks.read_text().splitlines() if marks.exists() else []
                seen = {mark["mark"]: mark["t"] - began for mark in map(json.loads, lines)}
                if last in seen:
                    return seen
                if process.poll() is not None and last not in seen:
                    raise RuntimeError(f"{command[0]} ended before '{last}' (exit code {process.returncode})")
                time.sleep(0.005)
        finally:
            process.terminate()
    raise RuntimeError(f"{command[0]} did not get as far as '{last}' within {_GIVE_UP_S:.0f} s")


def measure(quick: bool) -> Report:
    """Starts both programs in turn and takes medians."""
    pairs = 5 if quick else 15
    labelme_python = _labelme_python()
    # labelme was compiled when it was installed; an editable install of ours may not have been.
    compileall.compile_dir(Path(vidlabel.__file__).parent, quiet=2)
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        environment = _environment(home)
        clips = home / "clips"
        shutil.copytree(resource_path("samples"), clips)
        program = [sys.executable, "-m", "vidlabel"]
        subprocess.run([*program, "scan", str(clips)], env=environment, check=True, capture_output=True)
        marks = home / "marks"
        plain = [str(labelme_python), str(Path(__file__).with_name("labelme_window.py")), str(marks)]
        traced = {**environment, "VIDLABEL_TRACE_STARTUP": str(marks)}
        labelme_s, painted_s, ready_s = [], [], []
        for pair in range(pairs + 1):
            baseline = _marks(plain, marks, last="painted", environment=environment)
            ours = _marks([*program, str(clips)], marks, last="clip_painted", environment=traced)
            if pair:  # the first pair fills the disk cache
                labelme_s.append(baseline["painted"])
                painted_s.append(ours["painted"])
                ready_s.append(ours["clip_painted"])
    return Report(
        name="startup",
        figures={
            "painted_ratio": median(painted_s) / median(labelme_s),
            "ready_ratio": median(ready_s) / median(labelme_s),
            "painted_s": median(painted_s),
            "ready_s": median(ready_s),
            "pairs": pairs,
        },
        baselines={"labelme_painted_s": median(labelme_s)},
        goals=GOALS,
    )


if __name__ == "__main__":
    sys.exit(run(measure, "Start-up time against a plain labelme."))
