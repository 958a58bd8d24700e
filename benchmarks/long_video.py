"""A model's sweep over a long video: memory, speed against a bare decode, exactness of resuming, and how well the
clips that were joined into the video are found again.

The long video is one short encoded stretch written over and over, packet by packet, so that an hour takes seconds to
make. Its sweep runs in a process of its own whose memory is read before and after. The boundaries are measured on
another video, joined from clips whose label is known (``benchmarks/joined_clips.py``).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from time import perf_counter
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.joined_clips import Joined, compared, joined, known_to_model, labelled_clips, real_clips
from benchmarks.report import Report, run
from vidlabel.core.sweeps import Proposal, ProposalSettings, SweepPlan, seconds_to_plan

CHECKOUT = Path(__file__).resolve().parent.parent
GOALS = {
    "memory_mb": {"at_most": 500.0},
    "memory_mb_1080p": {"at_most": 500.0},
    "times_decoded": {"at_most": 1.01},
    "resumed_is_same": {"at_least": 1.0},
}
PAIRS = 3
_STRETCH_S = 10
_FPS = 25


# --- making the videos ---------------------------------------------------------------------------
def _pictures(width: int, height: int, count: int) -> Iterator[NDArray[np.uint8]]:
    """Soft moving shapes with a camera's grain: about as hard to decode as footage."""
    import cv2

    chance = np.random.default_rng(1)
    coarse = chance.integers(0, 255, (max(2, height // 60), max(2, width // 60), 3), dtype=np.uint8)
    picture = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    grain = chance.normal(0, 2, (height, width, 1)).astype(np.int16)
    for number in range(count):
        moved = np.roll(picture, (number * 3, number * 5), axis=(0, 1))
        yield np.clip(moved + np.roll(grain, number * 97, axis=1), 0, 255).astype(np.uint8)


def repeated(path: Path, size: tuple[int, int], seconds: int) -> int:
    """A video of about this length out of one encoded stretch; answers how many frames it has."""
    from vidlabel.media.encode import VideoOptions, write_video

    stretch = path.with_name(f"stretch-{path.name}")
    options = VideoOptions(codec="libx264", gop=_FPS * 2, b_frames=2, extra={"preset": "veryfast"})
    write_video(stretch, _pictures(*size, _STRETCH_S * _FPS), fps=_FPS, options=options)
    times = max(1, round(seconds / _STRETCH_S))
    with av.open(str(stretch)) as source, av.open(str(path), "w") as out:
        stream = source.streams.video[0]
        copied = out.add_stream_from_template(stream)
        packets = [packet for packet in source.demux(stream) if packet.size]
        stamps = [(packet.pts or 0, packet.dts or 0) for packet in packets]
        length = round(Fraction(_STRETCH_S) / (stream.time_base or Fraction(1, _FPS)))
        for turn in range(times):
            for packet, (pts, dts) in zip(packets, stamps, strict=True):
                packet.stream = copied
                packet.time_base = stream.time_base
                packet.pts, packet.dts = pts + turn * length, dts + turn * length
                out.mux(packet)
    stretch.unlink()
    return times * _STRETCH_S * _FPS


# --- one sweep in a process of its own -----------------------------------------------------------
_ALONE = """
import json, resource, sys
from pathlib import Path
from time import perf_counter
from benchmarks.long_video import counted_sweep, loaded
from vidlabel.learning.proposals import scores_to_bytes
suggester, info = loaded()
def rss():
    return int(next(line for line in open('/proc/self/status') if line.startswith('VmRSS')).split()[1]) * 1024
def peak():
    return int(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1]) * 1024
try:
    # From here on the peak is that of the sweep.
    open('/proc/self/clear_refs', 'w').write('5')
except OSError:
    pass
before = rss()
began = perf_counter()
parts, decoded = counted_sweep(Path(sys.argv[1]), suggester, info)
took = perf_counter() - began
after = peak()
suggester.close()
print(json.dumps({"memory": after - before, "decoded": decoded, "took": took}))
"""


def loaded() -> tuple[Any, Any]:
    """The bundled model on the best device, warmed up, and what it is."""
    import threading

    from vidlabel.engine.inference import Suggester, wait_without_spinning

    wait_without_spinning()
    from vidlabel.engine.predictors import Predictors
    from vidlabel.ml.catalogue import bundled_path

    predictor = Predictors(bundled_path).first()
    ready = threading.Event()
    suggester = Suggester(lambda: predictor, batch=1, on_loaded=lambda *_: ready.set())
    ready.wait()
    return suggester, predictor


def sweep(
    path: Path, suggester: Any, predictor: Any, *, first: int = 0, plan: SweepPlan | None = None
) -> list[Any]:
    """The parts of a sweep with the usual windows."""
    from vidlabel.engine.sweeping import sweep_video

    usual = plan or seconds_to_plan(1)
    return list(
        sweep_video(
            path, suggester.predict_aside,
            preprocessing=predictor.info.preprocessing, labels=len(predictor.info.labels),
            window_us=usual.window_us, step_us=usual.step_us, first=first, device=predictor.device.kind,
        )
    )  # fmt: skip


def counted_sweep(path: Path, suggester: Any, predictor: Any) -> tuple[list[Any], int]:
    """The same, and how many frames came out of the decoder."""
    from vidlabel.media import cursor

    counts: list[int] = []
    real = cursor._decode_packet

    def counting(packet: Any) -> Any:
        frames = real(packet)
        counts.append(len(frames))
        return frames

    cursor._decode_packet = counting
    try:
        return sweep(path, suggester, predictor), sum(counts)
    finally:
        cursor._decode_packet = real


def _alone(path: Path) -> dict[str, float]:
    """Memory in bytes, frames decoded and seconds of a sweep in a fresh process."""
    answered = subprocess.run(
        [sys.executable, "-c", _ALONE, str(path)], cwd=CHECKOUT, capture_output=True, text=True, check=True
    )
    found: dict[str, float] = json.loads(answered.stdout.splitlines()[-1])
    return found


def _bare_decode(path: Path) -> float:
    """Seconds to decode every frame of a video and do nothing with it, with as many threads as a sweep uses."""
    from vidlabel.media.cursor import set_threads

    began = perf_counter()
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        set_threads(stream, None)
        for _ in container.decode(stream):
            pass
    return perf_counter() - began


def _network_alone(windows: int, predictor: Any) -> float:
    """Seconds that the network takes for so many windows, one at a time as a sweep asks on a CPU."""
    preprocessing = predictor.info.preprocessing
    shape = (1, preprocessing.frames, preprocessing.height, preprocessing.width, 3)
    clip = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    began = perf_counter()
    for _ in range(windows):
        predictor.predict(clip)
    return perf_counter() - began


def _proposed(video: Joined, suggester: Any, predictor: Any) -> list[Proposal]:
    from vidlabel.learning.proposals import propose, scores_from_bytes, scores_to_bytes
    from vidlabel.media.frame_index import FrameIndex

    plan = seconds_to_plan(FrameIndex.build(video.path).duration_us)
    parts = sweep(video.path, suggester, predictor, plan=plan)
    labels = predictor.info.labels
    kept = scores_from_bytes(b"".join(scores_to_bytes(part.probabilities) for part in parts), len(labels))
    return propose(kept, plan, labels=labels, settings=ProposalSettings())


# --- all of it -----------------------------------------------------------------------------------
def measure(quick: bool) -> Report:
    """Two long videos (small and 1080p), one resume, one joined video (two, where real clips are at hand)."""
    with tempfile.TemporaryDirectory(prefix="vidlabel-long-") as scratch:
        folder = Path(scratch)
        long_s, small_s, large_s = (300, 60, 20) if quick else (3600, 300, 120)
        long_frames = repeated(folder / "long.mp4", (320, 240), long_s)
        frames = repeated(folder / "small.mp4", (320, 240), small_s)
        large_frames = repeated(folder / "large.mp4", (1920, 1080), large_s)
        small, large = _alone(folder / "long.mp4"), _alone(folder / "large.mp4")
        bare = [_bare_decode(folder / "small.mp4")]
        bare_large = _bare_decode(folder / "large.mp4")
        suggester, predictor = loaded()
        try:
            took = []
            for _ in range(1 if quick else PAIRS):
                began = perf_counter()
                whole = sweep(folder / "small.mp4", suggester, predictor)
                took.append(perf_counter() - began)
                bare.append(_bare_decode(folder / "small.mp4"))
            network_s = _network_alone(sum(len(part.probabilities) for part in whole), predictor)
            same, resume_s = _resumed(folder / "small.mp4", whole, suggester, predictor)
            clips, source = labelled_clips()
            known = known_to_model(clips, predictor)
            turns = 2 if quick else 6
            drawn = joined(folder / "drawn.mp4", known, turns=turns, source=source)
            found = compared(_proposed(drawn, suggester, predictor), drawn.clips)
            real_all = real_clips()
            real_known = known_to_model(real_all, predictor) if real_all else []
            real = None
            if real_all and not quick:
                video = joined(folder / "real.mp4", real_all, turns=2, source="real HMDB51 clips")
                real = compared(_proposed(video, suggester, predictor), video.clips)
            device = f"{predictor.device.kind}: {predictor.device.name}"
        finally:
            suggester.close()
    decode_s, sweep_s = statistics.median(bare), statistics.median(took)
    windows = sum(len(part.probabilities) for part in whole)
    return Report(
        name="long_video",
        figures={
            "memory_mb": small["memory"] / 1e6,
            "memory_mb_1080p": large["memory"] / 1e6,
            "times_decoded": max(small["decoded"] / long_frames, large["decoded"] / large_frames),
            "x_realtime": frames / _FPS / sweep_s,
            "x_realtime_whole": long_frames / _FPS / small["took"],
            "x_realtime_1080p": large_frames / _FPS / large["took"],
            "of_floor": decode_s / sweep_s,
            "of_decode_and_network": (decode_s + network_s) / sweep_s,
            "of_floor_1080p": bare_large / large["took"],
            "resumed_is_same": int(same),
            "resume_s": resume_s,
            "boundary_error_s": found.boundary_error_s,
            "recall": found.recall,
            "recall_any_label": found.recall_any_label,
            "precision": found.precision,
            "joined_clips": len(drawn.clips),
            "joined_from": f"{source}: the {len(known)} of {len(clips)} whose label the model gives first",
            "real_boundary_error_s": real.boundary_error_s if real else None,
            "real_recall": real.recall if real else None,
            "real_recall_any_label": real.recall_any_label if real else None,
            "real_known_alone": f"{len(real_known)} of {len(real_all)} real clips get their label first",
            "windows": windows,
            "seconds_for_memory": long_s,
            "seconds_for_speed": small_s,
            "seconds_1080p": large_s,
            "device": device,
        },
        baselines={
            "bare_decode_s": decode_s,
            "network_alone_s": network_s,
            "bare_decode_s_1080p": bare_large,
            "sweep_s": sweep_s,
            "sweep_s_1080p": large["took"],
        },
        goals=GOALS,
    )


def _resumed(path: Path, whole: Sequence[Any], suggester: Any, predictor: Any) -> tuple[bool, float]:
    """Whether a sweep gone on with at its last part gives the same bytes, and how long until its first part is begun.

    That time is what a sweep of no windows takes: the frame index is read again, and nothing is looked at.
    """
    from vidlabel.learning.proposals import scores_to_bytes

    last = whole[-1]
    again = sweep(path, suggester, predictor, first=last.first)
    began = perf_counter()
    sweep(path, suggester, predictor, first=last.first + len(last.probabilities))
    took = perf_counter() - began
    same = [scores_to_bytes(part.probabilities) for part in again] == [scores_to_bytes(last.probabilities)]
    return same, took


if __name__ == "__main__":
    sys.exit(run(measure, "A sweep over a long video: memory, speed, resuming, boundaries."))
