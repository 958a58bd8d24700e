"""Opening a media file, and putting into plain words why one cannot be used."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from vidlabel.core.errors import MediaError, MissingVideoError, UnreadableVideoError

av.logging.set_level(None)

EMPTY = "empty file"
NOT_A_VIDEO = "not a video"
NO_PICTURE = "no picture in it (audio only)"
NO_FRAMES = "damaged: there is no picture in it that can be decoded"
NO_INDEX = "damaged: its index is missing, the recording or the copy was cut off"
BAD_HEADER = "damaged: its header cannot be read"
NO_PERMISSION = "no permission to read it"
NOT_THERE = "the file is not there (deleted, moved, or its disk is not connected)"

# Only demuxers of media files: others (playlists, scripts, device and network inputs) would open further
# files named inside the file, and one of them takes any text for a video.
_DEMUXERS = ",".join(
    (
        "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpeg,mpegvideo,mpegts,asf,gif,flv,ogg",
        "h264,hevc,m4v,mxf,wav,mp3,aac",
    )
)
_OPEN_OPTIONS = {"format_whitelist": _DEMUXERS, "protocol_whitelist": "file"}


@contextmanager
def open_media(path: Path) -> Iterator[InputContainer]:
    """Opens a media file for the length of a ``with``; see ``open_container``."""
    container = open_container(path)
    try:
        yield container
    finally:
        container.close()


def open_container(path: Path) -> InputContainer:
    """Opens a media file; the caller closes it.

    Raises:
        MissingVideoError: the file is not there.
        UnreadableVideoError: it is empty, not allowed to be read, or not a media file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise media_error(path, error) from error
    if not head:
        raise UnreadableVideoError(path, EMPTY)
    name = os.fspath(path.absolute())
    try:
        # Old files carry titles in old encodings, which would otherwise fail the whole file.
        return av.open(name, metadata_errors="replace", container_options=_OPEN_OPTIONS)
    except UnicodeEncodeError:
        return _open_undecodable_name(path, head)
    except (FFmpegError, OSError, ValueError) as error:
        raise _open_error(path, head, error) from error


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The stream with the moving picture.

    Raises:
        UnreadableVideoError: there is none, or nothing here can decode it.
    """
    streams = [
        stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise UnreadableVideoError(path, NO_PICTURE if container.streams.audio else NOT_A_VIDEO)
    stream = streams[0]
    context = stream.codec_context
    if context is None:
        raise UnreadableVideoError(path, "its codec is unknown, so it cannot be decoded")
    return stream


def media_error(path: Path, error: BaseException) -> MediaError:
    """The error to raise for what went wrong while reading ``path``, in plain words."""
    if isinstance(error, MediaError):
        return error
    if isinstance(error, FileNotFoundError | NotADirectoryError) or (
        isinstance(error, OSError) and not path.exists()
    ):
        return MissingVideoError(path, NOT_THERE)
    if isinstance(error, PermissionError):
        return UnreadableVideoError(path, NO_PERMISSION)
    if isinstance(error, IsADirectoryError):
        return UnreadableVideoError(path, "a folder, not a video")
    words = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return UnreadableVideoError(path, f"damaged: {words[:1].lower()}{words[1:]}")


def _open_undecodable_name(path: Path, head: bytes) -> InputContainer:
    """A name that is no UTF-8 cannot be handed to FFmpeg; an open file can."""
    file = path.open("rb")
    try:
        return av.open(
            file, "r", metadata_errors="replace", container_options={"format_whitelist": _DEMUXERS}
        )
    except (FFmpegError, OSError, ValueError) as error:
        file.close()
        raise _open_error(path, head, error) from error


def _open_error(path: Path, head: bytes, error: Exception) -> MediaError:
    if isinstance(error, FileNotFoundError | PermissionError):
        return media_error(path, error)
    if b"ftyp" in head[:64] or b"moov" in head[:64]:
        return UnreadableVideoError(path, NO_INDEX)
    known = (b"RIFF", b"\x1aE\xdf\xa3", b"\x00\x00\x01\xba", b"0&\xb2u", b"GIF8", b"FLV", b"OggS")
    if head.startswith(known):
        return UnreadableVideoError(path, BAD_HEADER)
    return UnreadableVideoError(path, NOT_A_VIDEO)
