"""How fast clips get their suggestions: against the floor of decoding and network, and against a plain loop.

Floor: on the CPU both want the same cores, so it is decoding alone and the network alone, one after the other; on
a GPU they run beside each other, and it is the slower of the two. Loop: ``benchmarks/plain_loop.py``. All in turn,
five times (``--quick``: three), after one turn to warm up; figures are medians of the ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from benchmarks.footage import make_clips
from benchmarks.report import Figure, Report, run
from vidlabel.core.errors import MissingResourceError
from vidlabel.core.messages import ClipScores, WantedClip
from vidlabel.engine.decoding import decode_clip
from vidlabel.engine.inference import Suggester, wait_without_spinning
from vidlabel.engine.threads import counts_to_measure, decoders_for

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

PAIRS = 5
_WHOLE_US = 10**12
_ROOT = Path(__file__).resolve().parent.parent
# The bundled model's second version: about as dear as decoding a 320x240 clip, or cheaper.
_SMALL = {"widths": [16, 32, 64, 192], "dropout": 0.1}
_GOALS_ON = {"cpu": (1.2, 1.8)}
_GOAL_ON_GPU = (5.0, 5.0)


def measure(quick: bool) -> Report:
    """Small and large clips with a small network, then with the bundled one, on the best device there is."""
    # torch reads this setting when it is loaded, so it is imported after. The loop's process is without it.
    before = os.environ.get("OMP_WAIT_POLICY")
    wait_without_spinning()
    from vidlabel.ml.catalogue import bundled_path
    from vidlabel.ml.devices import choose_device

    device = choose_device("auto")
    figures: dict[str, Figure] = {}
    baselines: dict[str, Figure] = {}
    with tempfile.TemporaryDirectory(prefix="vidlabel-engine-") as name:
        folder = Path(name)
        footage = {
            "small": make_clips(folder, 16 if quick else 64, size=(320, 240), frames=90),
            "1080p": make_clips(folder, 4 if quick else 8, size=(1920, 1080), frames=45 if quick else 90),
        }
        models = {"": _small_model(folder)}
        try:
            models["_bundled"] = bundled_path()
        except MissingResourceError:
            figures["bundled"] = "missing"
        for suffix, model in models.items():
            with _plain_loops(model, device.kind, omp_wait_policy=before) as loops:
                for size, paths in footage.items():
                    if quick and suffix and size != "small":
                        continue
                    found = _measured(model, paths, loops, pairs=3 if quick else PAIRS, with_grab=not suffix)
                    figures |= {f"{key}_{size}{suffix}": value for key, value in found.figures.items()}
                    baselines |= {f"{key}_{size}{suffix}": value for key, value in found.baselines.items()}
                    last = found
    figures = {
        "of_floor": figures.pop("of_floor_small"),
        **figures,
        "device": f"{device.kind}: {device.name}",
    }
    figures |= {"cores": os.cpu_count(), "decoders": decoders_for(device.kind), "torch": last.torch}
    small, large = _GOALS_ON.get(device.kind, _GOAL_ON_GPU)
    return Report(
        name="engine",
        figures=figures,
        baselines=baselines,
        goals={
            "of_floor": {"at_least": 0.90},
            "of_loop_small": {"at_least": small},
            "of_loop_1080p": {"at_least": large},
        },
    )


@dataclass(frozen=True)
class _Found:
    figures: dict[str, Figure]
    baselines: dict[str, Figure]
    torch: str


Loop = Callable[[Sequence[Path], bool], tuple[float, float]]
"""(clips, whether to pass over unwanted frames) -> seconds on the clock, seconds of processor time"""


def _measured(
    model: Path, paths: Sequence[Path], loops: Sequence[Loop], *, pairs: int, with_grab: bool
) -> _Found:
    import torch

    from vidlabel.engine.suggester import run_clips
    from vidlabel.ml.devices import choose_device
    from vidlabel.ml.modelfile import load_model
    from vidlabel.ml.predictor import Predictor

    clips = [
        WantedClip(clip_id=number, path=str(path), start_us=0, end_us=_WHOLE_US)
        for number, path in enumerate(paths)
    ]
    predictor = Predictor(load_model(model), choose_device("auto"))
    kind = predictor.device.kind
    # Before the suggester's thread has the predictor: the network alone shall have the threads that suit it best.
    alone = _best_threads(predictor)
    batch = predictor.best_batch()
    suggester = Suggester(lambda: predictor, batch=batch)

    def decode_alone() -> list[NDArray[np.uint8]]:
        with ThreadPoolExecutor(decoders_for(kind)) as pool:
            return list(pool.map(lambda clip: decode_clip(clip, predictor.info.preprocessing), clips))

    frames: list[NDArray[np.uint8]] = []

    def network_alone() -> None:
        predictor.set_threads(alone)
        for first in range(0, len(frames), batch):
            predictor.predict(np.stack(frames[first : first + batch]))

    def engine() -> None:
        scored = [isinstance(answer, ClipScores) for answer in run_clips(suggester, clips)]
        if len(scored) != len(clips) or not all(scored):
            raise RuntimeError("the engine did not answer every clip")

    busy: list[float] = []
    rows: list[dict[str, float]] = []
    try:
        # The suggester sets itself up on its own thread, which takes the predictor meanwhile.
        engine()
        frames += decode_alone()
        # Warms up, too. Which waiting suits the loop hangs on what else the machine does: it gets the better.
        loop = min(loops, key=lambda way: way(paths, False)[0])
        for turn in range(pairs + 1):
            row = {"decode": _seconds(decode_alone), "network": _seconds(network_alone)}
            with _utilisation(kind) as used:
                worked = process_time()
                row["engine"] = _seconds(engine)
                row["engine_work"] = process_time() - worked
            row["loop"], row["loop_work"] = loop(paths, False)
            if with_grab:
                row["grab"], _ = loop(paths, True)
            if turn:
                rows.append(row)
                busy += used
    finally:
        suggester.close()
    for row in rows:
        parts = row["decode"], row["network"]
        row["floor"] = sum(parts) if kind == "cpu" else max(parts)
    figures: dict[str, Figure] = {
        "of_floor": _ratio(rows, "floor"),
        "of_loop": _ratio(rows, "loop"),
        "work_of_loop": statistics.median(row["loop_work"] / row["engine_work"] for row in rows),
        "clips_per_s": len(clips) / _median(rows, "engine"),
        "network_of_decoding": statistics.median(row["network"] / row["decode"] for row in rows),
        "batch": batch,
    }
    if with_grab:
        figures["of_grab_loop"] = _ratio(rows, "grab")
    if kind != "cpu":
        figures["utilisation"] = statistics.mean(busy) if busy else None
    alone_or_loop = {"decode": "decode_alone", "network": "network_alone", "grab": "grab_loop"}
    baselines: dict[str, Figure] = {
        f"{alone_or_loop.get(part, part)}_clips_per_s": len(clips) / _median(rows, part)
        for part in rows[0]
        if part != "engine" and not part.endswith("_work")
    }
    return _Found(figures, baselines, torch.__version__)


def _best_threads(predictor: Predictor) -> int:
    if predictor.device.kind != "cpu":
        return 1
    costs = predictor.cost_by_threads(counts_to_measure(os.cpu_count() or 1))
    best = min(costs, key=lambda count: costs[count].wall)
    predictor.set_threads(best)
    return best


def _seconds(part: Callable[[], object]) -> float:
    began = perf_counter()
    part()
    return perf_counter() - began


def _median(rows: Sequence[dict[str, float]], name: str) -> float:
    return statistics.median(row[name] for row in rows)


def _ratio(rows: Sequence[dict[str, float]], name: str) -> float:
    """How many times faster the engine is than another, in the median of the turns."""
    return statistics.median(row[name] / row["engine"] for row in rows)


@contextmanager
def _plain_loops(model: Path, device: str, *, omp_wait_policy: str | None) -> Iterator[tuple[Loop, Loop]]:
    """The loop as it is usually run, and with threads that sleep while they wait, as ours do."""
    with (
        _plain_loop(model, device, omp_wait_policy=omp_wait_policy) as usual,
        _plain_loop(model, device, omp_wait_policy="PASSIVE") as passive,
    ):
        yield usual, passive


@contextmanager
def _plain_loop(model: Path, device: str, *, omp_wait_policy: str | None) -> Iterator[Loop]:
    """The loop in its own process, with the environment as it was found."""
    environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    if omp_wait_policy is not None:
        environment["OMP_WAIT_POLICY"] = omp_wait_policy
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.plain_loop", str(model)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment, cwd=_ROOT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None

    def seconds(paths: Sequence[Path], grab: bool) -> tuple[float, float]:
        wish = {"clips": [str(path) for path in paths], "grab": grab, "device": device}
        process.stdin.write(json.dumps(wish) + "\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
        answer = process.stdout.readline()  # type: ignore[union-attr]
        if not answer:
            raise RuntimeError("the plain loop ended with an error; it stands above")
        took = json.loads(answer)
        return float(took["seconds"]), float(took["work"])

    try:
        yield seconds
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


@contextmanager
def _utilisation(kind: str) -> Iterator[list[float]]:
    """On a CUDA GPU fills the list with the share of time in which it was at work, as its driver says (0..1)."""
    used: list[float] = []
    if kind != "cuda":
        yield used
        return
    command = [
        "nvidia-smi",
        "--query-gpu=utilization.gpu",
        "--format=csv,noheader,nounits",
        "-lms",
        "100",
        "-i",
        "0",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as sampler:
        yield used
        sampler.terminate()
        lines = sampler.communicate()[0].split()
        used += [float(line) / 100 for line in lines if line.isdigit()]


def _small_model(folder: Path) -> Path:
    """A network that costs no more than decoding a small clip; untrained, for it computes as much all the same."""
    from vidlabel.ml.modelfile import save_model
    from vidlabel.ml.networks import build
    from vidlabel.ml.preprocess import Preprocessing

    labels = [f"label {number}" for number in range(51)]
    path = folder / "small.safetensors"
    save_model(
        path,
        build("compact3d", labels=len(labels), **_SMALL),
        name="small",
        network="compact3d",
        network_args=_SMALL,
        labels=labels,
        preprocessing=Preprocessing(frames=16, height=40, width=40, span_s=2.0),
    )
    return path


if __name__ == "__main__":
    sys.exit(run(measure, (__doc__ or "").splitlines()[0]))
