"""Makes ``resources/samples``: short clips of drawn figures, so that a first start has something to label.

python -m training.make_samples --out resources/samples
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from training.render.figure import Image, Look
from training.render.library import written
from training.render.scene import FIXED, Framing, Texture, camera_for, film, surroundings
from training.render.skeleton import Array, Motion
from vidlabel.media.encode import SOUND_RATE, VideoOptions, write_video

WIDTH, HEIGHT = 320, 240


@dataclass(frozen=True)
class Sample:
    """One clip: what is done, from where it is seen, how long and how fast it runs."""

    name: str
    label: str
    seed: int
    framing: Framing
    seconds: float = 2.6
    fps: int = 25
    palette: int = 0
    uneven: bool = False
    turned: bool = False
    tone_hz: float | None = None


SAMPLES = (
    Sample("sample_walk_01", "walk", 3, Framing(1.35, 0.12, 2.2, follow=0.85), seconds=3.2),
    Sample("sample_run_01", "run", 5, Framing(1.15, 0.10, 2.5, follow=0.85), seconds=2.4, fps=30, palette=1),
    Sample("sample_wave_01", "wave", 16, Framing(0.25, 0.08, 2.3), palette=2),
    Sample("sample_jump_01", "jump", 4, Framing(0.9, 0.12, 2.6, follow=0.4), seconds=3.0, palette=3),
    Sample("sample_clap_01", "clap", 15, Framing(-0.35, 0.05, 2.4), seconds=2.4, palette=4, tone_hz=440.0),
    Sample("sample_punch_01", "punch", 2, Framing(0.9, 0.10, 2.3), palette=5),
    Sample("sample_kick_01", "kick", 6, Framing(1.3, 0.10, 2.6, follow=0.5), seconds=2.2, fps=30, palette=0),
    Sample(
        "sample_cartwheel_01",
        "cartwheel",
        2,
        Framing(0.15, 0.12, 2.7, follow=0.7),
        seconds=2.4,
        fps=30,
        palette=1,
    ),
    Sample("sample_sit_01", "sit", 7, Framing(0.95, 0.12, 2.45), seconds=2.6, palette=2, uneven=True),
    Sample("sample_pushup_01", "pushup", 3, Framing(1.25, 0.22, 1.9), seconds=4.0, palette=3, turned=True),
    Sample("sample_throw_01", "throw", 5, Framing(-1.1, 0.10, 2.7), seconds=2.4, fps=30, palette=4),
    Sample("sample_golf_01", "golf", 8, Framing(0.35, 0.12, 2.6), seconds=2.8, palette=5),
)

# shirt, trousers, hair, skin, ground, sky low, sky high
PALETTES = (
    ("2f6f9f", "39424e", "3a2a20", "e3b08f", "b9b2a3", "e9e6df", "9fb7c9"),
    ("c4553d", "2d3a55", "1d1a1c", "8d5b3f", "a9b397", "eef0e6", "a8c2b4"),
    ("4d8a63", "5a4a3f", "8a6238", "f0cdb2", "bfb4b0", "efe7e1", "b6a9c0"),
    ("d19a3a", "3c4a4a", "262222", "6b432e", "aab4b8", "eaeef0", "8fa9bd"),
    ("7a5a94", "444450", "55504d", "d39c78", "b7b79f", "f0eddc", "b9c4a0"),
    ("b8c0c8", "6b3f3a", "20191a", "c08a66", "9fae93", "e8efe6", "93b3a5"),
)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the clips")
    parser.add_argument("--seed", type=int, default=0, help="added to the seed of every clip")
    parser.add_argument("--only", help="make only the clips whose name contains this")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    for sample in SAMPLES:
        if options.only and options.only not in sample.name:
            continue
        path = options.out / f"{sample.name}.mp4"
        frames = render(replace(sample, seed=sample.seed + options.seed))
        write(path, frames, sample)
        print(f"{path.name}: {len(frames)} frames, {path.stat().st_size / 1000:.0f} kB")


def render(sample: Sample, *, height: int = HEIGHT, width: int = WIDTH) -> list[np.ndarray]:
    """The pictures of a sample, uint8 (height, width, 3)."""
    rng = np.random.default_rng(sample.seed)
    t = np.arange(round(sample.seconds * sample.fps)) / sample.fps
    motion: Motion = written(sample.label, rng, t)
    motion = replace(motion, framing="upper" if sample.framing.span < 1.8 else "body", fps=float(sample.fps))
    look, ground, wall = _dressed(sample.palette)
    camera = camera_for(motion, sample.framing, _Steady())
    pictures = []
    for start in range(0, len(t), 8):  # a few frames at a time keep memory small
        part = slice(start, start + 8)
        piece = _part(motion, part)
        view = type(camera)(camera.position[part], camera.axes[part], camera.focal[part])
        behind: Image = surroundings(
            view, height=height, width=width, ground=ground, wall=wall, distance=9.0, scale=0.5, wall_scale=1 / 7.0,
            haze=tuple(wall[8, 0]),
        )  # fmt: skip
        picture = film(piece, (look,) * len(motion.people), view, behind, supersample=2)
        pictures += [np.clip(frame * 255 + 0.5, 0, 255).astype(np.uint8) for frame in picture]
    return pictures


def write(path: Path, frames: list[np.ndarray], sample: Sample) -> None:
    """One H.264 file, a key frame a second."""
    times = [round(1e6 * _moment(number, sample)) for number in range(len(frames))] if sample.uneven else None
    options = VideoOptions(
        gop=sample.fps,
        rotation=90 if sample.turned else 0,
        extra={"crf": "28", "preset": "slow", "threads": "1"},
        muxer={"movflags": "+faststart"},
    )
    sound = _tone(sample.tone_hz, seconds=len(frames) / sample.fps) if sample.tone_hz else None
    if sample.turned:  # as a phone held upright stores it: lying on its side, with a note to turn it
        frames = [np.rot90(frame) for frame in frames]
    write_video(path, frames, fps=sample.fps, times_us=times, sound=sound, options=options)


def _moment(number: int, sample: Sample) -> float:
    """When a frame is shown, in seconds; an uneven clip hurries and lingers as phones do in bad light."""
    if not sample.uneven:
        return number / sample.fps
    return (number + 0.8 * np.sin(number * 0.45)) / sample.fps


def _tone(hertz: float, *, seconds: float) -> np.ndarray:
    """A soft pulsed tone, twice a second: int16 (n, 2) at 48 kHz."""
    t = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
    wave = 0.18 * np.sin(2 * np.pi * hertz * t) * np.exp(-6 * (t % 0.5))
    return np.repeat((wave * 32767).astype(np.int16)[:, None], 2, axis=1)


def _part(motion: Motion, part: slice) -> Motion:
    props = tuple(replace(prop, a=prop.a[part], b=prop.b[part]) for prop in motion.props)
    return replace(motion, people=tuple(joints[part] for joints in motion.people), props=props)


def _dressed(number: int) -> tuple[Look, Texture, Texture]:
    """Clothes, ground and sky of a palette: a softly tiled floor and a sky that darkens upwards."""
    shirt, trousers, hair, skin, ground, low, high = (
        (int(code[:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:], 16) / 255)
        for code in PALETTES[number]
    )
    tones = {
        "skin": skin, "hair": hair, "shirt": shirt, "sleeves": shirt, "forearms": skin, "trousers": trousers,
        "shoes": (0.16, 0.15, 0.16), "prop": (0.7, 0.25, 0.2), "ball": (0.95, 0.93, 0.85), **FIXED,
    }  # fmt: skip
    rng = np.random.default_rng(number)
    grain = cv2.GaussianBlur(
        rng.normal(0, 1, (256, 256)).astype(np.float32), (0, 0), 3, borderType=cv2.BORDER_REFLECT
    )
    floor = np.asarray(ground, np.float32) * (1 + 0.12 * grain)[..., None]
    floor[:3], floor[:, :3] = floor[:3] * 0.9, floor[:, :3] * 0.9
    u = np.linspace(0, 1, 128, dtype=np.float32)[:, None, None]
    sky = np.asarray(low, np.float32) * (1 - u) + np.asarray(high, np.float32) * u
    return Look(tones, girth=1.05), floor, np.tile(sky, (1, 8, 1)).astype(np.float32)


class _Steady(np.random.Generator):
    """No chance in the camera: a sample is framed exactly as written above."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def normal(self, loc: float = 0.0, scale: object = 1.0, size: object = None) -> Array:  # type: ignore[override]
        return np.zeros(size if size is not None else ())  # type: ignore[call-overload]


if __name__ == "__main__":
    main()
