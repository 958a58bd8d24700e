"""Making a frame index out of packets, and out of decoding where the packets do not say enough.

In most files each packet is one frame and carries its presentation time: sorting those times gives the
frames in the order they are shown, without decoding. Three kinds of file need more:

* Time stamps that are missing, double, or known to be wrong in their container (AVI and ASF count packets,
  and DivX hides two frames in one packet): everything is decoded once, each frame recognised by its packet.
* A beginning that is no clean start (a recording begun in mid-stream): decoded up to the second key frame.
* An end that was cut off: decoded from the last but one key frame.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vidlabel.core.errors import UnreadableVideoError
from vidlabel.core.time import US_PER_SECOND
from vidlabel.media.container import NO_FRAMES, open_media, video_stream
from vidlabel.media.cursor import decoded_packets, delivered_frames
from vidlabel.media.cutoff import is_cut_off
from vidlabel.media.frame_table import FrameTable, microseconds, timing
from vidlabel.media.packets import NO_ORDER, NO_TIME, Packets, read_packets

Int64 = NDArray[np.int64]
_COUNTS_PACKETS = ("avi", "asf")
_GUESSES_TIMES = ("mpeg", "mpegvideo")
_WITHOUT_REORDERING = (
    "mjpeg",
    "rawvideo",
    "huffyuv",
    "ffv1",
    "png",
    "wmv1",
    "wmv2",
    "msmpeg4v1",
    "msmpeg4v2",
)


class FrameIndex(FrameTable):
    """Which frames a video has and when each is shown: the one source for every frame number and time."""

    @classmethod
    def build(
        cls,
        path: Path,
        *,
        should_stop: Callable[[], bool] | None = None,
        watch: Callable[[int, VideoFrame], None] = lambda frame, decoded: None,
    ) -> FrameIndex:
        """Reads the packets of a file, and decodes only where they do not say enough.

        Where all has to be decoded for it, ``watch`` is shown every frame with its number.

        Raises:
            MissingVideoError: the file is not there.
            UnreadableVideoError: it is no video, or no frame of it can be decoded.
            StoppedError: ``should_stop``, asked every thousand packets, said so.
        """
        with open_media(path) as container:
            stream = video_stream(path, container)
            demuxer = container.format.name.split(",")[0]
            packets = read_packets(container, stream, should_stop)
            if is_cut_off(path, demuxer):
                packets = packets.without_last()
            elif demuxer in _GUESSES_TIMES:
                # A program stream may end anywhere without a word; its groups are short, so look.
                packets = replace(packets, broken_off=True)
            if not packets.shown.any():
                raise UnreadableVideoError(path, NO_FRAMES)
            source = _Source(
                path=path,
                demuxer=demuxer,
                packets=packets,
                time_base=stream.time_base or Fraction(1, US_PER_SECOND),
                rate=_rate(stream),
            )
            stamps_tell = _stamps_tell(demuxer, stream, packets)
        if stamps_tell:
            return _from_stamps(source)
        return _from_order(source) or _from_decoding(source, watch)


def _rate(stream: VideoStream) -> float | None:
    rate = stream.average_rate or stream.guessed_rate
    return float(rate) if rate else None


def _stamps_tell(demuxer: str, stream: VideoStream, packets: Packets) -> bool:
    """Whether every shown packet has a presentation time of its own that can be believed."""
    stamps = packets.pts[packets.shown]
    if demuxer in _GUESSES_TIMES or (stamps == NO_TIME).any() or len(np.unique(stamps)) != len(stamps):
        return False
    if demuxer not in _COUNTS_PACKETS or stream.codec_context.name in _WITHOUT_REORDERING:
        return True
    return not stream.codec_context.has_b_frames and bool((np.diff(stamps) > 0).all())


def _from_stamps(source: _Source) -> FrameIndex:
    """Each shown packet is a frame, shown at its own time."""
    packets = source.packets
    numbers = np.flatnonzero(packets.shown)
    numbers = numbers[np.argsort(packets.pts[numbers], kind="stable")]
    index = source.assemble(numbers, packets.pts[numbers], marked_by="pts", named_by="pts")
    return _without_undecodable(index, source)


def _from_order(source: _Source) -> FrameIndex | None:
    """MPEG-1/2: each packet is a frame, shown at its place in its group; None where they do not add up."""
    packets = source.packets
    starts = np.flatnonzero(packets.group)
    if len(starts) == 0 or starts[0] != 0 or (packets.order == NO_ORDER).any():
        return None
    numbers = np.empty(len(packets), dtype=np.int64)
    for start, stop in itertools.pairwise([*starts.tolist(), len(packets)]):
        group = start + np.argsort(packets.order[start:stop], kind="stable")
        numbers[start:stop] = group
        if len(np.unique(packets.order[start:stop])) != stop - start:
            return None
    index = source.assemble(numbers, source.even_times(numbers), marked_by="content", named_by="packet")
    return _without_undecodable(index, source)


def _from_decoding(source: _Source, watch: Callable[[int, VideoFrame], None]) -> FrameIndex:
    """Decodes everything once: frames in the order they come out, each recognised by its packet."""
    found = decoded_packets(source.path, len(source.packets), watch=watch)
    if not found:
        raise UnreadableVideoError(source.path, NO_FRAMES)
    numbers = np.array(found, dtype=np.int64)
    named_by = "packet" if len(np.unique(numbers)) == len(numbers) else "count"
    all_dts = source.packets.dts
    marked_by = "dts" if source.demuxer in _COUNTS_PACKETS and (all_dts != NO_TIME).all() else "content"
    return source.assemble(numbers, source.even_times(numbers), marked_by=marked_by, named_by=named_by)


def _without_undecodable(index: FrameIndex, source: _Source) -> FrameIndex:
    """The index less the frames at a broken start or end that no decoder gives back."""
    packets = source.packets
    keep = np.ones(len(index), dtype=bool)
    keys = np.flatnonzero(packets.key)
    clean_start = len(keys) > 0 and keys[0] == 0 and index.packets[0] == 0
    if not clean_start:
        _check(index, keep, 0, int(keys[1]) if len(keys) > 1 else len(packets))
    if packets.broken_off:
        _check(index, keep, int(keys[-2]) if len(keys) > 1 else 0, len(packets))
    if keep.all():
        return index
    if source.demuxer in _GUESSES_TIMES and keep.sum() > 1:
        # Where a frame is missing at the end of a program stream, the one before it is torn as a rule.
        keep[np.flatnonzero(keep)[-1]] = False
    if not keep.any():
        raise UnreadableVideoError(index.path, NO_FRAMES)
    numbers = index.packets[keep]
    pts = index.pts[keep] if index.named_by == "pts" else source.even_times(numbers)
    return source.assemble(numbers, pts, marked_by=index.marked_by, named_by=index.named_by)


def _check(index: FrameIndex, keep: NDArray[np.bool_], start: int, stop: int) -> None:
    """Decodes the packets ``[start, stop)`` and clears ``keep`` where one of them gives no frame."""
    expected = np.flatnonzero((index.packets >= start) & (index.packets < stop))
    keep[expected] = np.isin(expected, delivered_frames(index, expected))


@dataclass(frozen=True, eq=False, kw_only=True)
class _Source:
    """What an index is made from."""

    path: Path
    demuxer: str
    packets: Packets
    time_base: Fraction
    rate: float | None

    def assemble(self, numbers: Int64, pts: Int64, *, marked_by: str, named_by: str) -> FrameIndex:
        """The index of the frames in ``numbers`` (packets in the order shown) at ``pts``."""
        packets = self.packets
        times = microseconds(pts - pts[0], self.time_base)
        last = int(microseconds(packets.duration[numbers[-1:]], self.time_base)[0])
        fps, variable, duration = timing(times, last, self.rate)
        marks = {"pts": packets.pts, "dts": packets.dts, "content": packets.content}[marked_by][numbers]
        dts = np.where(packets.dts == NO_TIME, packets.pts, packets.dts)[numbers]
        key = packets.key[numbers] & (dts != NO_TIME)
        known, first, times_seen = np.unique(marks[key], return_index=True, return_counts=True)
        if len(known) and times_seen.max() > 1:
            # Two key frames that cannot be told apart after a seek are no place to begin at.
            single = np.zeros(int(key.sum()), dtype=bool)
            single[first[times_seen == 1]] = True
            key[np.flatnonzero(key)[~single]] = False
        return FrameIndex(
            path=self.path,
            times_us=times,
            key_frames=key,
            duration_us=duration,
            fps=fps,
            variable_rate=variable,
            start_us=int(microseconds(pts[:1], self.time_base)[0]),
            time_base=self.time_base,
            pts=pts,
            packets=numbers,
            key_marks=marks,
            key_dts=dts,
            marked_by=marked_by,
            named_by=named_by,
        )

    def even_times(self, numbers: Int64) -> Int64:
        """Rising times for frames whose stamps cannot be taken as they are: even steps, unless the stamps,
        sorted,
        rise and say that the steps are not even (a frame that was dropped, a rate that varies)."""
        stamps = np.sort(self.packets.pts[numbers])
        if stamps[0] == NO_TIME:
            stamps = np.sort(self.packets.dts[numbers])
        there = stamps[stamps != NO_TIME]
        first = int(there[0]) if len(there) else 0
        even = first + np.array(
            [round(frame * self._step()) for frame in range(len(numbers))], dtype=np.int64
        )
        if len(there) < len(numbers) or (np.diff(stamps) <= 0).any():
            return even
        slack = 2.5 if self.demuxer in _GUESSES_TIMES else 0.1
        return even if np.abs(stamps - even).max() <= slack * self._step() else stamps

    def _step(self) -> Fraction:
        """Ticks from frame to frame."""
        if self.rate:
            return max(Fraction(1), 1 / (Fraction(self.rate).limit_denominator(1001) * self.time_base))
        lengths = self.packets.duration[self.packets.duration > 0]
        return Fraction(int(np.median(lengths))) if len(lengths) else 1 / (25 * self.time_base)
