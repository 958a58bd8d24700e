"""Fetching a file from a real server that does all that servers and networks do."""

from __future__ import annotations

import errno
import hashlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import pytest

from tests.helpers.weights_server import (
    WeightsServer,
    drops_after,
    fails,
    gives,
    hangs_after,
    sends_to,
    serving,
    shows_a_web_page,
    without_length,
)
from vidlabel.core.errors import DownloadError, StoppedError
from vidlabel.ml import part as part_module
from vidlabel.ml.download import Fetched, Progress, fetch
from vidlabel.ml.fetching import Remote
from vidlabel.ml.network import Patience
from vidlabel.ml.part import Checksum

CONTENT = bytes(range(256)) * 4096  # 1 MiB
SHA256 = hashlib.sha256(CONTENT).hexdigest()
QUICK = Patience(connect_s=2, silent_s=2, tries=3, first_wait_s=0.01, longest_wait_s=0.05)


@pytest.fixture
def server() -> Iterator[WeightsServer]:
    with serving() as served:
        yield served


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "VIDLABEL_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def get(
    url: str,
    folder: Path,
    *,
    sha256: str = SHA256[:8],
    stop: threading.Event | None = None,
    told: list[Progress] | None = None,
    size: int | None = None,
    patience: Patience = QUICK,
) -> Fetched:
    return fetch(
        Remote(url, size=size, checksum=Checksum(sha256) if sha256 else None),
        folder / "weights.pth",
        stop=stop or threading.Event(),
        tell=(lambda _progress: None) if told is None else told.append,
        patience=patience,
    )


def refused(url: str, folder: Path, **more: object) -> DownloadError:
    with pytest.raises(DownloadError) as caught:
        get(url, folder, **more)  # type: ignore[arg-type]
    assert not (folder / "weights.pth").exists()
    return caught.value


def test_a_file_comes_whole_and_nothing_else_stays(server, tmp_path):
    told: list[Progress] = []
    fetched = get(server.add("weights.pth", CONTENT), tmp_path, told=told)
    assert fetched.path.read_bytes() == CONTENT
    assert (fetched.size, fetched.received, fetched.resumed) == (len(CONTENT), len(CONTENT), 0)
    assert [path.name for path in tmp_path.iterdir()] == ["weights.pth"]
    assert told[-1].done == told[-1].total == len(CONTENT) and told[-1].rate > 0


