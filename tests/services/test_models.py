"""Which models there are, and what jobs do with them: real processes, real files, a real project."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from tests.helpers.model_files import other_model
from vidlabel.core.catalogue import published_models
from vidlabel.core.paths import models_folder
from vidlabel.core.resources import resource_path
from vidlabel.services.background import Background
from vidlabel.services.model_facts import bytes_words
from vidlabel.services.model_jobs import JobResult, ModelJob, ModelJobs
from vidlabel.services.model_survey import InProject, proxy_words, survey
from vidlabel.services.models import Group, Models, Presence
from vidlabel.services.workbench import Workbench


def fake(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "tests.helpers.model_worker", *arguments]


class Told:
    """What the jobs said, in order."""

    def __init__(self, jobs: ModelJobs) -> None:
        self.lines: list[str] = []
        self.words: list[str] = []
        self.results: list[JobResult] = []
        jobs.finished.connect(self._finished)
        jobs.failed.connect(self._failed)
        jobs.stopped.connect(self._stopped)

    def _finished(self, job: ModelJob, result: JobResult) -> None:
        self.lines.append(f"finished {job.subject}")
        self.results.append(result)

    def _failed(self, job: ModelJob, kind: str, words: str) -> None:
        self.lines.append(f"failed {job.subject} {kind}")
        self.words.append(words)

    def _stopped(self, job: ModelJob) -> None:
        self.lines.append(f"stopped {job.subject}")


@pytest.fixture
def background(qapp: object) -> Iterator[Background]:
    background = Background()
    yield background
    background.deleteLater()


@pytest.fixture
def jobs(qtbot: QtBot, background: Background) -> Iterator[ModelJobs]:
    jobs = ModelJobs(background, command=fake)
    yield jobs
    if jobs.busy:
        with qtbot.waitSignal(jobs.ended, timeout=10_000):
            jobs.close()
    jobs.deleteLater()


def names_of(background: Background) -> list[str]:
    return [job.name for job in background.jobs]


def test_downloads_run_one_after_another_and_tell_how_far_they_are(
    qtbot: QtBot, jobs: ModelJobs, background: Background
) -> None:
    told = Told(jobs)
    for name in ("slow-1", "quick", "slow-1"):
        jobs.install(name)
    qtbot.waitUntil(lambda: "43 %" in "".join(names_of(background)), timeout=10_000)
    first, second = jobs.jobs
    assert (first.running, second.running) == (True, False)
    assert first.share == pytest.approx(0.43)
    assert first.left_s == pytest.approx(57e6 / 8.4e6)
    (words,) = names_of(background)
    assert words == "Installing slow-1 43 % · 8.4 MB/s · 7 s left · 1 waiting"
    # The status bar's own stop button.
    background.stop(background.jobs[0].key)
    qtbot.waitUntil(lambda: told.lines == ["stopped slow-1", "finished quick"], timeout=10_000)
    assert told.results[0].model == "quick"
    assert not background.jobs


def test_what_waits_can_be_taken_back_and_other_work_does_not_wait_for_downloads(
    qtbot: QtBot, jobs: ModelJobs, tmp_path: Path
) -> None:
    told = Told(jobs)
    jobs.install("slow-1")
    jobs.install("slow-2")
    jobs.stop(jobs.jobs[1].id)
    jobs.export("abc", tmp_path / "out.onnx", kind="onnx", shown="mine")
    qtbot.waitUntil(lambda: told.lines == ["stopped slow-2", "finished abc"], timeout=10_000)
    assert [job.subject for job in jobs.jobs] == ["slow-1"]


@pytest.mark.parametrize("kind", ["network", "offline", "hash", "disk"])
def test_a_failure_comes_with_its_kind_and_words(qtbot: QtBot, jobs: ModelJobs, kind: str) -> None:
    told = Told(jobs)
    jobs.install(f"fails-{kind}")
    qtbot.waitUntil(lambda: bool(told.lines), timeout=10_000)
    assert told.lines == [f"failed fails-{kind} {kind}"]
    assert "Do this." in told.words[0]


def test_a_worker_that_dies_is_a_failure_with_its_last_words(qtbot: QtBot, jobs: ModelJobs) -> None:
    told = Told(jobs)
    jobs.install("crashes")
    jobs.install("quick")
    qtbot.waitUntil(lambda: told.lines[-1:] == ["finished quick"], timeout=10_000)
    assert told.words == ["Installing crashes ended unexpectedly: MemoryError: no room. Try again."]


def test_a_worker_that_cannot_be_started_is_a_failure(qtbot: QtBot, background: Background) -> None:
    jobs = ModelJobs(background, command=lambda *_: ["/no/such/program"])
    told = Told(jobs)
    jobs.install("quick")
    qtbot.waitUntil(lambda: bool(told.lines), timeout=5_000)
    assert not jobs.busy
    assert "ended unexpectedly" in told.words[0]
    jobs.deleteLater()


def test_closing_stops_what_runs_even_if_it_does_not_listen(
    qtbot: QtBot, jobs: ModelJobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vidlabel.services.worker_process._PATIENCE_MS", 200)
    told = Told(jobs)
    jobs.install("stubborn")
    jobs.install("quick")
    qtbot.waitUntil(lambda: jobs.jobs[0].done > 0, timeout=10_000)
    with qtbot.waitSignal(jobs.ended, timeout=5_000):
        jobs.close()
    assert told.lines == ["stopped stubborn"]
    assert not jobs.busy
    jobs.install("quick")
    assert not jobs.jobs


# --- the survey --------------------------------------------------------------------------------------
@pytest.fixture
def own_model(home: Path) -> Path:
    """A model of the person's own: the bundled weights under another name."""
    return other_model(models_folder() / "gait.safetensors", "gait", card={"summary": "Mine."})


