"""The whole chain on a stand-in in HMDB51's layout: archives, index, fine-tuning, figures, model."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch

pytest.importorskip("rarfile", reason="the extra [training] is not installed")

from training import evaluate, finetune, finetune_export, prepare
from training.finetune_clips import VARIETY, Decoder, three_crops, training_batches
from training.finetune_run import Plan, Start, begin
from training.finetune_run import finetune as fine_tune
from training.finetune_settings import settings_for
from training.hmdb51 import load_index
from training.hmdb51_standin import StandIn, make
from vidlabel.core.errors import FormatError, TrainingError
from vidlabel.core.words import Views
from vidlabel.learning.clip_batches import LabelledClip
from vidlabel.ml import networks
from vidlabel.ml.catalogue import find_model, list_models
from vidlabel.ml.modelfile import load_model, save_model
from vidlabel.ml.preprocess import Preprocessing

TINY = '{"widths": [8, 16, 24, 32], "blocks": [1, 1, 1]}'
SMALL = Preprocessing(frames=4, height=24, width=24)


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads(), signal.getsignal(signal.SIGINT)
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before[0])
    signal.signal(signal.SIGINT, before[1])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Three labels, six films each, four takes a film."""
    folder = tmp_path_factory.mktemp("hmdb51")
    videos, splits = make(folder, StandIn(labels=("wave", "jump", "sit"), frames=20))
    out = folder / "set"
    prepare.main(["--archive", str(videos), "--splits", str(splits), "--out", str(out), "--stand-in"])
    return out


def flags(data, run, *more):
    return [
        "--data", str(data), "--out", str(run), "--network", "compact3d", "--network-args", TINY, "--frames", "8",
        "--size", "24", "--epochs", "16", "--batch", "8", "--rate", "8e-3", "--average", "0.95", "--dropout", "0",
        "--smallest", "0.8", "--threads", "1", "--workers", "1", *more,
    ]  # fmt: skip


def test_from_archives_to_a_model_and_what_a_random_split_hides(data, tmp_path, monkeypatch, capsys):
    run = tmp_path / "run"
    finetune.main(flags(data, run, "--splits", "official-1", "random"))
    log = [json.loads(line) for line in (run / "random" / "log.jsonl").read_text().splitlines()]
    losses = [line["loss"] for line in log if line["kind"] == "epoch"]
    assert losses[-1] < 0.75 * losses[0]

    evaluate.main(["--official", str(run), "--data", str(data), "--threads", "1", "--workers", "1"])
    scores = json.loads((run / "scores.json").read_text())
    official, random = scores["splits"]["official-1"], scores["splits"]["random"]
    assert random["top1"] >= 0.6, "a third would be guessing"
    assert random["top1"] > official["top1"] + 0.1
    assert scores["official_mean"]["top1"] == official["top1"]
    assert random["leak"]["label_siblings"] == random["leak"]["test"]
    assert official["leak"]["label_siblings"] == 0 < official["leak"]["siblings"]
    assert official["same_label_sibling"]["with"] == {"clips": 0, "top1": None}
    assert (
        sum(map(sum, random["confusion"])) == random["clips"] == len(load_index(data).part("random", "test"))
    )
    said = capsys.readouterr().out
    assert "The random split reads +" in said
    assert (run / "scores.md").read_text() in said

    out = tmp_path / "home" / "models" / "hmdb51.safetensors"
    finetune_export.main(["--run", str(run), "--split", "random", "--out", str(out), "--name", "stand-in"])
    monkeypatch.setattr("vidlabel.ml.catalogue.models_folder", lambda: out.parent)
    assert "stand-in" in {info.name for info in list_models()}
    info = find_model("stand-in")
    assert info.labels == load_index(data).labels
    assert info.card["scores"][0]["top1"] == random["top1"]
    assert "sibling" in info.card["summary"]
    assert load_model(info.path).module.labels == 3


