"""Which model a command is to use: the one named, else the project's own."""

from __future__ import annotations

from vidlabel.cli.output import Output
from vidlabel.core.errors import ModelError
from vidlabel.core.model_key import ModelKey
from vidlabel.ml.catalogue import BUNDLED, find_model
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.store.project_store import ProjectStore


def chosen_model(store: ProjectStore, name: str | None, output: Output) -> ModelInfo:
    """The model of this name, hash or path, else the project's active one, else the bundled one.

    It is made known to the project; a bundled model of an older version gives way to the present one.

    Raises:
        ModelError: there is no such model here.
    """
    model = find_model(name) if name is not None else _own_model(store, output)
    store.register_model(model.hash, model.name, model.labels, model.card)
    return model


def _own_model(store: ProjectStore, output: Output) -> ModelInfo:
    active = store.active_model()
    if active is None:
        return find_model(BUNDLED)
    model_hash, known_as = active
    try:
        return find_model(ModelKey.parse(model_hash).hash)
    except ModelError as error:
        if known_as != ModelKey.parse(model_hash).name(BUNDLED):
            reason = (
                f"it is the project's active one, but it cannot be used here: {error.reason} Give --model M."
            )
            raise ModelError(f"{known_as} ({model_hash[:12]})", reason) from error
    model = find_model(BUNDLED)
    output.log(f"vidlabel: the bundled model is another one now ({model.hash[:12]}); it takes over.")
    store.register_model(model.hash, model.name, model.labels, model.card)
    store.set_active_model(model.hash)
    return model