def test_a_broken_connection_goes_on_where_it_broke(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", drops_after(300_000), drops_after(200_000))
    assert get(url, tmp_path).path.read_bytes() == CONTENT
    assert [asked.headers.get("range") for asked in server.asked] == [None, "bytes=300000-", "bytes=500000-"]
    assert sum(asked.sent for asked in server.asked) == len(CONTENT)


def test_a_later_call_asks_for_the_rest_only(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", drops_after(700_000), fails(503), fails(503), fails(503))
    refused(url, tmp_path)
    fetched = get(url, tmp_path)
    assert fetched.path.read_bytes() == CONTENT
    assert (fetched.resumed, fetched.received) == (700_000, len(CONTENT) - 700_000)
    assert server.asked[-1].headers["if-range"].startswith('"')


def test_a_file_that_changed_meanwhile_begins_anew(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", drops_after(400_000), fails(500), fails(500), fails(500))
    refused(url, tmp_path, sha256="")
    newer = CONTENT[::-1]
    server.add("weights.pth", newer)
    assert get(url, tmp_path, sha256="").path.read_bytes() == newer


def test_a_server_without_ranges_begins_anew(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.ranges = False
    server.trouble("weights.pth", drops_after(400_000))
    assert get(url, tmp_path).path.read_bytes() == CONTENT


def test_without_tag_and_hash_nothing_is_glued_together(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.etags = False
    server.trouble("weights.pth", drops_after(400_000), fails(500), fails(500), fails(500))
    refused(url, tmp_path, sha256="")
    get(url, tmp_path, sha256="")
    assert "range" not in server.asked[-1].headers


def test_what_was_left_of_another_mirror_is_used_if_the_hash_is_right(server, tmp_path):
    first, second = server.add("a/weights.pth", CONTENT), server.add("b/weights.pth", CONTENT)
    server.trouble("a/weights.pth", drops_after(600_000), fails(500), fails(500), fails(500))
    refused(first, tmp_path)
    assert get(second, tmp_path).resumed == 600_000


def test_a_part_that_was_damaged_on_disk_is_fetched_again(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", drops_after(600_000), fails(500), fails(500), fails(500))
    refused(url, tmp_path)
    left = tmp_path / "weights.pth.part"
    left.write_bytes(bytes(len(left.read_bytes())))
    assert get(url, tmp_path).path.read_bytes() == CONTENT


def test_a_complete_part_needs_no_network(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", drops_after(len(CONTENT) - 1), fails(500), fails(500), fails(500))
    refused(url, tmp_path)
    with (tmp_path / "weights.pth.part").open("ab") as left:
        left.write(CONTENT[-1:])
    asked = len(server.asked)
    assert get(url, tmp_path).received == 0
    assert len(server.asked) == asked


def test_a_wrong_hash_is_refused_and_thrown_away(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    error = refused(url, tmp_path, sha256="0" * 8)
    assert error.kind == "hash" and "not the published file" in str(error) and "weights.pth" in str(error)
    assert list(tmp_path.iterdir()) == []


def test_a_hash_of_git_is_checked_too(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    git = hashlib.sha1(b"blob %d\0" % len(CONTENT) + CONTENT, usedforsecurity=False).hexdigest()
    remote = Remote(url, size=len(CONTENT), checksum=Checksum(git, "git"))
    fetch(remote, tmp_path / "weights.pth", stop=threading.Event(), patience=QUICK)
    server.trouble("weights.pth", gives(CONTENT[::-1]))
    with pytest.raises(DownloadError, match="not the published file"):
        fetch(remote, tmp_path / "other.pth", stop=threading.Event(), patience=QUICK)


def test_another_size_than_published_is_refused_before_it_is_fetched(server, tmp_path):
    error = refused(server.add("weights.pth", CONTENT), tmp_path, size=len(CONTENT) + 1)
    assert error.kind == "hash" and str(len(CONTENT)) in str(error)


@pytest.mark.parametrize(
    ("status", "words", "asked"),
    [
        (404, "there is no", 1),
        (403, "does not give it", 1),
        (500, "busy or out of order", 3),
        (418, "HTTP 418", 1),
    ],
)
def test_a_refusal_is_told_in_words(server, tmp_path, status, words, asked):
    server.trouble("weights.pth", *[fails(status)] * 4)
    error = refused(server.add("weights.pth", CONTENT), tmp_path)
    assert error.kind == "network" and words in str(error) and "weights.pth" in str(error)
    assert len(server.asked) == asked


def test_a_server_that_recovers_is_asked_again(server, tmp_path):
    server.trouble("weights.pth", fails(500), fails(503, Retry_After="0"))
    assert get(server.add("weights.pth", CONTENT), tmp_path).path.read_bytes() == CONTENT


def test_redirects_are_followed(server, tmp_path):
    elsewhere = server.add("cdn/abc", CONTENT)
    server.trouble("weights.pth", sends_to(elsewhere))
    assert get(f"{server.url}/weights.pth", tmp_path).path.read_bytes() == CONTENT


def test_circles_are_not(server, tmp_path):
    server.trouble("weights.pth", *[sends_to(f"{server.url}/weights.pth")] * 30)
    assert "in circles" in str(refused(f"{server.url}/weights.pth", tmp_path))


def test_a_log_in_page_is_no_model(server, tmp_path):
    server.trouble("weights.pth", shows_a_web_page())
    assert "log-in" in str(refused(f"{server.url}/weights.pth", tmp_path))


def test_a_server_that_names_no_length(server, tmp_path):
    server.trouble("weights.pth", without_length())
    told: list[Progress] = []
    assert get(server.add("weights.pth", CONTENT), tmp_path, told=told).path.read_bytes() == CONTENT


def test_cut_short_without_a_length_is_found_by_the_size(server, tmp_path):
    server.add("weights.pth", CONTENT[:1000])
    server.trouble("weights.pth", *[without_length()] * 6)
    assert "broke off" in str(refused(f"{server.url}/weights.pth", tmp_path, size=len(CONTENT)))


def test_a_server_that_falls_silent_is_left(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", *[hangs_after(0)] * 3)
    patience = Patience(silent_s=0.1, tries=2, first_wait_s=0.01)
    assert "does not answer" in str(refused(url, tmp_path, patience=patience))


def test_nobody_at_that_address(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
        port = taken.getsockname()[1]
        begin = perf_counter()
        error = refused(f"http://127.0.0.1:{port}/weights.pth", tmp_path, patience=Patience())
    assert "cannot be reached" in str(error) and "127.0.0.1" in str(error)
    assert perf_counter() - begin < 2, "without a network nobody wants to wait for five tries"


def test_no_such_server(tmp_path):
    error = refused("http://no-such-server.invalid/weights.pth", tmp_path, patience=Patience())
    assert error.kind == "network" and "no-such-server.invalid" in str(error)


@pytest.mark.parametrize("setting", ["VIDLABEL_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_nothing_is_asked(server, tmp_path, monkeypatch, setting):
    monkeypatch.setenv(setting, "1")
    error = refused(server.add("weights.pth", CONTENT), tmp_path)
    assert error.kind == "offline" and setting in str(error) and "models import" in str(error)
    assert server.asked == []


def test_a_folder_serves_as_a_mirror_offline(tmp_path, monkeypatch):
    monkeypatch.setenv("VIDLABEL_OFFLINE", "1")
    source = tmp_path / "usb" / "weights.pth"
    source.parent.mkdir()
    source.write_bytes(CONTENT)
    assert get(str(source), tmp_path / "here").path.read_bytes() == CONTENT
    assert "there is no" in str(refused(str(tmp_path / "none.pth"), tmp_path / "there"))


def test_the_proxy_of_the_environment_is_used(server, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", server.url)
    server.files["http://files.invalid/weights.pth"] = CONTENT
    assert get("http://files.invalid/weights.pth", tmp_path).path.read_bytes() == CONTENT
    monkeypatch.setenv("HTTP_PROXY", "nonsense://")
    assert "proxy" in str(refused("http://files.invalid/other.pth", tmp_path / "other"))


def test_stopping_leaves_at_once_and_keeps_what_came(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", hangs_after(500_000))
    stop = threading.Event()
    stopped_at: list[float] = []

    def stop_when_half_is_there(progress: Progress) -> None:
        if progress.done >= 500_000 and not stop.is_set():
            stopped_at.append(perf_counter())
            stop.set()

    with pytest.raises(StoppedError):
        fetch(
            Remote(url, checksum=Checksum(SHA256)),
            tmp_path / "weights.pth",
            stop=stop,
            tell=stop_when_half_is_there,
            patience=Patience(silent_s=60),
        )
    assert perf_counter() - stopped_at[0] < 0.3
    fetched = get(url, tmp_path, sha256=SHA256)
    assert fetched.resumed >= 500_000 and fetched.path.read_bytes() == CONTENT


def test_stopping_does_not_wait_for_a_silent_server(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", hangs_after(0))
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    timer.start()
    begin = perf_counter()
    with pytest.raises(StoppedError):
        get(url, tmp_path, stop=stop, patience=Patience(silent_s=3))
    assert perf_counter() - begin < 1.5
    timer.join()


def test_ctrl_c_ends_the_thread_too(server, tmp_path):
    url = server.add("weights.pth", CONTENT)
    server.trouble("weights.pth", hangs_after(500_000))
    stop = threading.Event()

    def interrupt(_progress: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(Remote(url), tmp_path / "weights.pth", stop=stop, tell=interrupt, patience=QUICK)
    assert stop.is_set()


def test_room_is_looked_for_before_anything_is_fetched(server, tmp_path, monkeypatch):
    monkeypatch.setattr(part_module.shutil, "disk_usage", lambda _folder: SimpleNamespace(free=1_000_000))
    error = refused(server.add("weights.pth", CONTENT), tmp_path)
    assert error.kind == "disk" and "1 MB" in str(error) and "Make room" in str(error)


def test_a_disk_that_fills_up_keeps_what_was_fetched(server, tmp_path, monkeypatch):
    url = server.add("weights.pth", CONTENT)
    add = part_module.Part.add

    def full(self, file, block):
        if self.done > 300_000:
            raise OSError(errno.ENOSPC, "No space left on device")
        add(self, file, block)

    with monkeypatch.context() as patched:
        patched.setattr(part_module.Part, "add", full)
        error = refused(url, tmp_path)
    assert error.kind == "disk" and "No space left" in str(error)
    assert get(url, tmp_path).resumed > 300_000


def test_a_folder_that_takes_nothing_is_named(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DownloadError, match="cannot be written") as caught:
        get(server.add("weights.pth", CONTENT), tmp_path / "file")
    assert caught.value.kind == "disk"
