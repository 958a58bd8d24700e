from __future__ import annotations

import pytest
import torch

from vidlabel.core.errors import DeviceError
from vidlabel.ml.devices import bfloat16_gain, choose_device, describe_devices, is_out_of_memory


def test_the_cpu_is_always_there():
    device = choose_device("cpu")
    assert device.kind == "cpu" and device.name and torch.__version__ in device.detail


def test_auto_is_the_first_kind_that_works():
    usable = [report.device for report in describe_devices() if report.device]
    assert choose_device("auto").kind == usable[0].kind
    assert usable[-1].kind == "cpu"


def test_every_kind_is_usable_or_says_why_not_and_what_to_do():
    reports = describe_devices()
    assert [report.kind for report in reports] == ["cuda", "mps", "cpu"]
    for report in reports:
        assert report.device or (report.reason.endswith(".") and report.remedy.endswith("."))


def test_an_unknown_device_is_refused():
    with pytest.raises(DeviceError, match="Choose one of auto, cpu, cuda, mps"):
        choose_device("tpu")


def test_a_missing_gpu_is_explained(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match=r"cuda cannot be used: .*--device cpu"):
        choose_device("cuda")
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    with pytest.raises(DeviceError, match="built without CUDA"):
        choose_device("cuda")


def test_a_gpu_that_fails_at_its_first_kernel_is_not_chosen(monkeypatch):
    class Properties:
        total_memory, major, minor, name = 2**33, 3, 5, "Old"

    def failing(*args, **kwargs):
        raise RuntimeError("CUDA error: no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Properties)
    monkeypatch.setattr(torch, "zeros", failing)
    assert choose_device("auto").kind in ("cpu", "mps")
    with pytest.raises(DeviceError, match="no kernel image"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (
            RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory"),
            True,
        ),
        (RuntimeError("MPS backend out of memory"), True),
        (RuntimeError("CUDNN_STATUS_ALLOC_FAILED"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: device-side assert triggered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_out_of_memory_is_recognised(error, expected):
    assert is_out_of_memory(error) is expected


def test_the_gain_of_bfloat16_is_measured():
    assert bfloat16_gain(choose_device("cpu")) >= 0
