"""What the window process and the engine process say to each other.

Each message is a frozen dataclass; ``core/wire.py`` puts it on the wire. Bulk data (frames, frame times, sound) lies in
the arena, a shared memory area named in :class:`Hello`; messages carry offsets into it, and the window gives space back
with :class:`Release`. Paths are absolute; times are microseconds from a video's first frame; ends are exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, TypeVar, dataclass_transform

PROTOCOL = 1
_T = TypeVar("_T")


class Message:
    """Base of everything that crosses the border: equal when of one kind with equal fields."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and _values(other) == _values(self)

    def __hash__(self) -> int:
        return hash((type(self), _values(self)))

    def __repr__(self) -> str:
        named = ", ".join(f"{field.name}={getattr(self, field.name)!r}" for field in fields(self))  # type: ignore[arg-type]
        return f"{type(self).__name__}({named})"


def _values(message: Any) -> tuple[Any, ...]:
    return tuple(getattr(message, field.name) for field in fields(message))


@dataclass_transform(frozen_default=True, kw_only_default=True)
def _message(cls: type[_T]) -> type[_T]:
    """A frozen dataclass whose comparing and printing are the base's: making both for each class costs start-up."""
    return dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)(cls)


# --- to the engine: life -------------------------------------------------------------------------
@_message
class Hello(Message):
    """First message: where the arena lies and where caches go. Answered by :class:`Ready`."""

    arena: str
    arena_bytes: int
    cache_folder: str
    protocol: int = PROTOCOL


@_message
class Shutdown(Message):
    """End in good order."""


@_message
class Cancel(Message):
    """Stop a request; what it has answered stays valid; it ends with :class:`JobDone` (stopped)."""

    request: int


@_message
class Release(Message):
    """These arena blocks have been read."""

    offsets: tuple[int, ...]


# --- to the engine: playback ---------------------------------------------------------------------
@_message
class OpenStream(Message):
    """Decode the clip ``[start_us, end_us)`` of a video ahead, looping, into a box of device pixels.

    Frames keep their shape, are never enlarged, and at most ``credit`` of them are sent before
    :class:`Credit` allows more. ``urgent`` is the clip on screen; others are decoded ahead in spare time.
    """

    stream: int
    path: str
    start_us: int
    end_us: int
    width: int
    height: int
    credit: int
    urgent: bool


@_message
class Urgent(Message):
    """A stream that was opened ahead is now the one on screen."""

    stream: int


@_message
class Credit(Message):
    """The window took this many frames of the stream; as many more may be sent."""

    stream: int
    frames: int


@_message
class Seek(Message):
    """Go on from this frame (index in the video). Frames of older generations are stale.

    ``credit`` replaces what was left. ``stride`` n sends every n-th frame (fast play). The stream loops
    within ``[loop_start, loop_end)`` (frame indices).
    """

    stream: int
    generation: int
    frame: int
    credit: int
    stride: int = 1
    loop_start: int = 0
    loop_end: int = 0


@_message
class Resize(Message):
    """The box on screen changed; from the next frame on, scale to this."""

    stream: int
    width: int
    height: int


@_message
class CloseStream(Message):
    """The stream is no longer wanted."""

    stream: int


@_message
class SoundWanted(Message):
    """Decode ``[start_us, end_us)`` of a stream's sound. Answered by one :class:`SoundReady`."""

    stream: int
    generation: int
    start_us: int
    end_us: int


# --- to the engine: library ----------------------------------------------------------------------
@_message
class ListFiles(Message):
    """Walk a root. Answers: :class:`FilesListed` in batches, then :class:`JobDone`."""

    request: int
    root: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedFile:
    """One file to probe. ``whole`` asks for the hash of its whole content as well."""

    relative: str
    size: int
    mtime_ns: int
    whole: bool = False


@_message
class ProbeFiles(Message):
    """Probe files of a root, in parallel. Answers: :class:`FilesProbed` in batches, then :class:`JobDone`."""

    request: int
    root: str
    files: tuple[WantedFile, ...]
    one_by_one: bool = False
    """After a crash with several suspects: decode each wholly, one at a time, so that the guilty one shows."""


