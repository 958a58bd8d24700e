"""One run from beginning to end: network, clips, fitting, the best by validation, its model, and the proof.

Everything it needs lies in the run's folder, and everything it makes goes there, so that it can be killed at any
moment and gone on with. The test clips are read for the proof, after the model is made, and for nothing else.
"""

from __future__ import annotations

import json
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

from vidlabel.core.errors import StoppedError
from vidlabel.core.runs import RunFolder, Tunes
from vidlabel.learning.clip_cache import remove_cache
from vidlabel.learning.distributed import Ranks, open_ranks
from vidlabel.learning.options import FitResult
from vidlabel.learning.run_order import RunOrder, read_order
from vidlabel.learning.run_teller import FitTeller, Tell
from vidlabel.learning.run_wishes import Wishes
from vidlabel.learning.tuning_base import Begun, begin, load_base
from vidlabel.learning.tuning_material import Clips, Material, clip_material, embedded_material
from vidlabel.learning.tuning_measure import Measuring
from vidlabel.learning.tuning_model import place, write_model
from vidlabel.learning.tuning_plan import Plan, make_plan
from vidlabel.learning.tuning_proof import Prove, proven
from vidlabel.learning.tuning_recipe import fit_options
from vidlabel.ml.files import write_whole
from vidlabel.ml.modelfile import ModelInfo


@dataclass(frozen=True)
class Tuned:
    """How a run ended; ``model`` is the installed one, None where it was stopped before there was one."""

    state: Literal["finished", "stopped"]
    model: ModelInfo | None = None


def tune(folder: RunFolder, *, tell: Tell, wishes: Wishes, prove: Prove) -> Tuned:
    """Does a run, or goes on with it; the last event it tells is ``finished`` or ``stopped``.

    Under ``torchrun`` each process calls it; the first one tells, writes and proves.

    Args:
        folder: with snapshot and settings.
        tell: called with an event's name and values, on this thread.
        wishes: what is wished from outside.
        prove: measures on the test clips.

    Raises:
        TrainingError: the clips do not suffice, the loss is no number, or the checkpoint cannot be used.
        ModelError: the base cannot be used.
        DeviceError: the device cannot be used, or gave up.
        FormatError: snapshot or settings are damaged.
        OSError: something cannot be written.
    """
    order = read_order(folder)
    if not folder.model.is_file():
        plan = make_plan(folder, order)
        with open_ranks(plan.device) as (ranks, device):
            own = _Telling(tell, ranks)
            fitted = _fit(folder, order, replace(plan, device=device), ranks, tell=own, wishes=wishes)
            if not fitted:
                own("stopped", step=own.step, kept=folder.checkpoint.is_file())
                return Tuned("stopped")
            if not ranks.is_first:
                return Tuned("finished")
    model = place(folder.model)
    # Some 100 MB that nobody needs any more: the model is made.
    folder.checkpoint.unlink(missing_ok=True)
    try:
        metrics = {**_figures(folder), **proven(folder, order, model, tell=tell, wishes=wishes, prove=prove)}
    except StoppedError:
        tell("stopped", step=None, kept=True)
        return Tuned("stopped", model)
    _tidy(folder)
    tell("finished", model=model.hash, name=model.name, path=str(model.path), metrics=metrics)
    return Tuned("finished", model)


class _Telling:
    """Tells in the first process only, and remembers the step and what was left out."""

    def __init__(self, tell: Tell, ranks: Ranks) -> None:
        self._tell, self._first = tell, ranks.is_first
        self.step = self.left_out = 0

    def __call__(self, event: str, **values: Any) -> None:
        self.step = int(values.get("step", values.get("resumed_at_step", self.step)))
        if self._first:
            self._tell(event, **values)

    def note(self, words: str) -> None:
        self("note", words=words)

    def trouble(self, words: str) -> None:
        self.left_out += 1
        self.note(words)


