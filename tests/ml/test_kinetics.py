from __future__ import annotations

import json

import pytest
import torch
from torchvision.models import get_model_weights, list_models

from vidlabel.core.resources import resource_path
from vidlabel.ml import kinetics
from vidlabel.ml.grouping import Grouping
from vidlabel.ml.networks.grouped import Grouped
from vidlabel.ml.published import hmdb51_labels, kinetics_classes

SMALL = Grouping("test", ("a", "b", "c", "d", "e"), ((0, 1), (2,), (1, 3)), ("missing",))


def test_every_name_is_a_class_of_the_weights_enum_and_every_label_is_there():
    categories = set(kinetics_classes())
    for entry in kinetics.counterparts():
        assert set(entry.classes) <= categories, entry.label
        assert len(set(entry.classes)) == len(entry.classes)
    assert tuple(entry.label for entry in kinetics.counterparts()) == hmdb51_labels()


def test_all_kinetics_weights_have_their_classes_in_one_order():
    wanted = list(kinetics_classes())
    for name in list_models(module=__import__("torchvision").models.video):
        for weights in get_model_weights(name):
            assert list(weights.meta["categories"]) == wanted, weights


def test_what_is_loose_or_missing_says_why():
    for entry in kinetics.counterparts():
        assert entry.note or (entry.means and not entry.loosely), entry.label
        if not entry.classes:
            assert entry.note, entry.label


def test_the_labels_without_counterpart_are_these():
    assert kinetics.without_counterpart() == (
        "chew", "climb_stairs", "draw_sword", "fencing", "handstand", "pour",
        "sit", "smile", "stand", "sword_exercise", "turn", "wave",
    )  # fmt: skip
    assert len(kinetics.suggestible()) + len(kinetics.without_counterpart()) == 51
    assert set(kinetics.suggestible()) | set(kinetics.without_counterpart()) == set(hmdb51_labels())


def test_the_table_tells_its_rule():
    table = json.loads(resource_path("kinetics400_hmdb51.json").read_text(encoding="utf-8"))
    assert "log-sum-exp" in table["rule"] and table["from"] == kinetics.SOURCE


def test_a_class_that_is_not_in_the_list_is_refused():
    with pytest.raises(ValueError, match="brushing hair"):
        kinetics.grouping([name for name in kinetics_classes() if name != "brushing hair"])


def test_a_groups_probability_is_the_sum_over_its_classes_a_shared_one_halved():
    logits = torch.randn(6, 5, dtype=torch.float64)
    p = torch.softmax(logits, dim=1)
    sums = torch.stack([p[:, 0] + p[:, 1] / 2, p[:, 2], p[:, 1] / 2 + p[:, 3]], dim=1)
    grouped = Grouped(SMALL)
    torch.testing.assert_close(torch.softmax(grouped(logits), dim=1), sums / sums.sum(1, keepdim=True))
    torch.testing.assert_close(grouped.outside(logits), p[:, 4])
    torch.testing.assert_close(grouped.outside(logits), 1 - sums.sum(1))


def test_far_apart_logits_stay_numbers():
    grouped = Grouped(SMALL)
    logits = torch.tensor([[1e4, -1e4, 0.0, 30.0, 5.0]])
    assert torch.isfinite(grouped(logits)).all() and torch.isfinite(grouped(logits).softmax(1)).all()


def test_a_clip_of_a_class_gets_that_classes_label_first():
    grouping = kinetics.grouping(kinetics_classes())
    grouped, labels = Grouped(grouping), kinetics.suggestible()
    for name, label in {
        "golf putting": "golf", "archery": "shoot_bow", "drop kicking": "kick", "eating cake": "eat",
        "riding a bike": "ride_bike", "testifying": "talk", "sword fighting": "sword",
    }.items():  # fmt: skip
        logits = torch.zeros(1, 400)
        logits[0, kinetics_classes().index(name)] = 9
        assert labels[int(grouped(logits).argmax())] == label
    shared = torch.zeros(1, 400)
    shared[0, kinetics_classes().index("catching or throwing frisbee")] = 9
    first_two = {labels[int(place)] for place in grouped(shared).topk(2).indices[0]}
    assert first_two == {"catch", "throw"}


def test_grouping_has_no_weights():
    assert Grouped(SMALL).state_dict() == {} and not list(Grouped(SMALL).parameters())


def test_json_keeps_a_grouping():
    assert Grouping.from_json(json.loads(json.dumps(SMALL.to_json()))) == SMALL


@pytest.mark.parametrize(
    "change",
    [
        {"groups": []},
        {"groups": [[]]},
        {"groups": [[5]]},
        {"groups": [[-1]]},
        {"groups": [[0, 0]]},
        {"groups": [["a"]]},
        {"groups": [[True]]},
        {"groups": None},
        {"classes": "abc"},
        {"classes": [1]},
        {"source": None},
        {"without": 3},
    ],
)
def test_a_damaged_grouping_is_refused(change):
    with pytest.raises(ValueError):
        Grouping.from_json({**SMALL.to_json(), **change})
