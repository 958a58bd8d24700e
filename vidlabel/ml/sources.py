"""Where a published model's weights are to be had now: torchvision's own address, a mirror, or the hub.

``VIDLABEL_WEIGHTS_MIRROR`` names another place for torchvision's files: the beginning of an address, or a
folder, with the files under their published names. ``HF_ENDPOINT`` is the hub's own way to name a mirror.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import unquote, urlsplit

from vidlabel import __version__
from vidlabel.core.catalogue import PublishedModel
from vidlabel.core.errors import DownloadError, ModelError
from vidlabel.ml.fetching import Remote
from vidlabel.ml.network import Patience, explain, explain_status, refuse_offline
from vidlabel.ml.part import Checksum

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

MIRROR = "VIDLABEL_WEIGHTS_MIRROR"
_HUB = "https://huggingface.co"
# Weights that cannot run code come first; of pickles only tensors are read, whatever they are called.
_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_USUAL_NAMES = ("model", "pytorch_model")


@dataclass(frozen=True)
class Source:
    """A published model's file: how to fetch it, its name, and the hub's revision (empty for torchvision)."""

    remote: Remote
    file: str
    revision: str = ""


def find_source(entry: PublishedModel, patience: Patience) -> Source:
    """Where the weights of a published model are; asks the hub where they lie there.

    Raises:
        DownloadError: the hub cannot be asked, or may not be (offline).
        ModelError: the repository has no weights.
    """
    return _torchvision(entry) if entry.origin == "torchvision" else _hub(entry, patience)


def _torchvision(entry: PublishedModel) -> Source:
    mirror = os.environ.get(MIRROR, "").strip()
    url = "" if mirror and entry.file else _enum_url(entry)
    file = entry.file or PurePosixPath(urlsplit(url).path).name
    if mirror:
        url = _in_mirror(mirror, file)
    in_name = re.search(r"-([0-9a-f]{8,64})\.", file)
    start = entry.sha256_start or (in_name[1] if in_name else "")
    return Source(Remote(url, checksum=Checksum(start.lower()) if start else None), file)


def _enum_url(entry: PublishedModel) -> str:
    refuse_offline(entry.name)
    from torchvision.models import get_weight

    try:
        return str(get_weight(entry.weights).url)
    except (ValueError, KeyError, AttributeError) as error:
        raise ModelError(
            entry.name, f"this torchvision does not know the weights {entry.weights}. Update torchvision."
        ) from error


def _in_mirror(mirror: str, file: str) -> str:
    """The file's place in the mirror: an address, or a path."""
    if mirror.startswith("file://"):
        mirror = unquote(urlsplit(mirror).path)
    if "://" in mirror:
        return f"{mirror.rstrip('/')}/{file}"
    return str(Path(mirror).expanduser().absolute() / file)


def _hub(entry: PublishedModel, patience: Patience) -> Source:
    refuse_offline(entry.name)
    # Before its first import. It would tell the hub, among others, which programs run here.
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import hf_hub_url
    from huggingface_hub.utils import build_hf_headers

    endpoint = os.environ.get("HF_ENDPOINT", "").strip().rstrip("/") or _HUB
    info = _listed(entry, endpoint, patience)
    sibling = _weights(entry, info.siblings or [])
    url = hf_hub_url(entry.repository, sibling.rfilename, revision=info.sha, endpoint=endpoint)
    headers = build_hf_headers(token=_token(), library_name="vidlabel", library_version=__version__)
    remote = Remote(url, size=sibling.size, checksum=_checksum(sibling), headers=headers)
    return Source(remote, PurePosixPath(sibling.rfilename).name, revision=str(info.sha or ""))


def _listed(entry: PublishedModel, endpoint: str, patience: Patience) -> Any:
    """The repository's files, with sizes and hashes, at its newest revision."""
    import httpx2
    from huggingface_hub import HfApi
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled

    url = f"{endpoint}/{entry.repository}"
    try:
        hub = HfApi(endpoint, _token(), library_name="vidlabel", library_version=__version__)
        return hub.model_info(entry.repository, files_metadata=True, timeout=patience.silent_s)
    except OfflineModeIsEnabled as error:
        raise DownloadError(
            entry.name, "HF_HUB_OFFLINE is set, so nothing is fetched.", kind="offline"
        ) from error
    except GatedRepoError as error:
        raise DownloadError(
            entry.name, f"{url} asks for an account. Agree to its terms there and set HF_TOKEN."
        ) from error
    except HfHubHTTPError as error:
        raise explain_status(entry.name, url, error.response.status_code) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise explain(entry.name, url, error) from error
    except (ValueError, KeyError, TypeError) as error:
        raise DownloadError(
            entry.name,
            f"{endpoint} does not answer like the hub. Check HF_ENDPOINT; does this network want a log-in first?",
        ) from error


def _token() -> str | Literal[False]:
    """The one set for this program; one that another program saved is none of ours to send."""
    return os.environ.get("HF_TOKEN") or False


def _weights(entry: PublishedModel, siblings: list[RepoSibling]) -> RepoSibling:
    """The file with the weights: the one the catalogue names, else safetensors before anything else."""
    usable = [one for one in siblings if PurePosixPath(one.rfilename).suffix in _SUFFIXES]
    if not usable:
        listed = ", ".join(one.rfilename for one in siblings) or "nothing"
        raise ModelError(entry.name, f"its repository {entry.repository} holds no weights: {listed}.")
    return min(usable, key=lambda one: _rank(entry, one))


def _rank(entry: PublishedModel, sibling: RepoSibling) -> tuple[bool, int, bool, int, str]:
    path = PurePosixPath(sibling.rfilename)
    unusual = path.stem not in _USUAL_NAMES
    return (
        sibling.rfilename != entry.file,
        _SUFFIXES.index(path.suffix),
        unusual,
        -(sibling.size or 0),
        sibling.rfilename,
    )


def _checksum(sibling: RepoSibling) -> Checksum | None:
    if sibling.lfs is not None:
        return Checksum(sibling.lfs.sha256.lower())
    return Checksum(sibling.blob_id.lower(), "git") if sibling.blob_id else None
