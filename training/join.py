"""Joins a motion network and an image network to the model that the program ships, and measures it.

    python -m training.join --motion RUN/model.safetensors --work WORK --out JOINED [--real none|all]

The image network brings what pictures of things teach (training.stills). With ``--real all`` the few real clips of
../shared/data correct the head; then no figure on real clips may come from the joined model itself. Instead each clip
is scored by a head that was fitted without its whole film, choices included (nested leave-one-film-out), and those
figures are written beside the model as ``scores.json``.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

from training.evaluate import SILHOUETTE_LABELS, among, figures
from training.files import write_whole
from training.real import FilmClip, films, labelled, pictures, without_label
from training.residual import MOTION_SHARES, Choice, Clips, chosen, correction, logits_left_out, temperature
from training.sources import DATA, hmdb51_labels
from training.stills import MEAN, STD, groups, published_weights, stills_with
from vidlabel.ml.input import to_input
from vidlabel.ml.modelfile import LoadedModel, load_model, save_model
from vidlabel.ml.networks import build
from vidlabel.ml.networks.stills import FEATURES
from vidlabel.ml.networks.two_stream import TwoStream
from vidlabel.ml.preprocess import Preprocessing

SIDE = 160
LOOKS = 4
FENCING = "fencing"


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--motion", type=Path, required=True, help="what training.train made")
    parser.add_argument("--stills", type=Path, help="the image network's weights (default: the package's)")
    parser.add_argument(
        "--motion-share", type=float, default=MOTION_SHARES[0], help="of its logits, without real clips"
    )
    parser.add_argument("--real", choices=("none", "all"), default="all")
    parser.add_argument("--data", type=Path, default=DATA, help="footage (default: ../shared/data)")
    parser.add_argument("--side", type=int, default=SIDE, help="px of the image network's input")
    parser.add_argument("--looks", type=int, default=LOOKS, help="frames that it sees")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for model.safetensors and scores.json"
    )
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    torch.set_num_threads(options.threads)
    motion = load_model(options.motion)
    preprocessing = _preprocessing(motion, options.side)
    network, arguments_of = joined(
        motion, published_weights(options.stills), preprocessing=preprocessing, looks=options.looks
    )
    others, real = without_label(options.data), labelled(options.data)
    _learn_what_is_usual(network, others, preprocessing)
    known = _seen(network, real, preprocessing, motion)
    truth = torch.tensor([clip.label for clip in real])
    scores = {"without real clips": scored(known.base(options.motion_share), truth)}
    found: dict[str, Any] = {"real_clips": 0, "motion_share": options.motion_share, "strength": None}
    card = dict(motion.info.card)
    if options.real == "none":
        weight, bias = head_of(network, motion, share=options.motion_share)
    else:
        nothing = _seen(network, others, preprocessing, motion).features
        told, picks = nested(known, truth, films(real), nothing=nothing)
        counts = {str(pick): picks.count(pick) for pick in sorted(set(picks), key=str)}
        scores["with real clips, each scored without its film"] = scored(
            cooled(told, truth, films(real)), truth
        )
        choice, heat = chosen(known, truth, films(real), nothing=nothing), temperature(told, truth)
        weight, bias = head_of(network, motion, share=choice.motion_share)
        weight[:, _features(network)] = correction(known, truth, nothing, choice=choice).T
        weight, bias = weight / heat, bias / heat
        found = {"real_clips": len(real), **vars(choice), "temperature": heat, "choices_of_the_folds": counts}
        card["training_content_hashes"] = sorted(
            hashlib.sha256(clip.path.read_bytes()).hexdigest() for clip in (*real, *others)
        )
    with torch.no_grad():
        network.head.weight.copy_(weight)
        network.head.bias.copy_(bias)
    found["scores"] = scores
    card["joined"] = found
    save_model(
        options.out / "model.safetensors", network, name="joined", network="two_stream",
        network_args=arguments_of, labels=motion.info.labels, preprocessing=preprocessing, card=card,
    )  # fmt: skip
    text = json.dumps(found, indent=1)
    write_whole(options.out / "scores.json", lambda file: file.write(text.encode()))
    print(text)


def joined(
    motion: LoadedModel, stills: Path, *, preprocessing: Preprocessing, looks: int
) -> tuple[TwoStream, dict[str, Any]]:
    """The joined network with an empty head, and the arguments it is built from."""
    theirs = motion.info.preprocessing
    frames = theirs.frames
    arguments: dict[str, Any] = {
        "motion": {"network": motion.info.network, "args": motion.info.network_args},
        "motion_size": theirs.height,
        "motion_scale": [
            [ours / its for ours, its in zip(preprocessing.std, theirs.std, strict=True)],
            [
                (ours - its) / scale
                for ours, its, scale in zip(preprocessing.mean, theirs.mean, theirs.std, strict=True)
            ],
        ],
        "stills": [((2 * look + 1) * frames) // (2 * looks) for look in range(looks)],
        "groups": [list(classes) for _label, classes in groups()],
    }
    network = build("two_stream", labels=len(motion.info.labels), **arguments).eval()
    assert isinstance(network, TwoStream)
    state = motion.module.state_dict()
    network.motion.load_state_dict({key: state[key] for key in network.motion.state_dict()})
    network.stills.load_state_dict(stills_with(stills).state_dict())
    return network, arguments


def head_of(network: TwoStream, motion: LoadedModel, *, share: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight and bias that add up both streams' word as if they were independent (naive Bayes)."""
    theirs = motion.module.head
    weight = torch.zeros_like(network.head.weight)
    weight[:, : theirs.in_features] = theirs.weight.detach() * share
    first = network.head.in_features - len(groups())
    for place, (label, _classes) in enumerate(groups()):
        weight[label, first + place] = 1.0
    return weight, theirs.bias.detach() * share


