"""A real HTTP server with files on it, and with all that can go wrong between a server and a download."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Misbehaviour = Callable[["Handler", bytes], None]


@dataclass
class Asked:
    """One request, and how many bytes of a body it got."""

    path: str
    headers: dict[str, str]
    sent: int = 0


@dataclass
class WeightsServer:
    """What is served. ``troubles``: what the next requests for a path meet instead of the file, in turn."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    troubles: dict[str, list[Misbehaviour]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    ranges: bool = True
    etags: bool = True
    closing: threading.Event = field(default_factory=threading.Event)

    def add(self, name: str, content: bytes) -> str:
        """Serves a file; answers its address."""
        self.files[f"/{name}"] = content
        return f"{self.url}/{name}"

    def trouble(self, name: str, *misbehaviours: Misbehaviour) -> None:
        """The next requests for this file go wrong."""
        self.troubles.setdefault(f"/{name}", []).extend(misbehaviours)

    def add_repository(self, name: str, files: dict[str, bytes], *, revision: str = "c0ffee" * 6) -> None:
        """A repository as the hub lists and serves it; large files carry their SHA-256."""
        siblings = [
            {
                "rfilename": file,
                "size": len(content),
                "blobId": hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest(),
                **(
                    {}
                    if file.endswith((".md", ".json", ".bin"))
                    else {"lfs": {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content),
                                  "pointerSize": 134}}
                ),
            }
            for file, content in files.items()
        ]  # fmt: skip
        about = {"id": name, "sha": revision, "siblings": siblings, "tags": [], "downloads": 0}
        self.files[f"/api/models/{name}"] = json.dumps(about).encode()
        for file, content in files.items():
            self.files[f"/{name}/resolve/{revision}/{file}"] = content


class Handler(BaseHTTPRequestHandler):
    """Serves ranges, or does what it was told to do wrong."""

    protocol_version = "HTTP/1.1"
    serves: WeightsServer

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked = Asked(path, {name.lower(): value for name, value in self.headers.items()})
        self.serves.asked.append(self.asked)
        troubles = self.serves.troubles.get(path)
        content = self.serves.files.get(path)
        try:
            if troubles:
                troubles.pop(0)(self, content or b"")
            elif content is None:
                self.status(404)
            else:
                self.give(content)
        except OSError:
            self.close_connection = True  # The other side left.

    def give(self, content: bytes, *, until: int | None = None, silent_at: int | None = None) -> None:
        """The file or the range asked for.

        ``until``: so many bytes, then the connection breaks. ``silent_at``: after so many nothing more comes
        until the test closes the server or lets it go on.
        """
        tag = f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'
        begin = self._begin(content, tag)
        self.send_response(206 if begin else 200)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        if self.serves.etags:
            self.send_header("ETag", tag)
        self.send_header("Content-Type", self._type())
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        rest = content[begin:] if until is None else content[begin : begin + until]
        self._send(rest[:silent_at])
        if silent_at is not None:
            self.serves.closing.wait(20)
            self._send(rest[silent_at:])
        if until is not None:
            self.close_connection = True

    def _send(self, content: bytes) -> None:
        for start in range(0, len(content), 65536):
            self.wfile.write(content[start : start + 65536])
            self.asked.sent += len(content[start : start + 65536])

    def status(self, status: int, **headers: str) -> None:
        """An answer without the file."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _begin(self, content: bytes, tag: str) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or not self.serves.ranges or self.headers.get("If-Range", tag) != tag:
            return 0
        return int(asked[1])

    def _type(self) -> str:
        return "application/json" if self.path.startswith("/api/") else "application/octet-stream"

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


def fails(status: int, **headers: str) -> Misbehaviour:
    """Answers with a status instead of the file."""
    return lambda handler, _content: handler.status(status, **headers)


def drops_after(count: int) -> Misbehaviour:
    """Breaks the connection in the middle of the file."""
    return lambda handler, content: handler.give(content, until=count)


def gives(other: bytes) -> Misbehaviour:
    """Another file than the one wanted."""
    return lambda handler, _content: handler.give(other)


def sends_to(url: str) -> Misbehaviour:
    """A redirect."""
    return lambda handler, _content: handler.status(302, Location=url)


def hangs_after(count: int) -> Misbehaviour:
    """Sends some bytes, keeps the connection and falls silent."""

    def misbehave(handler: Handler, content: bytes) -> None:
        if count == 0:
            handler.serves.closing.wait(20)
        handler.give(content, silent_at=count)

    return misbehave


def shows_a_web_page() -> Misbehaviour:
    """What a hotel's network answers to everything."""

    def misbehave(handler: Handler, _content: bytes) -> None:
        page = b"<html>Please log in</html>"
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html; charset=utf-8")
        handler.send_header("Content-Length", str(len(page)))
        handler.end_headers()
        handler.wfile.write(page)

    return misbehave


def without_length() -> Misbehaviour:
    """A server that does not say how long the file is, and ends by closing the connection."""

    def misbehave(handler: Handler, content: bytes) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(content)
        handler.close_connection = True

    return misbehave


@contextmanager
def serving() -> Iterator[WeightsServer]:
    """The server, on a port of its own of this computer, until the block ends."""
    served = WeightsServer()
    handler = type("ServingHandler", (Handler,), {"serves": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        served.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield served
        finally:
            served.closing.set()
            server.shutdown()
            thread.join()