def test_a_split_that_is_done_is_left_alone_and_answers_are_kept(data, tmp_path, monkeypatch):
    run = tmp_path / "run"
    short = flags(data, run, "--splits", "official-2", "--epochs", "1")
    finetune.main(short)
    model = run / "official-2" / "model.safetensors"
    before = model.stat().st_mtime_ns
    finetune.main(short)
    assert model.stat().st_mtime_ns == before
    several = [
        "--official",
        str(run),
        "--data",
        str(data),
        "--views",
        "2",
        "--crops",
        "3",
        "--flip",
        "--workers",
        "1",
    ]
    evaluate.main(several)
    first = (run / "scores.json").read_text()
    monkeypatch.setattr("training.official.answer_all", lambda *a, **k: pytest.fail("answered twice"))
    evaluate.main(several)
    assert (run / "scores.json").read_text() == first
    assert json.loads(first)["manner"] == {"clips": 2, "flip": True, "crops": 3}


def plan(**changes):
    settings = settings_for("compact3d").but(
        epochs=2, batch=8, mixup=0.3, cutmix=1.0, layer_decay=0.8, pieces=2
    )
    start = Start(
        network="compact3d", network_args=json.loads(TINY), preprocessing=SMALL, base="from scratch"
    )
    return Plan(start=start, settings=settings.but(**changes), workers=2)


def test_a_stopped_run_goes_on_to_the_very_same_weights(data, tmp_path):
    index = load_index(data)
    assert fine_tune(plan(), index, "official-1", tmp_path / "straight")
    steps = iter([False, False, True])
    assert not fine_tune(plan(), index, "official-1", tmp_path / "stopped", should_stop=lambda: next(steps))
    assert not (tmp_path / "stopped" / "model.safetensors").exists()
    with pytest.raises(TrainingError, match=r"other flags or data \(settings, variety\)"):
        fine_tune(plan(smallest=0.9), index, "official-1", tmp_path / "stopped")
    assert fine_tune(plan(), index, "official-1", tmp_path / "stopped")
    straight, resumed = (
        load_model(tmp_path / name / "model.safetensors").module.state_dict()
        for name in ("straight", "stopped")
    )
    assert all(torch.equal(straight[key], resumed[key]) for key in straight)


def test_ctrl_c_stops_with_a_checkpoint(data, tmp_path, capsys, monkeypatch):
    real = finetune.finetune

    def pressed(*args, **more):
        os.kill(os.getpid(), signal.SIGINT)
        return real(*args, **more)

    monkeypatch.setattr(finetune, "finetune", pressed)
    finetune.main(flags(data, tmp_path, "--splits", "official-1"))
    assert (tmp_path / "official-1" / "checkpoint.pt").is_file()
    assert not (tmp_path / "official-1" / "model.safetensors").exists()
    assert "go on" in capsys.readouterr().out


def test_the_recurrent_network_goes_through_the_same_recipe(data, tmp_path):
    if "resnet18_lstm" not in networks.names():
        pytest.skip("there is no resnet18_lstm")
    start = Start(
        network="resnet18_lstm",
        network_args={},
        preprocessing=Preprocessing(frames=4, height=32, width=32),
        base="from scratch",
    )
    settings = settings_for("resnet18_lstm").but(epochs=1, batch=16)
    assert fine_tune(Plan(start=start, settings=settings), load_index(data), "official-3", tmp_path)
    assert load_model(tmp_path / "model.safetensors").info.network == "resnet18_lstm"


def test_a_base_gives_its_trunk_and_its_head_only_for_the_same_labels(data, tmp_path):
    labels = load_index(data).labels
    args = json.loads(TINY)
    network = networks.build("compact3d", labels=3, **args)
    for name, own in (("same", labels), ("other", ("a", "b", "c"))):
        save_model(
            tmp_path / f"{name}.safetensors", network, name=name, network="compact3d", labels=own,
            preprocessing=SMALL, network_args=args, license="CC0",
        )  # fmt: skip
    for name, kept in (("same", True), ("other", False)):
        start = replace(finetune.start_of(tmp_path / f"{name}.safetensors"))
        assert (start.network, start.license) == ("compact3d", "CC0")
        begun, fresh = begin(replace(plan(), start=start), labels)
        assert fresh is not kept
        assert torch.equal(begun.stem[0].weight, network.stem[0].weight)
        assert torch.equal(begun.head.weight, network.head.weight) is kept
    begun, fresh = begin(
        replace(plan(), start=finetune.start_of(tmp_path / "same.safetensors"), fresh_head=True), labels
    )
    assert fresh
    assert not torch.equal(begun.head.weight, network.head.weight)


