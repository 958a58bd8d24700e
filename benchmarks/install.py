"""How fast a model is installed against a bare copy of the same file, and what stopping and resuming cost."""

from __future__ import annotations

import gc
import hashlib
import io
import json
import multiprocessing
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

from benchmarks.report import Report, run

_LARGE_MB, _QUICK_MB = 100, 20
_BLOCK = 1 << 20
_STOP_AT = 0.4
_NAME = "install_benchmark"


def measure(quick: bool) -> Report:
    """Downloads, bare copies, an interruption, stops, and whole installs, each from the same local server."""
    pairs, stops = (5, 5) if quick else (7, 9)
    size = (_QUICK_MB if quick else _LARGE_MB) * 1_000_000
    with tempfile.TemporaryDirectory(prefix="vidlabel-install-") as name:
        folder = Path(name)
        content = _weights(size)
        file = folder / "published.pth"
        file.write_bytes(content)
        with _serving(file) as server:
            _publish(folder, server, content)
            bare, ours = _rates(server, folder, content, pairs)
            refetched = _refetched(server, folder, content)
            cancel_ms = _stops(server, folder, content, stops)
            whole = _whole_install(folder)
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    megabytes = len(content) / 1e6
    return Report(
        name="install",
        figures={
            "of_bare": statistics.median(ratios),
            "download_mb_s": statistics.median(ours) / 1e6,
            "resume_refetched_share": refetched,
            "cancel_ms": max(cancel_ms),
            "cancel_median_ms": statistics.median(cancel_ms),
            "install_s": whole["install_s"],
            "convert_s": whole["convert_s"],
            "peak_mb": whole["peak_mb"],
            "convert_peak_mb": whole["convert_peak_mb"],
            "file_mb": megabytes,
            "pairs": pairs,
        },
        baselines={"bare_copy_mb_s": statistics.median(bare) / 1e6},
        goals={
            "of_bare": {"at_least": 0.5},
            "resume_refetched_share": {"at_most": 0.02},
            "cancel_ms": {"at_most": 300},
        },
    )


@dataclass(frozen=True)
class _Server:
    """A server in a process of its own. ``silent_after``: so many bytes has the next answer, then it is silent."""

    url: str
    silent_after: Any
    sent: Any


@contextmanager
def _serving(file: Path) -> Iterator[_Server]:
    # A process: in a thread it would take turns with the download it is to be measured with.
    processes = multiprocessing.get_context("spawn")
    silent_after, sent, port = (processes.Value("q", value) for value in (-1, 0, 0))
    serving = processes.Process(target=_serve, args=(file, silent_after, sent, port), daemon=True)
    serving.start()
    pause = threading.Event()
    while not port.value:
        pause.wait(0.01)
    yield _Server(f"http://127.0.0.1:{port.value}", silent_after, sent)
    serving.terminate()
    serving.join()


def _serve(file: Path, silent_after: Any, sent: Any, port: Any) -> None:
    content = memoryview(file.read_bytes())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "bytes=0-")
            begin = int(asked.removeprefix("bytes=").partition("-")[0])
            self.send_response(206 if begin else 200)
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
            self.send_header("ETag", '"one"')
            self.send_header("Content-Length", str(len(content) - begin))
            self.end_headers()
            silent, silent_after.value = silent_after.value, -1
            end = len(content) if silent < 0 else begin + silent
            try:
                for start in range(begin, end, _BLOCK):
                    block = content[start : min(end, start + _BLOCK)]
                    self.wfile.write(block)
                    sent.value += len(block)
                if silent >= 0:
                    self.close_connection = True
                    threading.Event().wait(10)
            except OSError:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        port.value = server.server_address[1]
        server.serve_forever()


def _weights(size: int) -> bytes:
    """A state dict of about so many bytes, of a network that this program has."""
    import torch

    from vidlabel.ml.networks import build

    # Most of them lie in the last block: a little over three times the square of the last width.
    width = int((size / 4 / 3.24) ** 0.5)
    network = build("compact3d", labels=51, **_arguments(width))
    file = io.BytesIO()
    torch.save(network.state_dict(), file)
    return file.getvalue()


def _arguments(width: int) -> dict[str, Any]:
    return {"widths": [8, 16, width], "blocks": [1, 1], "time_strides": [1, 2]}


def _publish(folder: Path, server: _Server, content: bytes) -> None:
    """Writes the catalogue and points this process, and those it starts, to it."""
    width = _last_width(content)
    file = f"weights-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    entry = {
        "name": _NAME, "title": "", "summary": "", "when": "", "network": "compact3d",
        "network_args": _arguments(width), "origin": "torchvision", "weights": "", "repository": "",
        "file": file, "sha256_start": "", "download_bytes": len(content), "download_exact": True,
        "parameters": 0, "gmacs": 0.0, "published_gflops": None,
        "preprocessing": {"frames": 4, "height": 32, "width": 32}, "frame_rate": None,
        "classes": "hmdb51", "trained_on": "", "licence": "", "scores": [], "notes": [],
    }  # fmt: skip
    (folder / "catalogue.json").write_text(json.dumps({"models": [entry]}), encoding="utf-8")
    os.environ |= {
        "VIDLABEL_HOME": str(folder / "home"),
        "VIDLABEL_CATALOGUE": str(folder / "catalogue.json"),
        "VIDLABEL_WEIGHTS_MIRROR": server.url,
    }
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "VIDLABEL_OFFLINE", "HF_HUB_OFFLINE"):
        os.environ.pop(name, None)