@_message
class HashFiles(Message):
    """Hash the whole content of videos in spare time. Answers: :class:`FileHashed` each, then :class:`JobDone`."""

    request: int
    videos: tuple[tuple[int, str], ...]
    """(video id, path)"""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedThumbnail:
    """A picture of a video at a time, kept in the cache under its fingerprint."""

    fingerprint: str
    path: str
    at_us: int


@_message
class Thumbnails(Message):
    """Make these soon; a newer request goes first. Answers: :class:`ThumbnailReady` each, then :class:`JobDone`."""

    request: int
    wanted: tuple[WantedThumbnail, ...]


@_message
class MakeFilmstrip(Message):
    """Make a clip's looping pictures as one sheet; what was asked for last goes first.

    Each picture fits into ``width`` x ``height`` px. Answered by :class:`FilmstripReady` or :class:`JobFailed`.
    """

    request: int
    fingerprint: str
    path: str
    start_us: int
    end_us: int
    width: int
    height: int


# --- to the engine: suggestions ------------------------------------------------------------------
@_message
class LoadModel(Message):
    """Load a model onto a device (auto, cpu, cuda, mps). Answered by :class:`ModelReady` or :class:`JobFailed`.

    ``views`` and ``flip`` say how it looks at a clip (``words.Views``), ``precision`` how it computes
    (``model_key.PRECISIONS``). ``ModelReady.hash`` is then the key for this way of asking (``model_key.ModelKey``).
    """

    request: int
    model: str
    device: str = "auto"
    views: int = 1
    flip: bool = False
    precision: str = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedClip:
    """A clip to suggest labels for. Frames are ``[start_frame, end_frame)``.

    ``embedding``, where the loaded model's trunk has seen the clip before (``core/vectors.py``): the labels are
    read from it, and the video is not opened.
    """

    clip_id: int
    path: str
    start_us: int
    end_us: int
    embedding: str = ""


@_message
class Suggest(Message):
    """Suggest labels. A lower ``priority`` goes first: 0 on screen, 1 about to come, 2 the rest.

    Answers: :class:`Suggested` in batches as they are ready, then :class:`JobDone`.
    """

    request: int
    priority: int
    clips: tuple[WantedClip, ...]
    top_k: int = 10
    """More than the window shows: calibrating needs to know how the rest is spread."""


@_message
class ShowSaliency(Message):
    """Say where in a clip the loaded model sees a label. Answered by :class:`SaliencyReady` or :class:`JobFailed`."""

    request: int
    clip: WantedClip
    label: str


@_message
class SweepVideo(Message):
    """Let the loaded model look through a video in overlapping windows, when nothing else is asked of it.

    It begins with window ``first``, a multiple of a part's length. Answers: :class:`SweepPart` in order as they
    are ready, :class:`Progress` in windows, then :class:`JobDone`.
    """

    request: int
    model_hash: str
    path: str
    window_us: int
    step_us: int
    first: int = 0


@_message
class FindFrames(Message):
    """Ask a video's frame index for the frames of these times. Answered by :class:`FramesFound`."""

    request: int
    path: str
    times: tuple[tuple[int, int], ...]
    """(start, end) in µs each"""


# --- from the engine -----------------------------------------------------------------------------
@_message
class Ready(Message):
    """The engine is up."""

    pid: int
    protocol: int = PROTOCOL


@_message
class StreamOpened(Message):
    """Facts of a stream. ``times_offset`` is an arena block of ``frames`` int64: each frame's time in µs.

    ``first`` and ``last`` (exclusive) are the clip's frame indices in the video.
    """

    stream: int
    frames: int
    first: int
    last: int
    fps: float
    duration_us: int
    width: int
    height: int
    audio: bool
    times_offset: int


@_message
class StreamFailed(Message):
    """The stream cannot go on; ``missing`` tells a vanished file from one that cannot be decoded."""

    stream: int
    reason: str
    missing: bool


@_message
class FrameReady(Message):
    """A picture in the arena: ``height`` rows of ``stride`` bytes, BGRX (QImage's RGB32)."""

    stream: int
    generation: int
    frame: int
    time_us: int
    offset: int
    width: int
    height: int
    stride: int


