"""What one writes in ten lines to label a folder: every frame read with OpenCV, one clip at a time, float32.

A process of its own, so that torch runs with its own settings and not with vidlabel's. It takes a model's path as
argument, then on each line of its input ``{"clips": [path, ...], "grab": bool, "device": kind}``, and answers each
with the seconds it took, on the clock and of processor time. ``grab`` passes over unwanted frames without
converting them to a picture, which a careful person does.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from time import perf_counter, process_time

import cv2
import numpy as np
import torch
from torch import nn

from vidlabel.ml.modelfile import load_model
from vidlabel.ml.preprocess import Preprocessing


def look_at(path: str, network: nn.Module, p: Preprocessing, *, grab: bool, device: str) -> torch.Tensor:
    """The probabilities of one clip."""
    capture = cv2.VideoCapture(path)
    count, fps = int(capture.get(cv2.CAP_PROP_FRAME_COUNT)), capture.get(cv2.CAP_PROP_FPS)
    positions = p.positions(count, fps)
    frames = {}
    for number in range(count):
        if number in positions or not grab:
            there, frame = capture.read()
        else:
            there, frame = capture.grab(), None
        if there and number in positions:
            frames[number] = cv2.cvtColor(cv2.resize(frame, (p.width, p.height)), cv2.COLOR_BGR2RGB)
    clip = torch.from_numpy(np.stack([frames[number] for number in positions])).to(device)
    x = (clip.float() / 255 - torch.tensor(p.mean, device=device)) / torch.tensor(p.std, device=device)
    with torch.inference_mode():
        return torch.softmax(network(x.permute(3, 0, 1, 2)[None]), dim=1)[0].cpu()


def main(model: str) -> None:
    """Answers until the end of the input."""
    loaded = load_model(Path(model))
    for line in sys.stdin:
        wish = json.loads(line)
        network = loaded.module.to(wish["device"])
        began, worked = perf_counter(), process_time()
        for path in wish["clips"]:
            look_at(path, network, loaded.info.preprocessing, grab=wish["grab"], device=wish["device"])
        answer = {"seconds": perf_counter() - began, "work": process_time() - worked}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
