"""Fetches a file over HTTP, and goes on where it broke off.

A broken connection, a silent or overloaded server is tried again with growing pauses. The rest of a file is
asked for with ``Range``, on condition that the file is still the same (``If-Range``).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from vidlabel.core.errors import DownloadError
from vidlabel.ml.fetching import Fetching
from vidlabel.ml.network import explain, explain_status, open_client
from vidlabel.ml.part import Known, megabytes

if TYPE_CHECKING:
    import httpx2

_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class Transfer(Fetching):
    """Over HTTP."""

    _response: httpx2.Response | None = None

    def run(self) -> None:
        """Asks, receives, and tries again where that may help."""
        import httpx2

        self.part.take_up(self.remote.url, self.stop.is_set)
        if self._is_complete() and self.check_hash():
            return
        failures, reached = 0, self.part.done
        with open_client(self.what, self.patience) as client:
            while True:
                self.leave_if_stopped()
                wish: float | None = None
                try:
                    self._attempt(client)
                    if self.check_hash():
                        return
                    continue
                except _AgainError as again:
                    trouble, wish = again.trouble, again.wish_s
                except (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError) as error:
                    self.leave_if_stopped()
                    trouble = explain(self.what, self.remote.url, error)
                    if not self.received and _hopeless(error):
                        raise trouble from error
                # Counted by what is new: a server that begins anew every time would be asked for ever.
                failures = 1 if self.part.done > reached else failures + 1
                reached = max(reached, self.part.done)
                if failures >= self.patience.tries:
                    raise trouble
                self.stop.wait(self.patience.wait_s(failures, wish))

    def wake(self) -> None:
        """Shuts the connection, which ends a wait for bytes at once."""
        response = self._response
        stream = None if response is None else response.extensions.get("network_stream")
        connection = None if stream is None else stream.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):  # It may have ended by itself.
                connection.shutdown(socket.SHUT_RDWR)

    def _is_complete(self) -> bool:
        """Whether an earlier call fetched it all, but could not give it its name any more."""
        known = self.part.known
        if known is None or self.part.checksum is None or known.total != self.part.done:
            return False
        self.total = known.total
        return True

    def _attempt(self, client: httpx2.Client) -> None:
        """One request, and its answer to the end."""
        headers = dict(self.remote.headers)
        known = self.part.known
        if self.part.done:
            headers["Range"] = f"bytes={self.part.done}-"
            if known is not None and known.validator:
                headers["If-Range"] = known.validator
        with client.stream("GET", self.remote.url, headers=headers) as response:
            self._response = response
            self.leave_if_stopped()
            if self._take(response):
                self.check_room()
                self._receive(response)
        if self.total is not None and self.part.done < self.total:
            raise _AgainError(DownloadError(self.what, _broke_off(self.part.done, self.total)))

    def _take(self, response: httpx2.Response) -> bool:
        """Whether the answer's body is the file or what is missing of it; False if nothing is missing."""
        status, headers = response.status_code, response.headers
        part = self.part
        if status == 416:
            complete = headers.get("content-range", "").endswith(f"/{part.done}")
            if complete and part.done:
                self.total = part.done
                return False
            self._begin_again("the server does not have the rest of it")
        if status in _RETRIED:
            trouble = explain_status(self.what, self.remote.url, status)
            raise _AgainError(trouble, wish_s=_retry_after(headers.get("retry-after", "")))
        if status not in (200, 206):
            raise explain_status(self.what, str(response.url), status)
        self._refuse_other_content(response)
        length = headers.get("content-length", "")
        rest = int(length) if length.isdigit() else None
        if status == 206:
            place = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+|\*)", headers.get("content-range", "").strip())
            total = int(place[3]) if place and place[3] != "*" else None
            if place is None or int(place[1]) != part.done or self._is_another(total):
                self._begin_again("the server sent another part than was asked for")
            self.total = total if total is not None else self.total
        else:
            if self._is_another(rest) and self.remote.size is not None:
                raise DownloadError(
                    self.what,
                    f"what lies at {self.remote.url} has {rest} bytes, the published file {self.remote.size}. "
                    "Try again later, or another mirror.",
                    kind="hash",
                )
            part.begin(Known(self.remote.url, rest, _validator(headers)))
            self.total = rest if rest is not None else self.remote.size
        return True

    def _receive(self, response: httpx2.Response) -> None:
        with self.part.open() as file:
            for block in response.iter_raw():
                self.leave_if_stopped()
                self.part.add(file, block)
                self.received += len(block)
                if self.total is not None and self.part.done > self.total:
                    self._begin_again("the server sent more than the file has")

    def _is_another(self, total: int | None) -> bool:
        """Whether a file of so many bytes is not the one wanted."""
        wanted = self.remote.size
        if wanted is None and self.part.done and self.part.known is not None:
            wanted = self.part.known.total
        return wanted is not None and total is not None and wanted != total

    def _refuse_other_content(self, response: httpx2.Response) -> None:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding not in ("", "identity"):
            reason = f"it comes packed ({encoding}), though it was asked for as it is. A proxy may do that."
            raise DownloadError(self.what, reason)
        if response.headers.get("content-type", "").startswith("text/html"):
            raise DownloadError(
                self.what,
                f"{response.url.host} sent a web page instead of the file. Does this network want a log-in first?",
            )

    def _begin_again(self, reason: str) -> None:
        self.part.forget()
        raise _AgainError(DownloadError(self.what, f"{reason}. Try again later."))


class _AgainError(Exception):
    """It may go better the next time. ``wish_s``: after so many seconds, as the server wishes."""

    def __init__(self, trouble: DownloadError, wish_s: float | None = None) -> None:
        super().__init__(str(trouble))
        self.trouble = trouble
        self.wish_s = wish_s


def _hopeless(error: Exception) -> bool:
    """Before the first byte: whether trying again would only keep the person waiting for the same answer."""
    import httpx2

    unreachable = httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.ProxyError
    return isinstance(
        error, unreachable | httpx2.TooManyRedirects | httpx2.UnsupportedProtocol | httpx2.InvalidURL
    )


def _validator(headers: Mapping[str, str]) -> str:
    """What ``If-Range`` may carry: a strong tag, else the time of the last change."""
    tag = headers.get("etag", "")
    return tag if tag and not tag.startswith("W/") else headers.get("last-modified", "")


def _retry_after(value: str) -> float | None:
    return float(value) if value.strip().isdigit() else None


def _broke_off(done: int, total: int) -> str:
    return f"the connection broke off after {megabytes(done)} of {megabytes(total)}. Try again: it goes on from there."