def _last_width(content: bytes) -> int:
    import torch

    return int(torch.load(io.BytesIO(content), weights_only=True)["head.weight"].shape[1])


def _rates(server: _Server, folder: Path, content: bytes, pairs: int) -> tuple[list[float], list[float]]:
    """Bytes a second of bare copies and of our downloads, in turn; the first pair only warms up."""
    bare: list[float] = []
    ours: list[float] = []
    for pair in range(pairs + 1):
        # Which goes first changes: what else the computer does hits both alike.
        order = (_bare_copy, _download) if pair % 2 else (_download, _bare_copy)
        seconds = {one: one(server, folder / "fetched.pth", content) for one in order}
        if pair:
            bare.append(len(content) / seconds[_bare_copy])
            ours.append(len(content) / seconds[_download])
    return bare, ours


def _bare_copy(server: _Server, place: Path, content: bytes) -> float:
    """A socket read into a file and nothing else: no hash, no progress, no resume."""
    gc.collect()
    begin = perf_counter()
    address = urlsplit(server.url)
    received = 0
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        connection.sendall(b"GET /weights HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        with place.open("wb") as file:
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            body = head.partition(b"\r\n\r\n")[2]
            file.write(body)
            received += len(body)
            while received < len(content) and (block := connection.recv(_BLOCK)):
                file.write(block)
                received += len(block)
    seconds = perf_counter() - begin
    assert received == len(content)
    place.unlink()
    return seconds


def _download(server: _Server, place: Path, content: bytes) -> float:
    """What installing does: client, hash, progress, part file."""
    gc.collect()
    begin = perf_counter()
    fetched = _fetch(server, place, content, threading.Event())
    seconds = perf_counter() - begin
    assert fetched == len(content)
    place.unlink()
    return seconds


def _fetch(server: _Server, place: Path, content: bytes, stop: threading.Event) -> int:
    from vidlabel.ml.download import fetch
    from vidlabel.ml.fetching import Remote
    from vidlabel.ml.part import Checksum

    remote = Remote(f"{server.url}/weights", checksum=Checksum(hashlib.sha256(content).hexdigest()))
    return fetch(remote, place, stop=stop).size


def _stopped(server: _Server, place: Path, content: bytes) -> float:
    """Milliseconds from the stop, in the middle of a download that fell silent, to the end of the call."""
    from vidlabel.core.errors import StoppedError

    server.silent_after.value = int(len(content) * _STOP_AT)
    server.sent.value = 0
    stop = threading.Event()
    stopped_at: list[float] = []

    def stop_soon() -> None:
        while server.sent.value < int(len(content) * _STOP_AT):
            stop.wait(0.01)
        stop.wait(0.2)  # Until all of it has been received, too.
        stopped_at.append(perf_counter())
        stop.set()

    stopper = threading.Thread(target=stop_soon)
    stopper.start()
    try:
        _fetch(server, place, content, stop)
    except StoppedError:
        ended = perf_counter()
    stopper.join()
    return (ended - stopped_at[0]) * 1000


def _refetched(server: _Server, folder: Path, content: bytes) -> float:
    """After an interruption: the share of the file that came over the wire a second time."""
    place = folder / "resumed.pth"
    _stopped(server, place, content)
    _fetch(server, place, content, threading.Event())
    assert hashlib.sha256(place.read_bytes()).digest() == hashlib.sha256(content).digest()
    place.unlink()
    return int(server.sent.value) / len(content) - 1


def _stops(server: _Server, folder: Path, content: bytes, count: int) -> list[float]:
    times = []
    for number in range(count):
        place = folder / f"stopped-{number}.pth"
        times.append(_stopped(server, place, content))
        place.with_name(f"{place.name}.part").unlink()
    return times


def _whole_install(folder: Path) -> dict[str, float]:
    """One install in a process of its own: how long it and its conversion took, and their peak memory."""
    script = (
        "import json, re, resource, time\n"
        "from pathlib import Path\n"
        "from vidlabel.core.catalogue import published_model\n"
        "from vidlabel.ml.install import Step, install\n"
        "begin, converting = time.perf_counter(), []\n"
        "tell = lambda e: converting.append(time.perf_counter()) if e == Step('converting') else None\n"
        f"install(published_model('{_NAME}'), tell=tell)\n"
        "end = time.perf_counter()\n"
        # The peak of this process alone: what getrusage answers it has from the process that started it.
        "own = re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1]\n"
        "child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(json.dumps({'install_s': end - begin, 'convert_s': end - converting[0],\n"
        "                  'peak_mb': int(own) * 1.024e-3, 'convert_peak_mb': child * 1.024e-3}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert list((folder / "home" / "models").glob("*.safetensors"))
    found: dict[str, float] = json.loads(done.stdout)
    return found


if __name__ == "__main__":
    sys.exit(
        run(measure, "Installing a model: against a bare copy, after an interruption, and when stopped.")
    )
