"""The computing device a model runs on: chosen, explained, and refused with a remedy."""

from __future__ import annotations

import platform
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vidlabel.core.errors import DeviceError

Kind = Literal["cpu", "cuda", "mps"]
CHOICES = ("auto", "cpu", "cuda", "mps")


@dataclass(frozen=True)
class Device:
    """A device that works: torch's ``kind`` of it, the maker's ``name``, and a line of ``detail``."""

    kind: Kind
    name: str
    detail: str


@dataclass(frozen=True)
class DeviceReport:
    """One line of ``vidlabel doctor``: the device if it can be used, else why not and what to do."""

    kind: Kind
    device: Device | None
    reason: str = ""
    remedy: str = ""


def choose_device(choice: str = "auto") -> Device:
    """The device asked for, or with ``auto`` the fastest kind that works: cuda, mps, cpu.

    Args:
        choice: ``"auto"``, ``"cpu"``, ``"cuda"`` or ``"mps"``.

    Raises:
        DeviceError: the device asked for cannot be used; the message says why and what to do.
    """
    if choice not in CHOICES:
        raise DeviceError(f"There is no device '{choice}'. Choose one of {', '.join(CHOICES)}.")
    if choice == "auto":
        return next(report.device for report in _tried(("cuda", "mps", "cpu")) if report.device)
    report = _PROBES[choice]()
    if report.device is None:
        raise DeviceError(f"{choice} cannot be used: {report.reason} {report.remedy}")
    return report.device


def describe_devices() -> tuple[DeviceReport, ...]:
    """All kinds of device, each with what it is or why it cannot be used."""
    return _tried(("cuda", "mps", "cpu"))


def bfloat16_gain(device: Device) -> float:
    """How many times faster a convolution is in bfloat16 than in float32 here, measured (about 0.1 s).

    Processors without the instructions emulate them, several times slower; no flag tells this reliably.
    """
    import torch

    torch_device = torch.device(device.kind)

    def seconds(dtype: torch.dtype) -> float:
        layer = torch.nn.Conv3d(32, 32, (1, 3, 3), padding=(0, 1, 1)).to(torch_device, dtype)
        x = torch.zeros(1, 32, 8, 32, 32, device=torch_device, dtype=dtype)
        with torch.inference_mode():
            return quickest(lambda: layer(x), synchronise(device.kind), repeats=8)

    try:
        return seconds(torch.float32) / seconds(torch.bfloat16)
    except RuntimeError:
        return 0.0  # This device has no bfloat16 convolution at all.


def quickest(work: Callable[[], object], wait: Callable[[], None], *, repeats: int) -> float:
    """Seconds of the quickest of ``repeats`` runs after one to warm up; other programs only slow a run."""
    work()
    wait()
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        wait()
        best = min(best, time.perf_counter() - started)
    return best


def synchronise(kind: Kind) -> Callable[[], None]:
    """What waits until the device has done all it was given."""
    import torch

    return {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(kind, lambda: None)


def free_memory(kind: Kind) -> None:
    """Gives memory kept for reuse back to the device."""
    import torch

    if kind == "cuda":
        torch.cuda.empty_cache()
    elif kind == "mps":
        torch.mps.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that the device's memory did not suffice."""
    import torch

    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    words = str(error)
    # cuBLAS and cuDNN have words of their own for it; the CPU and Metal raise plain RuntimeErrors.
    signs = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(sign in words for sign in signs)


def _tried(kinds: tuple[Kind, ...]) -> tuple[DeviceReport, ...]:
    return tuple(_PROBES[kind]() for kind in kinds)


def _probe_cpu() -> DeviceReport:
    import torch

    name = _processor_name()
    capability = torch.backends.cpu.get_cpu_capability()
    return DeviceReport(
        "cpu",
        Device("cpu", name, f"{torch.get_num_threads()} threads, {capability}, torch {torch.__version__}"),
    )


def _probe_cuda() -> DeviceReport:
    import torch

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        available = torch.cuda.is_available()
    if not available:
        said = f" torch says: {str(caught[0].message).splitlines()[0]}" if caught else ""
        if torch.version.cuda is None and torch.version.hip is None:
            reason = f"this torch {torch.__version__} was built without CUDA."
            remedy = "Install a CUDA build of torch (pytorch.org names the command), or use --device cpu."
        else:
            reason = (
                f"no usable GPU or driver was found (torch is built for CUDA {torch.version.cuda}).{said}"
            )
            remedy = "Check that nvidia-smi lists the GPU and update its driver, or use --device cpu."
        return DeviceReport("cuda", None, reason, remedy)
    try:
        properties = torch.cuda.get_device_properties(0)
        # A GPU older than this torch supports is 'available' and fails at its first kernel.
        torch.zeros(8, device="cuda").add_(1).sum().item()
    except RuntimeError as error:
        reason = f"the GPU does not take work: {str(error).splitlines()[0]}"
        remedy = "Close other programs that use it, install a torch that supports it, or use --device cpu."
        return DeviceReport("cuda", None, reason, remedy)
    memory = properties.total_memory / 2**30
    capability = f"compute {properties.major}.{properties.minor}"
    detail = f"{memory:.0f} GiB, {capability}, CUDA {torch.version.cuda}, torch {torch.__version__}"
    return DeviceReport("cuda", Device("cuda", properties.name, detail))


def _probe_mps() -> DeviceReport:
    import torch

    if not torch.backends.mps.is_available():
        if platform.system() != "Darwin":
            return DeviceReport("mps", None, "it exists on Apple computers only.", "Use --device auto.")
        built = torch.backends.mps.is_built()
        reason = (
            "this macOS or computer has no Metal for torch." if built else "this torch was built without it."
        )
        return DeviceReport(
            "mps", None, reason, "Update macOS (12.3 or later) and torch, or use --device cpu."
        )
    return DeviceReport(
        "mps",
        Device("mps", _processor_name(), f"Metal, macOS {platform.mac_ver()[0]}, torch {torch.__version__}"),
    )


def _processor_name() -> str:
    """The maker's name where the system tells it in a file, else the architecture."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.processor() or platform.machine() or "CPU"


_PROBES: dict[str, Callable[[], DeviceReport]] = {"cpu": _probe_cpu, "cuda": _probe_cuda, "mps": _probe_mps}
