"""``vidlabel sweep``: a model looks through long videos and proposes clips in them."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vidlabel.cli.choosing import chosen_model
from vidlabel.cli.context import Use, clips_of, open_project
from vidlabel.cli.marking import whole_of
from vidlabel.cli.output import Output
from vidlabel.cli.progress import progress
from vidlabel.cli.scanning import scan_roots
from vidlabel.core.errors import MediaError, UnreadableVideoError, UsageError
from vidlabel.core.model_key import ModelKey
from vidlabel.core.sweeps import (
    SETTING,
    STEP_S,
    WINDOW_S,
    ProposalSettings,
    Sweep,
    SweepPlan,
    seconds_to_plan,
    sweep_json,
)
from vidlabel.core.time import seconds_from_us, timecode, us_from_seconds
from vidlabel.core.words import ClipRow, ClipState
from vidlabel.engine.inference import Suggester, wait_without_spinning
from vidlabel.engine.predictors import Predictors
from vidlabel.engine.sweeping import sweep_video
from vidlabel.learning.proposals import (
    not_looked_at,
    propose,
    proposed_clip,
    scores_from_bytes,
    scores_to_bytes,
)
from vidlabel.media.frame_index import FrameIndex
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.store.project_store import ProjectStore

if TYPE_CHECKING:
    from vidlabel.ml.predictor import Predictor

_BROKEN = frozenset({ClipState.MISSING, ClipState.UNREADABLE})


def run(arguments: Namespace, output: Output) -> int:
    """Goes on with the sweeps that are not finished, proposes clips anew, and answers them."""
    with open_project(arguments.project, use=Use.WRITE) as store:
        settings = _settings(ProposalSettings.from_json(store.setting(SETTING)), arguments)
        _plan(None, 1, arguments)  # says what is wrong with it before anything is done
        scan_roots(store, output)
        model = _asked(store, chosen_model(store, arguments.model, output), named=arguments.model is not None)
        rows = _videos(store, model, arguments)
        answered: list[_Answer] = []
        unreadable: list[dict[str, str]] = []
        with _network(model, arguments.device) as network:
            for row in rows:
                try:
                    if row.state in _BROKEN:
                        raise UnreadableVideoError(Path(row.path), row.reason or row.state.value)
                    answered.append(_swept(store, network, row, arguments=arguments, settings=settings))
                except MediaError as error:
                    unreadable.append({"video": row.path, "reason": error.reason})
        document = {
            "model": model.name,
            "model_hash": model.hash,
            "device": network.device,
            "longer_than": None if arguments.videos else arguments.longer_than,
            "settings": settings.to_json(),
            "videos": [answer.document for answer in answered],
            "unreadable": unreadable,
        }
    lines = [line for answer in answered for line in answer.lines]
    lines += [f"{one['video']}: not readable: {one['reason']}" for one in unreadable]
    if not rows:
        lines.append(
            f"No video here is {arguments.longer_than:g} s long or longer. Name one, or give --longer-than."
        )
    output.answer(document, lines)
    return 0


def _asked(store: ProjectStore, model: ModelInfo, *, named: bool) -> ModelInfo:
    """The model under the key the project asks it by; a sweep looks at each window once, whatever the views."""
    own = store.active_model()
    if named or own is None:
        return model
    key = ModelKey.parse(own[0])
    return replace(model, hash=str(key), name=key.name(model.name))


def _settings(usual: ProposalSettings, arguments: Namespace) -> ProposalSettings:
    given = {
        "start_sure": arguments.start_sure,
        "end_sure": arguments.end_sure,
        "join_gaps_s": arguments.join_gaps,
        "shortest_s": arguments.min_length,
        "smooth_s": arguments.smooth,
    }
    chosen = {name: value for name, value in given.items() if value is not None}
    if "start_sure" in chosen and "end_sure" not in chosen:
        chosen["end_sure"] = min(usual.end_sure, chosen["start_sure"])
    if "end_sure" in chosen and "start_sure" not in chosen:
        chosen["start_sure"] = max(usual.start_sure, chosen["end_sure"])
    try:
        return replace(usual, **chosen)
    except ValueError as error:
        raise UsageError(f"These settings do not go together: {error}.") from error


def _plan(sweep: Sweep | None, duration_us: int, arguments: Namespace) -> SweepPlan:
    """The windows asked for; what is not said is as in the sweep there is, else as usual."""
    window_s = seconds_from_us(sweep.window_us) if sweep else WINDOW_S
    step_s = seconds_from_us(sweep.step_us) if sweep else STEP_S
    if arguments.window is not None:
        window_s, step_s = arguments.window, min(step_s, arguments.window)
    if arguments.step is not None:
        step_s = arguments.step
    try:
        return seconds_to_plan(duration_us, window_s=window_s, step_s=step_s)
    except ValueError as error:
        raise UsageError(f"--window {window_s:g} --step {step_s:g}: {error}.") from error


def _videos(store: ProjectStore, model: ModelInfo, arguments: Namespace) -> list[ClipRow]:
    """The whole clips of the videos named, else of all that are long enough."""
    if arguments.videos:
        named = [whole_of(clips_of(store, video)) for video in arguments.videos]
        return list({row.video_id: row for row in named}.values())
    at_least = us_from_seconds(arguments.longer_than)
    return [video.clip for video in store.sweeps.long_videos(model.hash, at_least_us=at_least)]


class _Network:
    """The model at work, loaded when the first window needs it."""

    def __init__(self, model: ModelInfo, device: str) -> None:
        self.model = model
        self._wish = device
        self._suggester: Suggester | None = None
        self._predictor: Predictor | None = None

    @property
    def device(self) -> str | None:
        """Where it ran; None where nothing was left to do."""
        return None if self._predictor is None else self._predictor.device.kind

    def ready(self) -> tuple[Suggester, Predictor]:
        """
        Raises:
            ModelError, DeviceError: it cannot be used.
        """
        if self._predictor is None or self._suggester is None:
            wait_without_spinning()
            precision = ModelKey.parse(self.model.hash).precision
            predictor = Predictors(lambda: self.model.path, device=self._wish, precision=precision).first()
            self._predictor = predictor
            self._suggester = Suggester(lambda: predictor, batch=1)
        return self._suggester, self._predictor

    def close(self) -> None:
        if self._suggester is not None:
            self._suggester.close()


@contextmanager
def _network(model: ModelInfo, device: str) -> Iterator[_Network]:
    with closing(_Network(model, device)) as network:
        yield network


@dataclass(frozen=True)
class _Answer:
    document: dict[str, Any]
    lines: list[str]


def _swept(
    store: ProjectStore, network: _Network, row: ClipRow, *, arguments: Namespace, settings: ProposalSettings
) -> _Answer:
    """One video: its sweep finished, its clips proposed."""
    model = network.model
    path = Path(row.path)
    before = store.sweeps.of_video(row.video_id, model.hash)
    index = FrameIndex.build(path)
    plan = _plan(before, index.duration_us, arguments)
    sweep = store.sweeps.begin(model.hash, row.video_id, plan)
    begun = sweep.done
    if not sweep.finished:
        sweep = _finished(store, network, sweep, path=path, index=index)
    scores = scores_from_bytes(store.sweeps.scores(sweep), len(model.labels))
    calibration = store.calibrations.newest(model.hash)
    found = propose(
        scores, plan,
        labels=model.labels, settings=settings,
        temperature=1.0 if calibration is None else calibration.temperature,
    )  # fmt: skip
    proposed = [
        proposed_clip(one, scores, labels=model.labels, frames=index.range(one.start_us, one.end_us))
        for one in found
    ]
    store.sweeps.propose(sweep, proposed)
    return _answer(
        store, sweep, row, plan=plan, computed=sweep.done - begun, gaps=not_looked_at(scores, plan)
    )


def _finished(
    store: ProjectStore, network: _Network, sweep: Sweep, *, path: Path, index: FrameIndex
) -> Sweep:
    """Goes on where the sweep stands; each part is kept when it is there, so Ctrl+C loses one at most."""
    suggester, predictor = network.ready()
    with progress(f"Sweeping {path.name}", total=sweep.windows, unit=" windows") as bar:
        bar.at(sweep.done, sweep.windows)
        parts = sweep_video(
            path,
            suggester.predict_aside,
            preprocessing=predictor.info.preprocessing,
            labels=len(predictor.info.labels),
            window_us=sweep.window_us,
            step_us=sweep.step_us,
            first=sweep.done,
            index=index,
            device=predictor.device.kind,
            on_window=lambda done: bar.at(done, sweep.windows),
        )
        with closing(parts):  # type: ignore[type-var]
            for part in parts:
                kept = store.sweeps.add_part(
                    sweep,
                    part.first,
                    windows=len(part.probabilities),
                    scores=scores_to_bytes(part.probabilities),
                )
                if kept is None:
                    raise UnreadableVideoError(path, "its sweep was begun anew elsewhere. Run this again.")
                sweep = kept
    return sweep


def _answer(
    store: ProjectStore,
    sweep: Sweep,
    row: ClipRow,
    *,
    plan: SweepPlan,
    computed: int,
    gaps: list[tuple[int, int]],
) -> _Answer:
    clips = store.sweeps.proposed(sweep)
    said = store.suggestions([clip.clip_id for clip in clips], sweep.model)
    proposals: list[dict[str, Any]] = []
    lines = [f"{row.path}: {_many(len(clips), 'clip')} proposed, {_many(sweep.windows, 'window')}"]
    for clip in clips:
        best = said[clip.clip_id].scores[0] if clip.clip_id in said else None
        proposals.append(
            {
                "start": seconds_from_us(clip.start_us),
                "end": seconds_from_us(clip.end_us),
                "suggested": best.label if best else None,
                "probability": best.probability if best else None,
                "calibrated": best.calibrated if best else None,
                "state": clip.state.value,
                "label": clip.label,
            }
        )
        words = f"{best.label} {best.shown:.0%}" if best else ""
        lines.append(f"  {timecode(clip.start_us)} - {timecode(clip.end_us)}  {words:<22} {clip.state.value}")
    lines += [
        f"  {timecode(start)} - {timecode(end)}  could not be read and was not looked at"
        for start, end in gaps
    ]
    document = {
        "video": row.path,
        "duration": seconds_from_us(plan.duration_us),
        **sweep_json(plan, sweep),
        "computed": computed,
        "not_read": [[seconds_from_us(start), seconds_from_us(end)] for start, end in gaps],
        "proposals": proposals,
    }
    return _Answer(document, lines)


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
