"""How fast clips get their suggestions, against the floor that decoding and the network set by themselves.

On the CPU both want the same cores, so the floor is the clips a second of decoding alone and the network alone,
one after the other; on a GPU they run beside each other, and it is the slower of the two.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Report, run
from vidlabel.core.errors import MediaError, MissingResourceError
from vidlabel.core.messages import ClipScores, WantedClip
from vidlabel.engine.inference import Suggester, decode_clip, decoders_for, wait_without_spinning
from vidlabel.media.encode import write_video

PAIRS = 5
_FOOTAGE = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
_SUFFIXES = {".avi", ".mp4"}
_WHOLE_US = 10**12


def measure(quick: bool) -> Report:
    """Floor and engine in turn, on the best device there is."""
    # torch reads this setting when it is loaded, so it is imported after.
    wait_without_spinning()
    from vidlabel.engine.suggester import run_clips
    from vidlabel.ml.devices import choose_device
    from vidlabel.ml.modelfile import load_model
    from vidlabel.ml.predictor import Predictor

    with tempfile.TemporaryDirectory(prefix="vidlabel-suggest-") as folder:
        model_path, model_name = _model(Path(folder))
        clips, source = _clips(Path(folder), 24 if quick else 96)
        predictor = Predictor(load_model(model_path), choose_device("auto"))
        kind = predictor.device.kind
        batch = predictor.best_batch()
        decoders = decoders_for(kind)

        def decode_alone() -> list[NDArray[np.uint8]]:
            with ThreadPoolExecutor(decoders) as pool:
                return list(pool.map(lambda clip: decode_clip(clip, predictor.info.preprocessing), clips))

        frames = decode_alone()

        def network_alone() -> None:
            for first in range(0, len(frames), batch):
                predictor.predict(np.stack(frames[first : first + batch]))

        suggester = Suggester(lambda: predictor, batch=batch)

        def engine() -> None:
            scored = [isinstance(answer, ClipScores) for answer in run_clips(suggester, clips)]
            if len(scored) != len(clips) or not all(scored):
                raise RuntimeError("the engine did not answer every clip")

        try:
            seconds = _in_turn((decode_alone, network_alone, engine))
        finally:
            suggester.close()
    decoding, network, whole = ([row[place] for row in seconds] for place in range(3))
    floors = [d + n if kind == "cpu" else max(d, n) for d, n in zip(decoding, network, strict=True)]
    return Report(
        name="suggest",
        figures={
            "of_floor": statistics.median(floor / took for floor, took in zip(floors, whole, strict=True)),
            "clips_per_s": len(clips) / statistics.median(whole),
            "clips": len(clips),
            "batch": batch,
            "decoders": decoders,
            "device": f"{kind}: {predictor.device.name}",
            "model": model_name,
            "footage": source,
        },
        baselines={
            "floor_clips_per_s": len(clips) / statistics.median(floors),
            "decode_alone_clips_per_s": len(clips) / statistics.median(decoding),
            "network_alone_clips_per_s": len(clips) / statistics.median(network),
        },
        goals={"of_floor": {"at_least": 0.80}},
    )


def _in_turn(parts: Sequence[Callable[[], object]]) -> list[tuple[float, ...]]:
    """Seconds of each part, ``PAIRS`` times in turn, after one turn to warm up."""
    rows: list[tuple[float, ...]] = []
    for turn in range(PAIRS + 1):
        row = []
        for part in parts:
            began = perf_counter()
            part()
            row.append(perf_counter() - began)
        if turn:
            rows.append(tuple(row))
    return rows


def _model(folder: Path) -> tuple[Path, str]:
    """The bundled model; without it the same network untrained, which computes as much but knows nothing."""
    from vidlabel.ml.catalogue import bundled_path
    from vidlabel.ml.modelfile import save_model
    from vidlabel.ml.networks import build
    from vidlabel.ml.preprocess import Preprocessing

    try:
        return bundled_path(), "bundled"
    except MissingResourceError:
        labels = [f"label {number}" for number in range(51)]
        path = folder / "untrained.safetensors"
        save_model(
            path,
            build("compact3d", labels=len(labels)),
            name="untrained",
            network="compact3d",
            labels=labels,
            preprocessing=Preprocessing(),
        )
        return path, "compact3d, untrained (the bundled model is missing)"


def _clips(folder: Path, count: int) -> tuple[list[WantedClip], str]:
    """Real footage where there is some, else clips made here."""
    found = sorted(path for path in _FOOTAGE.glob("*_clips/*/*") if path.suffix.lower() in _SUFFIXES)
    usable = [path for path in found[:: max(1, len(found) // (2 * count))] if _is_readable(path)][:count]
    if usable:
        return _wanted(usable, count), "real clips of ../shared/data"
    return _wanted(
        [_made(folder / f"{number}.mp4", number) for number in range(count)], count
    ), "clips made here"


def _wanted(paths: Sequence[Path], count: int) -> list[WantedClip]:
    return [
        WantedClip(clip_id=number, path=str(paths[number % len(paths)]), start_us=0, end_us=_WHOLE_US)
        for number in range(count)
    ]


def _is_readable(path: Path) -> bool:
    from vidlabel.media.reader import FrameReader

    try:
        with FrameReader(path) as reader:
            reader.read(0, size=(8, 8))
    except MediaError:
        return False
    return True


def _made(path: Path, number: int) -> Path:
    """Three seconds of 320x240 with moving detail, as large as typical clips of the field."""
    random = np.random.default_rng(number)
    texture = random.integers(0, 256, (240 // 8, 640 // 8, 3), np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    write_video(path, (np.ascontiguousarray(texture[:, 3 * n : 3 * n + 320]) for n in range(90)), fps=30)
    return path


if __name__ == "__main__":
    sys.exit(run(measure, __doc__ or ""))
