"""Which models there are: read from files off the GUI thread, without torch."""

from __future__ import annotations

import importlib
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from vidlabel.core.catalogue import published_models
from vidlabel.core.errors import VidlabelError
from vidlabel.services.model_facts import (
    LabelNote,
    LabelReach,
    ModelFacts,
    facts_of_info,
    facts_of_published,
)

if TYPE_CHECKING:
    from vidlabel.core.words import CalibrationState
    from vidlabel.store.project_store import ProjectStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Damaged:
    """A file in the folder of models that cannot be used."""

    path: Path
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """All models: those on this computer (the bundled one first), damaged files, and what can be installed."""

    here: tuple[ModelFacts, ...] = ()
    damaged: tuple[Damaged, ...] = ()
    published: tuple[ModelFacts, ...] = ()
    fetched: Mapping[str, int] = field(default_factory=dict)
    """Bytes that an install which was stopped has brought already, by published model."""
    trouble: str = ""
    """Why the list of published models cannot be read, '' if it can."""
    offline: str = ""
    """The setting that forbids to use the network, such as ``VIDLABEL_OFFLINE=1``; '' where it may be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InProject:
    """What the open project has of one model: clips it has suggested a label for, of how many it can read."""

    model: str
    clips: int
    of: int
    calibration: CalibrationState
    trained: int = 0
    """Decided clips left out of the calibration because the model was trained on them."""
    unhashed: int = 0
    """Left out until it is known whether they are among those."""


def survey() -> Survey:
    """Reads the headers of all model files and the catalogue; in the pool, for it hashes what is new."""
    # Loaded here: nothing of this is needed before the models page is opened.
    catalogue: Any = importlib.import_module("vidlabel.ml.catalogue")
    header: Any = importlib.import_module("vidlabel.ml.header")
    network: Any = importlib.import_module("vidlabel.ml.network")
    trouble = ""
    published: tuple[ModelFacts, ...] = ()
    try:
        reach = _reach_by_classes()
        published = tuple(facts_of_published(model, reach[model.classes]) for model in published_models())
    except (VidlabelError, OSError, ValueError, KeyError, TypeError) as error:
        trouble = f"The list of models that can be installed cannot be read: {error}"
    by_name = {facts.published: facts for facts in published}
    here: list[ModelFacts] = []
    damaged = [Damaged(path=Path(error.model), reason=error.reason) for error in catalogue.damaged_models()]
    for info in catalogue.list_models():
        try:
            shapes = header.read_header(info.path).shapes
            here.append(facts_of_info(info, shapes=shapes, published=_published(info, by_name)))
        except (VidlabelError, OSError) as error:
            # It went, or was damaged, since it was listed.
            damaged.append(Damaged(path=info.path, reason=str(error)))
    return Survey(
        here=tuple(here), damaged=tuple(damaged), published=published, trouble=trouble,
        offline=network.offline_setting() or "", fetched=_fetched(),
    )  # fmt: skip


def in_project(model_hash: str, store: ProjectStore) -> InProject:
    """On the reading thread."""
    clips, of = store.known_models.suggested(model_hash)
    recalibration: Any = importlib.import_module("vidlabel.learning.recalibration")
    measurable = store.calibrations.measurable(model_hash)
    newest = store.calibrations.newest(model_hash)
    return InProject(
        model=model_hash,
        clips=clips,
        of=of,
        calibration=recalibration.state_of(model_hash, measurable.clips, newest),
        trained=measurable.trained,
        unhashed=measurable.unhashed,
    )


def active_model(store: ProjectStore) -> str:
    """The hash of the project's active model, '' for none; on the reading thread."""
    active = store.active_model()
    return "" if active is None else active[0]


def proxy_words() -> str:
    """Which proxy downloads go through, '' for none."""
    proxy = urllib.request.getproxies().get("https", "")
    if not proxy:
        return ""
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    # Never the name and password that may stand in it.
    host = parts.hostname or "one that cannot be read"
    try:
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        port = ""
    return f"Downloads go through the proxy {host}{port}."


def _published(info: Any, by_name: Mapping[str, ModelFacts]) -> ModelFacts | None:
    """The entry of the catalogue that a model file was made of; a person's own model may carry its card on."""
    facts = by_name.get(str(info.card.get("published")))
    return facts if facts is not None and facts.network == info.network else None


def _fetched() -> dict[str, int]:
    install: Any = importlib.import_module("vidlabel.ml.install")
    folder: Path = install.downloads_folder()
    found: dict[str, int] = {}
    for part in folder.glob("*/*.part"):
        with suppress(OSError):  # It became a whole file meanwhile.
            found[part.parent.name] = found.get(part.parent.name, 0) + part.stat().st_size
    return found


def _reach_by_classes() -> dict[str, LabelReach]:
    """For each kind of head: what it can suggest of HMDB51's labels."""
    kinetics: Any = importlib.import_module("vidlabel.ml.kinetics")
    table = kinetics.counterparts()
    return {
        "hmdb51": LabelReach(able=tuple(entry.label for entry in table)),
        "kinetics400": LabelReach(
            able=tuple(entry.label for entry in table if entry.classes),
            loosely=tuple(
                LabelNote(entry.label, entry.note) for entry in table if entry.classes and not entry.means
            ),
            unable=tuple(LabelNote(entry.label, entry.note) for entry in table if not entry.classes),
        ),
    }