def test_the_survey_finds_bundled_own_damaged_and_published_models(own_model: Path) -> None:
    (models_folder() / "half.safetensors").write_bytes(own_model.read_bytes()[:5000])
    found = survey()
    assert [facts.name for facts in found.here] == ["bundled", "gait"]
    bundled, gait = found.here
    assert bundled.measured and not bundled.scores
    assert bundled.parameters and bundled.frames
    assert gait.summary == "Mine." and not gait.published
    assert [one.path.name for one in found.damaged] == ["half.safetensors"]
    assert "cut short" in found.damaged[0].reason
    assert [facts.published for facts in found.published] == [model.name for model in published_models()]


def test_published_scores_are_never_taken_for_measured_ones() -> None:
    for facts in survey().published:
        assert not facts.measured
        assert all(score.source for score in facts.scores)


def test_a_kinetics_model_says_which_labels_it_cannot_suggest_and_why() -> None:
    facts = next(one for one in survey().published if one.name == "r2plus1d_18")
    every = [*facts.labels, *(note.label for note in facts.unable)]
    assert len(every) == len(set(every)) == 51
    assert facts.unable and all(note.note for note in facts.unable)


def test_a_card_of_any_shape_is_shown_as_far_as_it_goes(own_model: Path) -> None:
    from vidlabel.ml.header import read_header
    from vidlabel.ml.modelfile import read_info
    from vidlabel.services.model_facts import facts_of_info

    info = read_info(own_model)
    info.card.update(summary=7, trained_on="my clips", scores=[{"top1": "much"}, 3, {"top1": 0.5, "on": "x"}])
    facts = facts_of_info(info, shapes=read_header(own_model).shapes, published=None)
    assert facts.summary == ""
    assert [one.what for one in facts.trained_on] == ["my clips"]
    assert [(score.on, score.top1) for score in facts.measured] == [("x", 0.5)]


def test_offline_mode_and_proxy_are_told_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIDLABEL_OFFLINE", "1")
    monkeypatch.setenv("https_proxy", "http://me:secret@proxy.example:3128")
    assert survey().offline == "VIDLABEL_OFFLINE=1"
    assert proxy_words() == "Downloads go through the proxy proxy.example:3128."
    monkeypatch.setenv("VIDLABEL_OFFLINE", "0")
    assert survey().offline == ""


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 kB"), (870_400, "870 kB"), (1_611_222, "1.6 MB"), (126_162_567, "126 MB"), (2e9, "2.0 GB")],
)
def test_sizes_in_words(size: float, words: str) -> None:
    assert bytes_words(size) == words


# --- with a project ----------------------------------------------------------------------------------
def models_of(bench: Workbench, qtbot: QtBot, *, copy: Path | None = None) -> Models:
    """The workbench's models with scripted workers, after the first look."""
    models = bench.models
    more = ("--copy", str(copy)) if copy is not None else ()
    models.jobs._command = lambda *arguments: fake(*more, *arguments)
    with qtbot.waitSignal(models.changed, timeout=10_000):
        models.look()
    return models


def states(models: Models) -> dict[str, Presence]:
    return {entry.key: entry.presence for entry in models.entries}