def files(data):
    index = load_index(data)
    return [
        LabelledClip(path=index.file(clip), label=index.labels.index(clip.label)) for clip in index.clips[:9]
    ]


def test_a_file_that_disappears_is_left_out_and_all_of_them_are_an_error(data, tmp_path, capsys):
    there = files(data)[:3]
    gone = LabelledClip(path=tmp_path / "gone.avi", label=0)
    few = training_batches([*there, gone], SMALL, size=4, seed=0, variety=VARIETY, workers=1)
    (batch,) = few.epoch(0)
    assert len(batch.labels) == len(batch.frames) == 3
    assert "left out" in capsys.readouterr().out
    none = training_batches([gone, gone], SMALL, size=2, seed=0, variety=VARIETY, workers=1)
    with pytest.raises(TrainingError, match="disk"):
        list(none.epoch(0))


def test_one_plain_view_is_what_the_program_itself_shows_the_network(data):
    file = files(data)[0].path
    for p in (
        SMALL,
        Preprocessing(frames=4, height=24, width=24, resize="short_side", short_side=28, span_s=0.5),
    ):
        from vidlabel.media.reader import FrameReader

        (look,) = Decoder(p).views(file, Views(), crops=1)
        with FrameReader(file) as reader:
            size = p.decode_size(reader.shape.width, reader.shape.height)
            places = p.positions(len(reader), float(reader.index.fps))
            assert np.array_equal(look, p.crop(reader.read_many(places, size=size)))
        many = Decoder(p).views(file, Views(clips=3, flip=True), crops=3)
        assert many.shape == (6 if p.resize == "squash" else 18, 4, 24, 24, 3)
        half = len(many) // 2
        assert np.array_equal(many[half:], many[:half, :, :, ::-1])


def test_three_crops_go_from_end_to_end_of_the_longer_side():
    p = Preprocessing(frames=1, height=4, width=4, resize="short_side", short_side=4)
    wide = np.broadcast_to(np.arange(10, dtype=np.uint8)[None, None, :, None], (1, 4, 10, 3))
    assert three_crops(wide, p)[:, 0, 0, :, 0].tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert three_crops(wide.swapaxes(1, 2), p)[:, 0, :, 0, 0].tolist() == [
        [0, 1, 2, 3],
        [3, 4, 5, 6],
        [6, 7, 8, 9],
    ]


def test_what_cannot_be_exported_or_measured_is_said(data, tmp_path):
    with pytest.raises(SystemExit, match="holds no model"):
        evaluate.main(["--official", str(tmp_path), "--data", str(data)])
    with pytest.raises(SystemExit, match="not there"):
        finetune.main(flags(tmp_path / "nothing", tmp_path / "run"))
    folder = tmp_path / "official-1"
    save_model(
        folder / "model.safetensors", networks.build("compact3d", labels=2, **json.loads(TINY)), name="x",
        network="compact3d", labels=("a", "b"), preprocessing=SMALL, network_args=json.loads(TINY),
    )  # fmt: skip
    with pytest.raises(SystemExit, match="other labels"):
        evaluate.main(["--official", str(tmp_path), "--data", str(data)])
    with pytest.raises(FormatError, match="not measured"):
        finetune_export.export(tmp_path, "official-1", tmp_path / "out.safetensors")


@pytest.mark.parametrize("name", networks.names())
def test_every_network_has_a_recipe(name):
    assert settings_for(name).fit.epochs >= 10
