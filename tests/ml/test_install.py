"""From a published file on a real server to an installed model."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest
import torch
from safetensors.torch import save

from tests.helpers.tiny_models import (
    HUB,
    REPOSITORY,
    TORCHVISION,
    Published,
    convert_here,
    pickled,
    publish,
    state,
)
from tests.helpers.weights_server import drops_after, fails, gives, hangs_after, serving, shows_a_web_page
from vidlabel.core.catalogue import published_model
from vidlabel.core.errors import DownloadError, ModelError, StoppedError
from vidlabel.ml import install as install_module
from vidlabel.ml.catalogue import find_model, list_models
from vidlabel.ml.download import Progress
from vidlabel.ml.install import Event, Installed, Started, Step, downloads_folder, install, installed
from vidlabel.ml.modelfile import load_model
from vidlabel.ml.network import Patience

QUICK = Patience(connect_s=2, silent_s=2, tries=3, first_wait_s=0.01, longest_wait_s=0.05)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Published]:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "VIDLABEL_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    with serving() as server:
        made = publish(server, tmp_path)
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        yield made


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests convert here; those marked ``apart`` do it as the program does."""
    if request.node.get_closest_marker("usefixtures") is None:
        monkeypatch.setattr(install_module, "convert_apart", convert_here)


@pytest.fixture
def apart() -> None:
    """For ``usefixtures``: converts in a process of its own."""


def get(name: str = TORCHVISION, **more: object) -> Installed:
    return install(published_model(name), patience=QUICK, **more)  # type: ignore[arg-type]


def left() -> list[str]:
    """What lies among the downloads, without the locks."""
    return sorted(
        path.name for path in downloads_folder().rglob("*") if path.is_file() and path.suffix != ".lock"
    )


@pytest.mark.usefixtures("apart")
def test_a_published_model_becomes_an_installed_one(published):
    told: list[Event] = []
    outcome = get(tell=told.append)
    model = outcome.model
    assert model.path.name == f"{model.hash}.safetensors"
    assert find_model(TORCHVISION) == model and installed(published_model(TORCHVISION)) == model
    assert model.card["published_scores"][0]["source"] == "this test"
    wanted = state()
    loaded = load_model(model.path).module.state_dict()
    assert all(torch.equal(value, wanted[key]) for key, value in loaded.items())
    assert told[0] == Step("looking it up") and Started(TORCHVISION, len(published.content)) in told
    assert [one for one in told if isinstance(one, Progress)][-1].done == len(published.content)
    assert told[-1] == Step("converting")
    assert left() == []


def test_installing_again_fetches_nothing(published):
    first = get()
    asked = len(published.server.asked)
    again = get()
    assert again.fetched is None and again.model == first.model
    assert len(published.server.asked) == asked


def test_the_same_download_makes_the_same_file(published):
    first = get().model
    first.path.unlink()
    assert get().model.hash == first.hash


def test_the_download_is_kept_if_asked_for(published):
    outcome = get(keep_download=True)
    assert outcome.download is not None and outcome.download.read_bytes() == published.content
    outcome.model.path.unlink()
    asked = len(published.server.asked)
    assert get().model.hash == outcome.model.hash
    assert len(published.server.asked) == asked, "what was kept is used"


def test_the_hub_is_asked_for_its_files_and_safetensors_preferred(published):
    model = get(HUB).model
    paths = [asked.path for asked in published.server.asked]
    assert paths == [f"/api/models/{REPOSITORY}", f"/{REPOSITORY}/resolve/{'c0ffee' * 6}/model.safetensors"]
    assert model.card["revision"] == "c0ffee" * 6
    assert torch.equal(
        load_model(model.path).module.state_dict()["head.weight"], state(seed=2)["head.weight"]
    )


def test_the_hub_is_told_nothing_about_this_computer(published):
    get(HUB)
    agents = {asked.headers["user-agent"] for asked in published.server.asked}
    assert all("vidlabel" in agent and "torch" not in agent and "agent/" not in agent for agent in agents)
    assert not any("authorization" in asked.headers for asked in published.server.asked)


def test_a_repository_with_state_dicts_only(published):
    published.server.add_repository(REPOSITORY, {"config.json": b"{}", "best.pth": pickled(state(seed=3))})
    model = get(HUB).model
    assert torch.equal(
        load_model(model.path).module.state_dict()["head.weight"], state(seed=3)["head.weight"]
    )


def test_a_small_file_is_checked_by_gits_hash(published):
    content = pickled(state(seed=3))
    published.server.add_repository(REPOSITORY, {"pytorch_model.bin": content})
    published.server.trouble(
        f"{REPOSITORY}/resolve/{'c0ffee' * 6}/pytorch_model.bin", gives(content[:-1] + b"?")
    )
    with pytest.raises(DownloadError) as caught:
        get(HUB)
    assert caught.value.kind == "hash"
    assert get(HUB).model.name == HUB


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (404, "HTTP 404"),
        (403, "HF_TOKEN"),
        (401, "HF_TOKEN|HTTP 404|HTTP 401"),
        (500, "busy or out of order"),
    ],
)
def test_a_hub_that_refuses_is_told_in_words(published, status, words):
    published.server.trouble(f"api/models/{REPOSITORY}", *[fails(status)] * 5)
    with pytest.raises(DownloadError, match=words) as caught:
        get(HUB)
    assert caught.value.kind == "network"


def test_something_else_at_the_hubs_address(published):
    published.server.trouble(f"api/models/{REPOSITORY}", shows_a_web_page())
    with pytest.raises(DownloadError, match="HF_ENDPOINT"):
        get(HUB)


