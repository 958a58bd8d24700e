"""Small footage, a project made of it, and a workbench with everything real but the widgets."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from tests.helpers.clips import numbered_clip
from tests.helpers.projects import relative_of, write_project
from vidlabel.core.words import ClipRow
from vidlabel.services.playback import FrameInfo
from vidlabel.services.workbench import Workbench

CLIPS = 6
FRAMES = 60


class Screen(QObject):
    """Stands for the view: says that a frame is painted in a later turn of the event loop, and remembers it."""

    def __init__(self, workbench: Workbench) -> None:
        super().__init__(workbench)
        self.player = workbench.player
        self.shown: list[FrameInfo] = []
        self.image = QImage()
        self.painted: list[ClipRow] = []
        self.paints = True
        self.player.frame_shown.connect(self._on_frame)
        self.player.first_frame_painted.connect(self._on_painted)

    @Slot(object, object)
    def _on_frame(self, image: QImage, info: FrameInfo) -> None:
        self.image = image
        self.shown.append(info)
        if self.paints:
            QTimer.singleShot(0, self._paint)

    @Slot()
    def _paint(self) -> None:
        if self.shown:
            self.player.frame_painted(self.shown[-1].clip_id)

    @Slot(object)
    def _on_painted(self, row: ClipRow) -> None:
        self.painted.append(row)


@pytest.fixture(scope="session")
def sixty_frames(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One numbered clip of 60 frames at 30 a second."""
    return numbered_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", FRAMES, fps=30)


@pytest.fixture(scope="session")
def footage(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five numbered clips of 20 to 24 frames: clip_0.mp4 to clip_4.mp4."""
    folder = tmp_path_factory.mktemp("footage")
    for number in range(5):
        numbered_clip(folder / f"clip_{number}.mp4", 20 + number)
    return folder


@pytest.fixture
def media(tmp_path: Path) -> Path:
    return tmp_path / "media"


@pytest.fixture
def project(tmp_path: Path, media: Path, sixty_frames: Path) -> Path:
    """Six undecided clips with made-up suggestions, each a copy of the same real video."""
    path = tmp_path / "work.vidlabel"
    write_project(path, media, clips=CLIPS)
    for number in range(1, CLIPS + 1):
        clip = media / relative_of(number)
        clip.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(sixty_frames, clip)
    return path


@pytest.fixture
def workbench(qtbot: QtBot) -> Iterator[Workbench]:
    """All services with a real engine; nothing scans or suggests by itself."""
    bench = Workbench()
    bench.settings.suggest_by_itself = False
    bench.settings.scan_by_itself = False
    yield bench
    with qtbot.waitSignal(bench.closed, timeout=15_000):
        bench.close()
    bench.deleteLater()


@pytest.fixture
def screen(workbench: Workbench) -> Screen:
    return Screen(workbench)


@pytest.fixture
def at_work(workbench: Workbench, screen: Screen, project: Path, qtbot: QtBot) -> Workbench:
    """The project is open, its first clip painted, and the decision keys act."""
    workbench.open_project(project)
    qtbot.waitUntil(lambda: workbench.deciding.can_act, timeout=20_000)
    return workbench
