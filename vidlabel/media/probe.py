"""Finding out what a file is: its facts if it can be decoded, or the reason why it cannot be used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED as ONE_DONE
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from av.error import FFmpegError

from vidlabel.core.errors import MediaError
from vidlabel.core.fingerprint import content_hash, fingerprint
from vidlabel.core.words import FileEntry, ProbeResult, VideoFacts
from vidlabel.media.container import EMPTY, media_error, open_media, video_stream
from vidlabel.media.frame_index import FrameIndex
from vidlabel.media.reader import FrameReader


def probe(
    root: Path, entry: FileEntry, *, whole: bool = False, should_stop: Callable[[], bool] | None = None
) -> ProbeResult:
    """Probes one file; a file that cannot be used has a reason in plain words, never an error.

    Its packets are read and its first frame is decoded, so that 'readable' means that it can be seen.

    Args:
        root: the folder to which ``entry.relative`` belongs.
        entry: the file, as the walk saw it.
        whole: also hash every byte.
        should_stop: asked while reading packets and hashing.

    Raises:
        StoppedError: ``should_stop`` said so.
    """
    path = root / entry.relative
    quick, hashed = "", None
    try:
        if entry.size == 0 or path.stat().st_size == 0:
            return ProbeResult(
                entry=entry, fingerprint=fingerprint(path), content_hash=None, facts=None, reason=EMPTY
            )
        quick = fingerprint(path)
        hashed = content_hash(path, should_stop) if whole else None
        return ProbeResult(
            entry=entry,
            fingerprint=quick,
            content_hash=hashed,
            facts=video_facts(path, should_stop=should_stop),
        )
    except (MediaError, FFmpegError, OSError, ValueError, MemoryError) as error:
        reason = media_error(path, error).reason
        return ProbeResult(entry=entry, fingerprint=quick, content_hash=hashed, facts=None, reason=reason)


def video_facts(path: Path, *, should_stop: Callable[[], bool] | None = None) -> VideoFacts:
    """The facts of a video whose first frame can be decoded.

    Raises:
        MissingVideoError: the file is not there.
        UnreadableVideoError: it cannot be used, with the reason.
    """
    index = FrameIndex.build(path, should_stop=should_stop)
    # More threads would each hold a frame, which at 8K is much memory for one picture.
    with FrameReader(path, index, threads=1) as reader:
        shape = reader.shape
    with open_media(path) as container:
        codec = video_stream(path, container).codec_context.codec.canonical_name
        audio = bool(container.streams.audio)
    return VideoFacts(
        duration_us=index.duration_us,
        frames=len(index),
        fps=index.fps,
        variable_rate=index.variable_rate,
        codec=codec,
        width=shape.width,
        height=shape.height,
        rotation=shape.rotation,
        audio=audio,
        start_us=index.start_us,
    )


def probe_many(
    root: Path,
    entries: Iterable[FileEntry],
    *,
    workers: int | None = None,
    whole: Callable[[FileEntry], bool] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[ProbeResult]:
    """Probes files in parallel, answering as they are done, in no order.

    Args:
        root: the folder to which the entries belong.
        entries: the files; taken only as fast as they are probed.
        workers: threads; None takes one a core. Decoding and reading leave Python's lock, so threads suffice.
        whole: whether every byte of a file is to be hashed; None: of none.
        should_stop: when it says True, nothing more is begun and what is not done is left out.
    """
    stop = should_stop or _never
    count = workers or os.cpu_count() or 1
    source = iter(entries)
    running: set[Future[ProbeResult]] = set()
    with ThreadPoolExecutor(max_workers=count, thread_name_prefix="probe") as pool:
        while not stop():
            while len(running) < 2 * count and (entry := next(source, None)) is not None:
                wanted = whole is not None and whole(entry)
                running.add(pool.submit(probe, root, entry, whole=wanted))
            if not running:
                return
            done, running = wait(running, return_when=ONE_DONE)
            yield from (future.result() for future in done)
        for future in running:
            future.cancel()


def _never() -> bool:
    return False