def test_a_repository_without_weights(published):
    published.server.add_repository(REPOSITORY, {"README.md": b"# soon"})
    with pytest.raises(ModelError, match=r"holds no weights: README\.md"):
        get(HUB)


def test_a_repository_cannot_write_elsewhere(published, tmp_path):
    published.server.add_repository(REPOSITORY, {"../../../escaped.safetensors": save(state(seed=2))})
    with pytest.raises((DownloadError, ModelError)):
        get(HUB)
    assert not list(tmp_path.rglob("escaped*"))


@pytest.mark.parametrize("name", [TORCHVISION, HUB])
@pytest.mark.parametrize("setting", ["VIDLABEL_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_nothing_is_asked(published, monkeypatch, name, setting):
    monkeypatch.setenv(setting, "1")
    with pytest.raises(DownloadError) as caught:
        get(name)
    assert caught.value.kind == "offline" and setting in str(caught.value)
    assert published.server.asked == []


def test_a_folder_is_a_mirror_also_offline(published, monkeypatch, tmp_path):
    (tmp_path / "usb").mkdir()
    (tmp_path / "usb" / published.file).write_bytes(published.content)
    monkeypatch.setenv("VIDLABEL_WEIGHTS_MIRROR", str(tmp_path / "usb"))
    monkeypatch.setenv("VIDLABEL_OFFLINE", "1")
    assert get().model.name == TORCHVISION
    assert published.server.asked == []


def test_torchvisions_own_address_is_asked_of_its_enum(monkeypatch):
    monkeypatch.delenv("VIDLABEL_WEIGHTS_MIRROR", raising=False)
    monkeypatch.delenv("VIDLABEL_CATALOGUE", raising=False)
    from vidlabel.ml.sources import find_source

    source = find_source(published_model("r3d_18"), QUICK)
    assert source.remote.url == "https://download.pytorch.org/models/r3d_18-b3b3357e.pth"
    assert source.remote.checksum is not None and source.remote.checksum.value == "b3b3357e"


def test_a_truncated_download_is_no_model(published):
    published.server.trouble(published.file, *[drops_after(1000)] + [fails(500)] * 3)
    with pytest.raises(DownloadError):
        get()
    assert list_models()[0].name == "bundled" and len(list_models()) == 1
    outcome = get()
    assert outcome.fetched is not None and outcome.fetched.resumed == 1000


def test_a_wrong_hash_installs_nothing(published):
    published.publish(pickled(state(seed=9)))
    with pytest.raises(DownloadError) as caught:
        get()
    assert caught.value.kind == "hash"
    assert len(list_models()) == 1 and left() == []


@pytest.mark.usefixtures("apart")
def test_weights_of_another_network_install_nothing_and_say_so(published):
    published.server.add_repository(
        REPOSITORY, {"model.safetensors": save({"fc.weight": torch.zeros(51, 4)})}
    )
    with pytest.raises(ModelError, match=f"{HUB}.*not those of compact3d"):
        get(HUB)
    assert len(list_models()) == 1 and left() == []


def test_stopped_while_fetching_it_goes_on_later(published):
    published.server.trouble(published.file, hangs_after(20_000))
    stop = threading.Event()

    def stop_at_once(event: Event) -> None:
        if isinstance(event, Progress) and event.done:
            stop.set()

    with pytest.raises(StoppedError):
        get(stop=stop, tell=stop_at_once)
    outcome = get()
    assert outcome.fetched is not None and outcome.fetched.resumed > 0


@pytest.mark.usefixtures("apart")
def test_stopped_while_converting_nothing_is_fetched_again(published):
    stop = threading.Event()
    stopped_at: list[float] = []

    def stop_then(event: Event) -> None:
        if event == Step("converting"):
            stop.set()
            stopped_at.append(perf_counter())

    with pytest.raises(StoppedError):
        get(stop=stop, tell=stop_then)
    assert perf_counter() - stopped_at[0] < 0.3
    assert len(list_models()) == 1
    asked = len(published.server.asked)
    assert get().model.name == TORCHVISION
    assert len(published.server.asked) == asked


def test_two_at_the_same_time_do_it_once(published):
    published.server.trouble(published.file, hangs_after(20_000))
    outcomes: list[Installed] = []
    told: list[Event] = []
    first = threading.Thread(target=lambda: outcomes.append(get(tell=first_tell)))
    fetching = threading.Event()

    def first_tell(event: Event) -> None:
        if isinstance(event, Started):
            fetching.set()

    def second_tell(event: Event) -> None:
        told.append(event)
        # Only now may the first go on.
        published.server.closing.set()

    first.start()
    assert fetching.wait(10)
    second = get(tell=second_tell)
    first.join()
    assert told == [Step("waiting for another install of it")]
    assert second.fetched is None and outcomes[0].fetched is not None
    assert outcomes[0].model == second.model
    assert [asked.path for asked in published.server.asked] == [f"/{published.file}"]


def test_waiting_for_another_install_can_be_stopped(published):
    stop = threading.Event()
    with (
        install_module._alone(_lock(), tell=lambda _event: None, stop=threading.Event()),
        pytest.raises(StoppedError),
    ):
        get(stop=stop, tell=lambda _event: stop.set())


def _lock() -> Path:
    downloads_folder().mkdir(parents=True)
    return downloads_folder() / f"{TORCHVISION}.lock"


def test_what_a_killed_install_left_is_swept(published):
    downloads_folder().mkdir(parents=True)
    (downloads_folder() / f"{TORCHVISION}-0000.making.safetensors").write_bytes(b"half")
    get()
    assert left() == []


def test_a_models_folder_that_takes_nothing(published, home):
    (home / "models").write_text("in the way")
    with pytest.raises(DownloadError, match="VIDLABEL_HOME") as caught:
        get()
    assert caught.value.kind == "disk"
