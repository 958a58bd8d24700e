"""A step that does not fit into memory is redone in smaller pieces, to the same numbers; what fits is found before."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from tests.helpers.tiny_fit import P, batches, tiny, weights
from vidlabel.core.errors import TrainingError
from vidlabel.learning import backoff
from vidlabel.learning.backoff import find_batch
from vidlabel.learning.checkpoint import load_checkpoint
from vidlabel.learning.fit import FitOptions, fit
from vidlabel.ml.networks import build
from vidlabel.ml.preprocess import Preprocessing

OPTIONS = FitOptions(epochs=2, peak_rate=1e-2, average=0.9, accumulate=2)


class Narrow:
    """A loss on a device that holds only so many clips at a time, from some call on."""

    def __init__(self, room, *, begins=0):
        self.room, self.begins, self.calls, self.sizes = room, begins, 0, []

    def __call__(self, network, x, batch):
        self.calls += 1
        if len(x) > self.room and self.calls > self.begins:
            # As the GPU does it: in the middle of things, after the norms have moved.
            network(x)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.sizes.append(len(x))
        labels = torch.from_numpy(batch.labels)
        return torch.nn.functional.cross_entropy(network(x), labels)


def fitted(loss, options=OPTIONS, *, path=None, normed=False, **more):
    network = tiny(normed=normed, dropout=0.0)
    told = []
    result = fit(
        network,
        batches(size=8),
        preprocessing=P,
        options=options,
        loss=loss,
        checkpoint=path,
        on_progress=told.append,
        **more,
    )
    return network, result, [one.words for one in told if one.kind == "note"]


def test_it_backs_off_in_the_same_step_and_learns_the_same():
    roomy, _, nothing = fitted(Narrow(99))
    loss = Narrow(2, begins=4)  # in the second batch of the third step
    narrow, result, notes = fitted(loss)
    assert result.state == "finished" and result.step == 4
    assert torch.allclose(weights(roomy), weights(narrow), atol=1e-6)
    assert nothing == [] and len(notes) == 2 and "4 parts" in notes[-1] and "step 3" in notes[0]
    assert max(loss.sizes[-6:]) == 2


def test_norms_see_the_clips_of_a_redone_step_once():
    """Backed off from the first step on, or in pieces from the beginning: the same in every bit."""
    backed_off, _, _ = fitted(Narrow(4), normed=True)
    in_pieces, _, _ = fitted(Narrow(4), replace(OPTIONS, pieces=2), normed=True)
    assert torch.equal(weights(backed_off), weights(in_pieces))


def test_a_resumed_run_goes_on_in_the_same_pieces(tmp_path):
    expected, straight, _ = fitted(Narrow(4, begins=2), normed=True)
    steps = iter(range(1, 99))
    fitted(Narrow(4, begins=2), normed=True, path=tmp_path / "c", should_stop=lambda: next(steps) >= 2)
    assert load_checkpoint(tmp_path / "c")["pieces"] == 2
    resumed, result, notes = fitted(Narrow(4), normed=True, resume=tmp_path / "c")
    assert notes == [] and result == straight
    assert torch.equal(weights(resumed), weights(expected))


def test_where_nothing_helps_it_says_so():
    with pytest.raises(TrainingError, match="smaller model") as ended:
        fitted(Narrow(0))
    assert ended.value.kind == "memory"
    with pytest.raises(RuntimeError, match="something else"):
        fitted(lambda network, x, batch: (_ for _ in ()).throw(RuntimeError("something else")))


def test_the_batch_is_found_and_nothing_is_left_changed(monkeypatch):
    preprocessing = Preprocessing(frames=8, height=32, width=32)
    network = build("compact3d", labels=3, widths=[8, 16, 24], blocks=[1, 1], time_strides=[1, 2])
    before, generator = weights(network).clone(), torch.get_rng_state()
    found = find_batch(network, preprocessing, options=FitOptions(epochs=1), wanted=16)
    assert (found.size, found.pieces, found.at_once) == (16, 1, 16)
    assert torch.equal(weights(network), before) and torch.equal(torch.get_rng_state(), generator)
    assert all(one.grad is None and one.requires_grad for one in network.parameters())

    larger = find_batch(
        network, Preprocessing(frames=8, height=64, width=64), options=FitOptions(epochs=1), wanted=16
    )
    assert 3 < larger.clip_mb / found.clip_mb < 5, "four times the pixels"
    monkeypatch.setattr(backoff, "_free_bytes", lambda trial: int(found.clip_mb * 1e6 * 2 * 5.5))
    small = find_batch(network, preprocessing, options=FitOptions(epochs=1), wanted=16)
    assert (small.size, small.at_once, small.pieces) == (16, 5, 4)