@_message
class SoundReady(Message):
    """Interleaved int16 samples in the arena (``nbytes`` 0: this part is silent)."""

    stream: int
    generation: int
    start_us: int
    offset: int
    nbytes: int
    rate: int
    channels: int


@_message
class FilesListed(Message):
    """A batch of a walk; ``problems`` are folders that could not be read, with the reason."""

    request: int
    root: str
    entries: tuple[tuple[str, int, int], ...]
    """(relative path, size, mtime_ns)"""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbedFile:
    """A :class:`vidlabel.core.words.ProbeResult` in wire form; ``facts`` is None where there is a reason."""

    relative: str
    size: int
    mtime_ns: int
    fingerprint: str
    content_hash: str | None
    facts: dict[str, Any] | None
    reason: str | None


@_message
class FilesProbed(Message):
    """A batch of probed files."""

    request: int
    root: str
    files: tuple[ProbedFile, ...]


@_message
class FileHashed(Message):
    """The SHA-256 of a video's whole content; empty with a reason where it could not be read."""

    request: int
    video_id: int
    content_hash: str
    reason: str | None = None


@_message
class ThumbnailReady(Message):
    """The picture is in the cache at ``file``; an empty ``file`` means there is none to be had."""

    request: int
    fingerprint: str
    at_us: int
    file: str


@_message
class FilmstripReady(Message):
    """The sheet is in the cache at ``file``: ``columns`` x ``rows`` pictures of one size, row by row.

    An empty ``file`` means there is none to be had. The last answer to its request.
    """

    request: int
    file: str
    columns: int
    rows: int


@_message
class ModelReady(Message):
    """The model is loaded, warmed up and will answer.

    ``trunk`` names what makes its embeddings (``ml/trunk.py``); empty where they cannot be used again.
    """

    request: int
    model: str
    hash: str
    labels: tuple[str, ...]
    device: str
    device_name: str
    trunk: str = ""


@_message
class ModelMoved(Message):
    """The device of the loaded model gave up, and another goes on; ``words`` say why, for the person."""

    hash: str
    device: str
    device_name: str
    words: str


@_message
class ViewsMeasured(Message):
    """All views of a clip take ``times`` the time of one, measured on the first clips."""

    views: int
    flip: bool
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipScores:
    """One clip's suggestion in wire form: labels and probabilities, best first.

    ``embedding`` is what they were read from, if it was computed just now (``core/vectors.py``).
    """

    clip_id: int
    labels: tuple[str, ...]
    probabilities: tuple[float, ...]
    margin: float
    entropy: float
    embedding: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipTrouble:
    """A clip without a suggestion: it could not be read, or (``of_model``) the model had no numbers for it."""

    clip_id: int
    reason: str
    missing: bool
    of_model: bool = False


@_message
class Suggested(Message):
    """A batch of suggestions of the model with this hash."""

    request: int
    model_hash: str
    clips: tuple[ClipScores, ...]
    unreadable: tuple[ClipTrouble, ...] = ()


@_message
class SaliencyReady(Message):
    """Maps over a clip: ``values`` are base64 of uint8 (times, height, width), 255 where most spoke for the label.

    ``times`` are the moments (µs) the maps stand for, growing. ``region`` is the part of the picture they lie
    over: left, top, width, height in 0..1.
    """

    request: int
    clip_id: int
    label: str
    times: tuple[int, ...]
    width: int
    height: int
    region: tuple[float, float, float, float]
    values: str


@_message
class SweepPart(Message):
    """Windows ``[first, first + windows)`` of ``total``: ``scores`` are base64 of float16 (windows, labels)."""

    request: int
    model_hash: str
    duration_us: int
    total: int
    first: int
    windows: int
    scores: str


@_message
class FramesFound(Message):
    """First frame and end (exclusive) for each of the times asked about. The last answer to its request."""

    request: int
    path: str
    frames: tuple[tuple[int, int], ...]


@_message
class Progress(Message):
    """How far a request is; ``rate`` in things per second."""

    request: int
    done: int
    total: int
    rate: float


@_message
class JobDone(Message):
    """A request has ended, wholly or because it was stopped."""

    request: int
    stopped: bool = False


@_message
class JobFailed(Message):
    """A request could not be carried out; ``reason`` is fit for the person."""

    request: int
    reason: str
