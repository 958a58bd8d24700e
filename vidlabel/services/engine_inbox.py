"""The engine client's book-keeping.

What was asked, what lies in shared memory, and what is stale on arrival.
"""

from __future__ import annotations

from vidlabel.core import messages as m

Request = (
    m.ListFiles | m.ProbeFiles | m.HashFiles | m.Thumbnails | m.MakeFilmstrip
    | m.LoadModel | m.Suggest | m.SweepVideo | m.FindFrames | m.ShowSaliency
)  # fmt: skip
Ending = m.JobDone | m.JobFailed | m.ModelReady | m.FramesFound | m.SaliencyReady | m.FilmstripReady
Bulky = m.FrameReady | m.StreamOpened | m.SoundReady


class Inbox:
    """One life of the engine.

    Blocks are known by their message, so that one of an earlier life is never mistaken.
    """

    def __init__(self) -> None:
        self._requests: dict[int, None] = {}
        self._generations: dict[int, int] = {}
        self._held: dict[int, Bulky] = {}
        self.to_release: list[int] = []

    def for_next_life(self) -> Inbox:
        """A fresh book; messages that were sent but not answered are forgotten."""
        return Inbox()

    def note_sent(self, message: m.Message) -> None:
        """What goes out decides what may come in."""
        if isinstance(message, m.OpenStream):
            self._generations[message.stream] = 0
        elif isinstance(message, m.Seek):
            self._generations[message.stream] = message.generation
            self._drop_stale(message.stream, message.generation)
        elif isinstance(message, m.CloseStream):
            self._generations.pop(message.stream, None)
            for held in [held for held in self._held.values() if held.stream == message.stream]:
                self.drop(held)
        elif isinstance(message, Request):
            self._requests[message.request] = None

    def accepts(self, message: m.Message) -> bool:
        """Whether the owner shall see the message. The memory of one that is refused is given back."""
        if isinstance(message, Bulky):
            return self._accepts_bulky(message)
        if isinstance(message, m.StreamFailed):
            return message.stream in self._generations
        if isinstance(message, Ending):
            self._requests.pop(message.request, None)
        return True

    def open_requests(self) -> tuple[int, ...]:
        """Requests that have not ended."""
        return tuple(self._requests)

    def holds(self, message: m.Message, offset: int) -> bool:
        """Whether the block at the offset is still that message's."""
        return self._held.get(offset) is message

    def give_back(self, offset: int) -> None:
        """The block at the offset has been read."""
        if self._held.pop(offset, None) is not None:
            self.to_release.append(offset)

    def drop(self, message: Bulky) -> None:
        """Gives the block of a message back unread."""
        offset = _offset(message)
        if offset is not None and self.holds(message, offset):
            self.give_back(offset)

    def releases(self) -> tuple[int, ...]:
        """The offsets that wait to be told to the engine; they count as told."""
        offsets, self.to_release = tuple(self.to_release), []
        return offsets

    def _accepts_bulky(self, message: Bulky) -> bool:
        offset = _offset(message)
        generation = self._generations.get(message.stream)
        stale = isinstance(message, m.FrameReady) and message.generation != generation
        if generation is None or stale:
            if offset is not None:
                self.to_release.append(offset)
            return False
        if offset is not None:
            self._held[offset] = message
        return True

    def _drop_stale(self, stream: int, generation: int) -> None:
        for held in list(self._held.values()):
            if isinstance(held, m.FrameReady) and held.stream == stream and held.generation != generation:
                self.drop(held)


def _offset(message: Bulky) -> int | None:
    if isinstance(message, m.StreamOpened):
        return message.times_offset
    if isinstance(message, m.SoundReady):
        return message.offset if message.nbytes else None
    return message.offset
