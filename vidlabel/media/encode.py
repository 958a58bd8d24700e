"""Writing video files: sample clips, cut clips and the clips of the tests."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

SOUND_RATE = 48_000
_TIMED_BASE = Fraction(1, 90_000)
_MUXERS = {
    ".avi": "avi", ".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".webm": "webm",
    ".mpg": "mpeg", ".wmv": "asf", ".ts": "mpegts", ".gif": "gif",
}  # fmt: skip
_CODECS = {".webm": "libvpx-vp9", ".mpg": "mpeg2video", ".wmv": "wmv2", ".gif": "gif", ".avi": "mpeg4"}
_SOUND_CODECS = {".webm": "libopus", ".mpg": "mp2", ".wmv": "wmav2", ".avi": "mp2", ".ts": "mp2"}
_FAST = {
    "libx264": {"preset": "veryfast"},
    "libx265": {"preset": "ultrafast", "x265-params": "log-level=none"},
    "libvpx": {"deadline": "realtime", "cpu-used": "8"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "8"},
    "libsvtav1": {"preset": "10"},
}
_QUALITY_BY_BIT_RATE = ("mpeg4", "mpeg2video", "mpeg1video", "wmv2", "msmpeg4", "libvpx", "libvpx-vp9")


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """How a video is encoded.

    Args:
        codec: an encoder's name; None takes the usual one for the file's suffix.
        gop: frames from key frame to key frame; None leaves it to the encoder.
        b_frames: most frames in a row that look forward as well; None leaves it to the encoder.
        rotation: degrees (0, 90, 180, 270) by which a player has to turn the picture clockwise.
        pixel_format: None takes 4:2:0, or 4:4:4 where the size is odd and the encoder needs that.
        bit_rate: bits a second, for encoders that need one.
        extra: options of the encoder itself.
        muxer: options of the file format, such as ``{"movflags": "faststart"}``.
    """

    codec: str | None = None
    gop: int | None = None
    b_frames: int | None = None
    rotation: int = 0
    pixel_format: str | None = None
    bit_rate: int | None = None
    extra: Mapping[str, str] = field(default_factory=dict)
    muxer: Mapping[str, str] = field(default_factory=dict)


def write_video(
    path: Path,
    frames: Iterable[NDArray[np.uint8]],
    *,
    fps: Fraction | float = 25,
    times_us: Sequence[int] | None = None,
    sound: NDArray[np.int16] | None = None,
    sound_start_us: int = 0,
    options: VideoOptions | None = None,
) -> None:
    """Encodes frames into a file, which appears under its name only when it is whole.

    Args:
        path: where to; the suffix chooses the file format (avi, mp4, m4v, mov, mkv, webm, mpg, wmv, ts, gif).
        frames: uint8 (h, w, 3), red first, all of one size, before rotation.
        fps: frames a second; with ``times_us`` only the nominal rate.
        times_us: presentation time of each frame in microseconds, rising; None spaces them by ``fps``.
        sound: int16 (n, 2) at 48 kHz; None writes no sound.
        sound_start_us: presentation time of the first sample.
        options: the encoding; None takes the usual one for the suffix.

    Raises:
        ValueError: the suffix is unknown or there is no frame.
        av.error.FFmpegError: the encoder refuses (size, rate or options).
    """
    options = options or VideoOptions()
    if path.suffix.lower() not in _MUXERS:
        raise ValueError(f"{path.name}: cannot write a video of this kind; use {', '.join(sorted(_MUXERS))}")
    handle, name = tempfile.mkstemp(prefix=".writing-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    unfinished = Path(name)
    try:
        muxer = _MUXERS[path.suffix.lower()]
        with av.open(name, "w", format=muxer, container_options=dict(options.muxer)) as container:
            _write(container, path.suffix.lower(), frames, fps, times_us, sound, sound_start_us, options)
        unfinished.chmod(0o644)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_sound(path: Path, sound: NDArray[np.int16]) -> None:
    """Writes a file with sound and no picture; int16 (n, 2) at 48 kHz."""
    suffix = path.suffix.lower()
    with av.open(str(path), "w", format=_MUXERS[suffix]) as container:
        stream = _add_sound(container, suffix)
        _encode_sound(container, stream, sound, 0)


def _write(
    container: OutputContainer,
    suffix: str,
    frames: Iterable[NDArray[np.uint8]],
    fps: Fraction | float,
    times_us: Sequence[int] | None,
    sound: NDArray[np.int16] | None,
    sound_start_us: int,
    options: VideoOptions,
) -> None:
    rate = Fraction(fps).limit_denominator(1001)
    source = iter(frames)
    first = next(source, None)
    if first is None:
        raise ValueError("a video needs at least one frame")
    stream = _add_picture(container, suffix, first.shape[1], first.shape[0], rate, options)
    base = 1 / rate
    if times_us is not None:
        base = Fraction(1, 1000) if suffix in (".webm", ".mkv") else _TIMED_BASE
        stream.codec_context.time_base = base
        stream.time_base = base
    sound_stream = _add_sound(container, suffix) if sound is not None else None
    number = 0
    picture: NDArray[np.uint8] | None = first
    while picture is not None:
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        frame.time_base = base
        frame.pts = number if times_us is None else round(Fraction(times_us[number], 1_000_000) / base)
        container.mux(stream.encode(frame))
        picture = next(source, None)
        number += 1
    container.mux(stream.encode(None))
    if sound_stream is not None and sound is not None:
        _encode_sound(container, sound_stream, sound, sound_start_us)


def _add_picture(
    container: OutputContainer, suffix: str, width: int, height: int, rate: Fraction, options: VideoOptions
) -> VideoStream:
    codec = options.codec or _CODECS.get(suffix, "libx264")
    stream = container.add_stream(codec, rate=rate, options={**_FAST.get(codec, {}), **options.extra})
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = width, height
    odd = bool(width % 2 or height % 2)
    default = "yuv444p" if odd and codec in ("libx264", "libx265") else "yuv420p"
    stream.pix_fmt = options.pixel_format or {"gif": "rgb8", "mjpeg": "yuvj420p", "png": "rgb24"}.get(
        codec, default
    )
    if options.gop is not None:
        stream.codec_context.gop_size = options.gop
    if options.b_frames is not None:
        stream.codec_context.max_b_frames = options.b_frames
    if options.bit_rate is not None or codec in _QUALITY_BY_BIT_RATE:
        stream.bit_rate = options.bit_rate or max(400_000, width * height * 12)
    if options.rotation:
        stream.set_display_rotation(-options.rotation)
    return stream


def _add_sound(container: OutputContainer, suffix: str) -> AudioStream:
    stream = container.add_stream(_SOUND_CODECS.get(suffix, "aac"), rate=SOUND_RATE)
    assert isinstance(stream, AudioStream)
    stream.layout = "stereo"
    stream.bit_rate = 128_000
    return stream


def _encode_sound(
    container: OutputContainer, stream: AudioStream, sound: NDArray[np.int16], start_us: int
) -> None:
    samples = np.ascontiguousarray(sound, dtype=np.int16).reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
    frame.sample_rate = SOUND_RATE
    frame.time_base = Fraction(1, SOUND_RATE)
    frame.pts = round(start_us * SOUND_RATE / 1_000_000)
    container.mux(stream.encode(frame))
    container.mux(stream.encode(None))
