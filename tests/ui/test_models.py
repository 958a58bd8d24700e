"""The models page in a real window: by keyboard, with real workers and a server of this computer."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from tests.helpers.model_files import other_model
from tests.helpers.weights_server import WeightsServer, fails, hangs_after, serving
from tests.ui.test_names import nameless
from vidlabel.core.paths import models_folder
from vidlabel.core.words import Calibration, ReliabilityBin
from vidlabel.services.models import Group, Presence
from vidlabel.store.project_store import ProjectStore
from vidlabel.ui.main_window import MainWindow
from vidlabel.ui.models.dialogs import RemoveModelDialog
from vidlabel.ui.models.page import ModelsPage
from vidlabel.ui.models.sections import Panel
from vidlabel.ui.parts.basics import Words

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


def press(qtbot: QtBot, window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier | None = None) -> None:
    """A key as the person presses it: to whatever has the focus."""
    qtbot.keyClick(window.focusWidget() or window, key, held or Qt.KeyboardModifier.NoModifier)


def models_page(qtbot: QtBot, window: MainWindow) -> ModelsPage:
    """The models page, reached by its key, when it knows what there is."""
    press(qtbot, window, KEY.Key_4, CONTROL)
    page = window.places.page("models")
    assert isinstance(page, ModelsPage)
    qtbot.waitUntil(lambda: bool(page.list.model_keys()), timeout=10_000)
    return page


def words_of(page: ModelsPage) -> str:
    """All words on the card."""
    shown = [words for words in page.card.findChildren(Words) if words.isVisibleTo(page.card)]
    return "\n".join(f"{words.text()} {words.accessibleName()}" for words in shown)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WeightsServer]:
    with serving() as server:
        monkeypatch.setenv("VIDLABEL_WEIGHTS_MIRROR", server.url)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        yield server


# --- pages -------------------------------------------------------------------------------------------
def test_start_up_builds_and_loads_nothing_of_the_models_page(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom vidlabel import app\nprogram = app.build(None)\n"
        "print([name for name in sys.modules if 'models' in name and name.startswith('vidlabel')\n"
        "       or name in ('pyqtgraph', 'numpy')])\nprogram.workbench.engine.stop_and_wait()\n"
    )
    checkout = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=checkout, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


def test_the_pages_are_there_with_a_project_only(window: MainWindow) -> None:
    assert not window.actions_table["page.models"].isEnabled()
    assert not window.top_bar.pages.tabs["models"].isVisible()


def test_playback_waits_while_another_page_is_shown_and_goes_on_where_it_was(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    player = at_work.workbench.player
    qtbot.waitUntil(lambda: player.playing, timeout=5_000)
    row = player.row
    models_page(qtbot, at_work)
    assert not player.playing
    frame = player.info.frame if player.info else None
    qtbot.wait(150)
    assert player.info is not None and player.info.frame == frame
    assert at_work.top_bar.pages.tabs["models"].isChecked()
    press(qtbot, at_work, KEY.Key_1, CONTROL)
    assert player.playing and player.row is row
    assert at_work.player.view.hasFocus()
    assert at_work.top_bar.pages.tabs["label"].isChecked()


def test_what_was_paused_stays_paused(qtbot: QtBot, at_work: MainWindow) -> None:
    player = at_work.workbench.player
    player.pause()
    models_page(qtbot, at_work)
    press(qtbot, at_work, KEY.Key_1, CONTROL)
    assert not player.playing


def test_a_clip_that_comes_while_another_page_is_shown_waits(qtbot: QtBot, at_work: MainWindow) -> None:
    bench = at_work.workbench
    models_page(qtbot, at_work)
    other = bench.library.ids[3]
    bench.show_clip(other)
    qtbot.waitUntil(lambda: bench.player.row is not None and bench.player.row.clip_id == other, timeout=5_000)
    qtbot.waitUntil(lambda: not bench.player.playing, timeout=2_000)
    press(qtbot, at_work, KEY.Key_1, CONTROL)
    qtbot.waitUntil(lambda: bench.player.playing and bench.deciding.can_act, timeout=5_000)


@pytest.mark.parametrize("key", [KEY.Key_1, KEY.Key_S, KEY.Key_U, KEY.Key_X, KEY.Key_Space, KEY.Key_B])
def test_keys_of_the_labelling_page_act_only_there(qtbot: QtBot, at_work: MainWindow, key: Qt.Key) -> None:
    bench = at_work.workbench
    clip = bench.library.current_id
    models_page(qtbot, at_work)
    press(qtbot, at_work, key)
    press(qtbot, at_work, KEY.Key_Z, CONTROL)
    qtbot.wait(50)
    assert bench.library.current_id == clip
    assert bench.session.counts.decided == 0
    assert not bench.player.playing
    assert not bench.deciding.blind


def test_escape_and_dialogs_give_the_keyboard_back_to_the_page(qtbot: QtBot, at_work: MainWindow) -> None:
    page = models_page(qtbot, at_work)
    assert page.list.hasFocus()
    press(qtbot, at_work, KEY.Key_Tab)
    assert not page.list.hasFocus()
    press(qtbot, at_work, KEY.Key_Escape)
    assert page.list.hasFocus()
    press(qtbot, at_work, KEY.Key_K, CONTROL)
    press(qtbot, at_work, KEY.Key_Escape)
    qtbot.waitUntil(page.list.hasFocus, timeout=2_000)


def test_closing_the_project_on_the_models_page_leads_to_the_welcome_page(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    models_page(qtbot, at_work)
    at_work.actions_table["project.close"].trigger()
    qtbot.waitUntil(lambda: at_work.pages.currentWidget() is at_work.welcome, timeout=5_000)
    assert not at_work.actions_table["page.label"].isEnabled()


def test_who_turns_to_another_page_while_a_project_opens_stays_there(
    qtbot: QtBot, window: MainWindow, project: Path
) -> None:
    with qtbot.waitSignal(window.workbench.project_opened, timeout=15_000):
        window.open_path(project)
        press(qtbot, window, KEY.Key_4, CONTROL)
    page = window.places.page("models")
    assert window.places.place == "models" and isinstance(page, ModelsPage) and page.list.hasFocus()
    qtbot.waitUntil(lambda: window.workbench.player.row is not None, timeout=10_000)
    qtbot.waitUntil(lambda: not window.workbench.player.playing, timeout=5_000)


# --- the page ----------------------------------------------------------------------------------------
def test_every_control_of_the_models_page_has_a_name(qtbot: QtBot, at_work: MainWindow) -> None:
    page = models_page(qtbot, at_work)
    page.list.choose("r2plus1d_18")
    assert nameless(at_work) == []


def test_the_bundled_card_says_what_was_measured_and_the_published_ones_who_says_so(
    qtbot: QtBot, at_work: MainWindow
) -> None:
    page = models_page(qtbot, at_work)

    def titles() -> list[str]:
        return [panel.accessibleName() for panel in page.card.findChildren(Panel)]

    qtbot.waitUntil(lambda: "Accuracy, measured for vidlabel" in titles(), timeout=5_000)
    assert "silhouettes" in words_of(page)
    page.list.choose("r2plus1d_18")
    qtbot.waitUntil(lambda: "torchvision's weights page" in words_of(page), timeout=2_000)
    assert "Nothing of it was measured for vidlabel." in words_of(page)
    assert "Never suggests" in words_of(page)
    assert page.card.labels is not None and page.card.labels.why is not None
    page.card.labels.why.setFocus()
    before = words_of(page)
    press(qtbot, at_work, KEY.Key_Space)
    assert len(words_of(page)) > len(before) + 300


def test_a_damaged_file_says_why_and_can_be_removed(qtbot: QtBot, at_work: MainWindow) -> None:
    whole = other_model(models_folder() / "half.safetensors", "half")
    whole.write_bytes(whole.read_bytes()[:4000])
    page = models_page(qtbot, at_work)
    page.list.choose(str(whole))
    assert "cut short" in page.card.head.trouble.text()
    assert page.card.head.primary.isHidden()
    page.focus_list()
    press(qtbot, at_work, KEY.Key_Delete)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), RemoveModelDialog), timeout=2_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, RemoveModelDialog)
    dialog.go.click()
    qtbot.waitUntil(lambda: not whole.exists(), timeout=30_000)
    qtbot.waitUntil(lambda: str(whole) not in page.list.model_keys(), timeout=10_000)


def test_enter_puts_a_model_to_use(qtbot: QtBot, at_work: MainWindow) -> None:
    other_model(models_folder() / "gait.safetensors", "gait")
    page = models_page(qtbot, at_work)
    (key,) = [entry.key for entry in at_work.workbench.models.entries if entry.facts.name == "gait"]
    page.list.choose(key)
    press(qtbot, at_work, KEY.Key_Return)

    def active() -> bool:
        entry = page.entry
        return entry is not None and entry.presence is Presence.ACTIVE

    qtbot.waitUntil(active, timeout=60_000)
    assert page.card.head.primary.isHidden()
    assert page.card.head.state.text() == "Active in this project"
    qtbot.waitUntil(lambda: "6 of 6 clips" in page.card.head.in_project.text(), timeout=60_000)


def test_calibration_is_drawn_or_said_in_words(qtbot: QtBot, at_work: MainWindow) -> None:
    other_model(models_folder() / "gait.safetensors", "gait")
    bench = at_work.workbench
    page = models_page(qtbot, at_work)
    gait = next(entry for entry in bench.models.entries if entry.facts.name == "gait")
    page.list.choose(gait.key)
    qtbot.waitUntil(lambda: "30 more decisions needed" in page.card.calibration.words.text(), timeout=5_000)
    assert page.card.calibration.before is None

    bins = (ReliabilityBin(low=0.7, high=0.8, clips=20, confidence=0.75, accuracy=0.5),)
    better = (ReliabilityBin(low=0.4, high=0.5, clips=20, confidence=0.48, accuracy=0.5),)
    calibration = Calibration(
        model=gait.facts.hash, temperature=1.6, clips=84, ece_before=0.25, ece_after=0.02,
        bins_before=bins, bins_after=better, fitted_at_us=1,
    )  # fmt: skip

    def keep(store: ProjectStore) -> object:
        store.register_model(gait.facts.hash, "gait", gait.facts.labels, {})
        return store.calibrations.keep(calibration)

    bench.session.write(keep)  # type: ignore[arg-type]
    qtbot.waitUntil(lambda: page.card.calibration.before is not None, timeout=10_000)
    section = page.card.calibration
    assert section.before is not None and section.after is not None
    assert "84 decided clips" in section.words.text()
    assert (section.before_words.text(), section.after_words.text()) == (
        "Before · ECE 25.0\u00a0%", "After · ECE 2.0\u00a0%",
    )  # fmt: skip
    assert section.before.bins == bins
    assert "50 % of 20 clips right" in section.before.accessibleDescription()
    bench.settings.theme = "light"
    assert not section.after.grab().isNull()


# --- installing, with the real worker ----------------------------------------------------------------
def test_a_download_shows_how_far_it_is_and_can_be_stopped_and_gone_on_with(
    qtbot: QtBot, at_work: MainWindow, server: WeightsServer
) -> None:
    content = bytes(3_000_000)
    server.add("mc3_18-a90a0ba3.pth", content)
    server.trouble("mc3_18-a90a0ba3.pth", hangs_after(1_000_000), hangs_after(1_000_000))
    page = models_page(qtbot, at_work)
    head = page.card.head
    page.list.choose("mc3_18")
    assert head.primary.words == "Install 46.8 MB"
    press(qtbot, at_work, KEY.Key_Return)
    qtbot.waitUntil(lambda: page.entry is not None and page.entry.job is not None and page.entry.job.done > 0,
                    timeout=30_000)  # fmt: skip
    assert not head.cancel.isHidden() and head.primary.isHidden()
    assert "Installing mc3_18" in " ".join(job.name for job in at_work.workbench.background.jobs)
    assert at_work.actions_table["models.cancel"].isEnabled()
    at_work.actions_table["models.cancel"].trigger()
    qtbot.waitUntil(lambda: page.entry is not None and page.entry.job is None, timeout=10_000)
    qtbot.waitUntil(lambda: head.primary.words.startswith("Go on"), timeout=10_000)
    # Closing the window while it runs stops it in good order.
    press(qtbot, at_work, KEY.Key_Return)
    qtbot.waitUntil(lambda: page.entry is not None and page.entry.job is not None, timeout=5_000)


@pytest.mark.parametrize(("what", "words"), [("missing", "404"), ("wrong", "")])
def test_a_failed_download_says_why_and_is_tried_again(
    qtbot: QtBot, at_work: MainWindow, server: WeightsServer, what: str, words: str
) -> None:
    name = "mc3_18-a90a0ba3.pth"
    server.add(name, b"not these weights" * 1000)
    if what == "missing":
        server.trouble(name, *[fails(404)] * 9)
    page = models_page(qtbot, at_work)
    head = page.card.head
    page.list.choose("mc3_18")
    press(qtbot, at_work, KEY.Key_Return)
    qtbot.waitUntil(lambda: head.trouble.isVisible(), timeout=60_000)
    assert head.trouble.text().startswith("It was not installed: ") and words in head.trouble.text()
    assert head.primary.words == "Try again" and head.primary.isEnabled()
    assert page.entry is not None and page.entry.presence is Presence.AVAILABLE


def test_offline_nothing_is_downloaded_and_the_page_says_so(
    qtbot: QtBot, at_work: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VIDLABEL_OFFLINE", "1")
    page = models_page(qtbot, at_work)
    page.list.choose("mc3_18")
    assert page.network.words.text() == "Offline mode: on by VIDLABEL_OFFLINE=1. Nothing is downloaded."
    assert not page.card.head.primary.isEnabled()
    press(qtbot, at_work, KEY.Key_Return)
    assert not at_work.workbench.models.jobs.jobs


def test_an_imported_model_is_chosen_and_stands_among_the_own_ones(
    qtbot: QtBot, at_work: MainWindow, tmp_path: Path
) -> None:
    page = models_page(qtbot, at_work)
    at_work.workbench.models.import_file(other_model(tmp_path / "gait.safetensors", "gait"))
    qtbot.waitUntil(lambda: page.entry is not None and page.entry.facts.name == "gait", timeout=90_000)
    assert page.entry is not None and page.entry.group is Group.OWN


def test_a_pickle_is_refused_with_words_that_stay(qtbot: QtBot, at_work: MainWindow, tmp_path: Path) -> None:
    evil = tmp_path / "evil.pt"
    evil.write_bytes(b"\x80\x04not weights at all")
    page = models_page(qtbot, at_work)
    at_work.workbench.models.import_file(evil)
    qtbot.waitUntil(lambda: page.trouble.isVisible(), timeout=90_000)
    assert "evil.pt" in page.trouble.words.text()
    page.trouble.close_chip.click()
    assert not page.trouble.isVisible()


@pytest.mark.slow
def test_a_model_of_the_hub_is_installed_and_removed(
    qtbot: QtBot, at_work: MainWindow, server: WeightsServer
) -> None:
    """The whole way with the real worker: fetched, checked, converted, listed, taken away again."""
    from safetensors.torch import save

    from vidlabel.ml.networks import build

    network = build("mc3_18", labels=51)
    weights = save({f"backbone.{key}": value for key, value in network.state_dict().items()})
    server.add_repository("dronefreak/mc3-18-hmdb51-kinetics", {"model.safetensors": weights})
    page = models_page(qtbot, at_work)
    page.list.choose("mc3_18_hmdb51")
    press(qtbot, at_work, KEY.Key_Return)

    def presence() -> Presence | None:
        return page.entry.presence if page.entry is not None else None

    qtbot.waitUntil(
        lambda: presence() is Presence.INSTALLED or page.card.head.trouble.isVisible(), timeout=120_000
    )
    assert page.card.head.trouble.text() == ""
    assert page.list.key == "mc3_18_hmdb51"
    assert "56.3 %" in words_of(page)
    press(qtbot, at_work, KEY.Key_Delete)
    qtbot.waitUntil(lambda: isinstance(QApplication.activeModalWidget(), RemoveModelDialog), timeout=2_000)
    dialog = QApplication.activeModalWidget()
    assert isinstance(dialog, RemoveModelDialog) and "can be installed again" in dialog.words.text()
    dialog.go.click()
    qtbot.waitUntil(lambda: presence() is Presence.AVAILABLE, timeout=60_000)