def nested(
    known: Clips, truth: torch.Tensor, numbers: np.ndarray, *, nothing: torch.Tensor
) -> tuple[torch.Tensor, list[Choice]]:
    """Each clip's logits, by a head whose weights and settings were found without its film."""
    picks = []
    for film in np.unique(numbers):
        rest = torch.from_numpy(numbers != film)
        picks.append(chosen(known.part(rest), truth[rest], numbers[numbers != film], nothing=nothing))
    return logits_left_out(known, truth, numbers, nothing=nothing, choices=picks), picks


def cooled(logits: torch.Tensor, truth: torch.Tensor, numbers: np.ndarray) -> torch.Tensor:
    """Each film's logits at the temperature that suits the other films' answers."""
    out = torch.zeros_like(logits)
    for film in np.unique(numbers):
        inside = torch.from_numpy(numbers == film)
        out[inside] = logits[inside] / temperature(logits[~inside], truth[~inside])
    return out


def scored(logits: torch.Tensor, truth: torch.Tensor) -> dict[str, Any]:
    """The sets of training.evaluate: fencing, the rest, and the 21 labels that have silhouettes."""
    labels = hmdb51_labels()
    probabilities, true = torch.softmax(logits, dim=1).numpy(), truth.numpy()
    fencing = true == labels.index(FENCING)
    known = [labels.index(name) for name in SILHOUETTE_LABELS]
    inside = np.isin(true, known)
    return {
        "real_other": figures(probabilities[~fencing], true[~fencing], labels),
        "real_fencing": figures(probabilities[fencing], true[fencing], labels),
        "real_21": figures(*among(probabilities[inside], true[inside], known), SILHOUETTE_LABELS),
    }


def _preprocessing(motion: LoadedModel, side: int) -> Preprocessing:
    return Preprocessing(
        frames=motion.info.preprocessing.frames, height=side, width=side,
        span_s=motion.info.preprocessing.span_s, mean=MEAN, std=STD,
    )  # fmt: skip


def _features(network: TwoStream) -> slice:
    last = network.head.in_features - len(groups())
    return slice(last - FEATURES, last)


@torch.inference_mode()
def _learn_what_is_usual(network: TwoStream, clips: list[FilmClip], preprocessing: Preprocessing) -> None:
    seen = [network.seen(_input(frames, preprocessing)) for frames in pictures(clips, preprocessing)]
    features, evidence = (torch.cat(column) for column in zip(*seen, strict=True))
    network.feature_mean.copy_(features.mean(dim=0))
    network.feature_scale.copy_(1 / (features.std(dim=0) + 0.1))
    network.usual.copy_(evidence.mean(dim=0))


@torch.inference_mode()
def _seen(
    network: TwoStream, clips: list[FilmClip], preprocessing: Preprocessing, motion: LoadedModel
) -> Clips:
    embedded = torch.cat(
        [network.trunk_forward(_input(frames, preprocessing)) for frames in pictures(clips, preprocessing)]
    )
    first, last = _features(network).start, _features(network).stop
    evidence = torch.zeros(len(embedded), len(motion.info.labels))
    for place, (label, _classes) in enumerate(groups()):
        evidence[:, label] = embedded[:, last + place]
    logits = motion.module.head(embedded[:, :first])
    return Clips(logits.clone(), evidence.clone(), embedded[:, first:last].clone())


def _input(frames: np.ndarray, preprocessing: Preprocessing) -> torch.Tensor:
    return to_input(frames[None], preprocessing, "cpu")


if __name__ == "__main__":
    main()