def test_using_a_model_makes_it_active_and_lets_it_suggest(
    at_work: Workbench, own_model: Path, qtbot: QtBot
) -> None:
    models = models_of(at_work, qtbot)
    gait = next(entry for entry in models.entries if entry.group is Group.OWN)
    told: list[InProject] = []
    models.project_told.connect(told.append)
    models.watch(gait.facts.hash)
    qtbot.waitUntil(lambda: bool(told), timeout=5_000)
    assert (told[-1].clips, told[-1].of) == (0, 6)
    assert told[-1].calibration.missing == 30
    models.use(gait.key)
    assert states(models)[gait.key] is Presence.LOADING
    qtbot.waitUntil(lambda: states(models)[gait.key] is Presence.ACTIVE, timeout=60_000)
    qtbot.waitUntil(lambda: told[-1].clips == 6, timeout=60_000)


def test_a_model_installed_from_the_catalogue_moves_up_and_is_announced(
    at_work: Workbench, tmp_path: Path, qtbot: QtBot
) -> None:
    fetched = other_model(
        tmp_path / "fetched.safetensors", "mc3_18", network="mc3_18", card={"published": "mc3_18"}
    )
    models = models_of(at_work, qtbot, copy=fetched)
    entry = models.entry("mc3_18")
    assert entry is not None and entry.presence is Presence.AVAILABLE
    told: list[str] = []
    models.told.connect(told.append)
    with qtbot.waitSignal(models.arrived, timeout=10_000) as arrived:
        models.install("mc3_18")
    assert arrived.args == ["mc3_18"]
    assert told == ["mc3_18 is installed"]
    entry = models.entry("mc3_18")
    assert entry is not None and entry.presence is Presence.INSTALLED and entry.group is Group.HERE
    # What its own card leaves open comes from the catalogue, accuracy included, as published.
    assert entry.facts.scores and not entry.facts.measured
    assert entry.facts.unable


def test_a_failed_install_stays_on_its_line_until_it_is_tried_again(
    at_work: Workbench, own_model: Path, qtbot: QtBot
) -> None:
    models = models_of(at_work, qtbot)
    models.jobs._command = lambda *_: fake("install", "fails-network")
    models.install("mc3_18")
    qtbot.waitUntil(
        lambda: "Do this" in (models.entry("mc3_18") or models.entries[0]).trouble, timeout=10_000
    )
    models.jobs._command = lambda *_: fake("install", "slow-x")
    models.install("mc3_18")
    entry = models.entry("mc3_18")
    assert entry is not None and not entry.trouble and entry.job is not None
    models.cancel("mc3_18")
    qtbot.waitUntil(lambda: not models.jobs.jobs, timeout=10_000)


def test_removing_the_active_model_goes_on_with_the_bundled_one(
    at_work: Workbench, own_model: Path, qtbot: QtBot
) -> None:
    models = models_of(at_work, qtbot)
    (gait,) = [entry for entry in models.entries if entry.group is Group.OWN]
    models.use(gait.key)
    qtbot.waitUntil(lambda: states(models)[gait.key] is Presence.ACTIVE, timeout=60_000)
    models.remove(gait.key)
    qtbot.waitUntil(lambda: gait.key not in states(models), timeout=10_000)
    bundled = models.entries[0].key
    qtbot.waitUntil(lambda: states(models)[bundled] is Presence.ACTIVE, timeout=60_000)
    assert not models.entry(bundled).removable  # type: ignore[union-attr]


def test_closing_the_window_stops_a_download(at_work: Workbench, qtbot: QtBot) -> None:
    models = models_of(at_work, qtbot)
    models.jobs._command = lambda *_: fake("install", "slow-x")
    models.install("mc3_18")
    qtbot.waitUntil(lambda: any(job.done for job in models.jobs.jobs), timeout=10_000)
    with qtbot.waitSignal(at_work.closed, timeout=15_000):
        at_work.close()
    assert not models.jobs.busy


@pytest.fixture
def workbench(qtbot: QtBot) -> Iterator[Workbench]:
    """As in the conftest, but it may have been closed by the test."""
    bench = Workbench()
    bench.settings.suggest_by_itself = False
    bench.settings.scan_by_itself = False
    yield bench
    if not bench._told_closed:
        with qtbot.waitSignal(bench.closed, timeout=15_000):
            bench.close()
    bench.deleteLater()


def test_a_copy_of_the_bundled_model_is_no_second_model(at_work: Workbench, qtbot: QtBot) -> None:
    models_folder().mkdir(parents=True, exist_ok=True)
    shutil.copyfile(resource_path("models/bundled.safetensors"), models_folder() / "copy.safetensors")
    models = models_of(at_work, qtbot)
    assert [entry.facts.name for entry in models.entries if entry.group is not Group.PUBLISHED] == ["bundled"]