def _fit(
    folder: RunFolder, order: RunOrder, plan: Plan, ranks: Ranks, *, tell: _Telling, wishes: Wishes
) -> bool:
    """Fits and writes the model; false where it was stopped before."""
    from vidlabel.learning.fit import fit
    from vidlabel.learning.head_only import HeadOnly, one_thread

    clips = Clips.of(order)
    loaded = load_base(order)
    head_only = order.settings.tunes is Tunes.HEAD
    try:
        if head_only:
            material = embedded_material(
                order, clips, loaded, folder, size=plan.batch, ranks=ranks, device=plan.device,
                trouble=tell.trouble, should_stop=lambda: wishes.ending,
                step=lambda words, done, total: tell("preparing", words=words, done=done, total=total),
            )  # fmt: skip
        else:
            material = clip_material(
                order,
                clips,
                loaded,
                folder,
                size=plan.batch,
                ranks=ranks,
                note=tell.note,
                trouble=tell.trouble,
            )
    except StoppedError:
        return False
    begun = begin(loaded, order.snapshot.labels, seed=order.settings.seed)
    # A head on embeddings is a matter of moments on any processor, and there bitwise the same each time.
    device = "cpu" if head_only else plan.device
    options = fit_options(
        order.settings, labels=material.labels.tolist(), count=len(order.snapshot.labels),
        measured=material.validation is not None, precision=plan.precision,
    )  # fmt: skip
    plan = plan.fitting(folder, begun.network, loaded.info.preprocessing, options=options, ranks=ranks)
    options = replace(options, pieces=plan.pieces)
    if material.scale is not None:
        material.scale.enter(begun.network)
    told = FitTeller(tell, started=_about(plan, order, material), epochs=order.settings.epochs)
    fitted = HeadOnly(begun.network) if head_only else begun.network
    with one_thread() if head_only else nullcontext():
        result = fit(
            fitted, material.batches, preprocessing=loaded.info.preprocessing, options=options, device=device,
            validate=_measuring(material, order, loaded.info, device=device, precision=plan.precision),
            checkpoint=folder.checkpoint, resume=folder.checkpoint if folder.checkpoint.is_file() else None,
            should_stop=lambda: wishes.ending, should_pause=lambda: wishes.pausing, ranks=ranks, on_progress=told,
        )  # fmt: skip
    # What was wished of the first process counts: the others hear of it through the fitting.
    if result.state == "stopped" and not ranks.told({"keep": float(wishes.keeping)})["keep"]:
        return False
    if ranks.is_first:
        _write(folder, order, begun, material, result=result, left_out=tell.left_out)
    return True


def _about(plan: Plan, order: RunOrder, material: Material) -> dict[str, Any]:
    snapshot = order.snapshot
    return {
        "device": plan.device,
        "precision": plan.precision,
        "batch": plan.batch,
        "train": len(material.labels),
        "validation": len(snapshot.of("validation")),
        "test": len(snapshot.of("test")),
    }


def _measuring(
    material: Material, order: RunOrder, base: ModelInfo, *, device: str, precision: str
) -> Measuring | None:
    if material.validation is None:
        return None
    return Measuring(
        material.validation,
        order.snapshot.labels,
        preprocessing=base.preprocessing,
        device=device,
        precision=precision,
    )


def _write(
    folder: RunFolder, order: RunOrder, begun: Begun, material: Material, *, result: FitResult, left_out: int
) -> None:
    """The model, and beside it how it was fitted: a process that comes later tells of it."""
    if material.scale is not None:
        material.scale.leave(begun.network)
    best = result.best_epoch if result.best_epoch is not None else len(result.history) - 1
    metrics = dict(result.history[best]) if result.history else {}
    fitted = {
        "epochs": len(result.history),
        "best_epoch": best + 1 if result.history else None,
        "early": result.early,
        "steps": result.step,
        "left_out": left_out,
        "metrics": {name: value if value == value else None for name, value in metrics.items()},
    }
    write_whole(_fitted(folder), json.dumps(fitted, indent=1).encode())
    write_model(folder, order, begun, fitted=fitted, left_out=left_out)


def _figures(folder: RunFolder) -> dict[str, Any]:
    """What the fitting came to, flat."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        fitted = json.loads(_fitted(folder).read_text(encoding="utf-8"))
        metrics = fitted["metrics"]
        plain = {name: metrics.get(name) for name in ("loss", "val_loss", "val_top1", "val_mean_class")}
        return {
            **plain,
            **{name: fitted[name] for name in ("epochs", "best_epoch", "early", "steps", "left_out")},
        }
    return {}


def _tidy(folder: RunFolder) -> None:
    """What only a run that goes on would need."""
    cache = folder.path / "cache"
    for path in cache.glob("embeddings-*.npz"):
        with suppress(OSError):
            path.unlink()
    remove_cache(cache)


def _fitted(folder: RunFolder) -> Any:
    return folder.path / "fitted.json"
