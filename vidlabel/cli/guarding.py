"""Before a model becomes a project's active one: what its proof says, in words, and whether that speaks against it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vidlabel.cli.evaluating import former_names, model_of_key
from vidlabel.cli.output import Output
from vidlabel.cli.progress import progress
from vidlabel.core.errors import ModelError, VidlabelError
from vidlabel.core.model_key import ModelKey
from vidlabel.core.proof import Proof
from vidlabel.core.proof_words import cautions, guard_words, verdict
from vidlabel.core.runs import RunFolder, runs_folder
from vidlabel.core.snapshot import Snapshot
from vidlabel.core.words import ClipQuery
from vidlabel.learning.run_files import read_proof
from vidlabel.ml.modelfile import ModelInfo
from vidlabel.store.project_store import ProjectStore


@dataclass(frozen=True, slots=True)
class Guarded:
    """What is known of a model that is to be promoted.

    Attributes:
        proof: of it against the active model; None where there is none.
        words: what a person should know, a sentence each.
    """

    proof: Proof | None = None
    words: tuple[str, ...] = ()


def guarded(store: ProjectStore, model: ModelInfo, *, strict: bool, output: Output) -> Guarded:
    """Looks up a model's proof; with ``strict`` it is measured anew where it is of another active model or missing.

    Raises:
        VidlabelError: ``strict``, and a label got worse than the bound, or that cannot be told.
    """
    active = store.active_model()
    if active is None or _plain(active[0]) == _plain(model.hash):
        return Guarded()
    proof = proof_of(store, model.hash)
    words: list[str] = []
    if proof is not None and _plain(proof.active.hash) != _plain(active[0]):
        if not strict:
            words.append(
                f"Its proof compares it with {proof.active.model}, which was the active model then; "
                f"now {active[1]} is. --strict compares them anew."
            )
        else:
            proof = None
    if proof is None and strict:
        proof = _proven(store, active[0], model, output)
    if proof is None:
        return Guarded(None, tuple(words))
    words += [verdict(proof), *cautions(proof)]
    worse = guard_words(proof)
    if worse and strict:
        raise VidlabelError(f"{model.name} was not made the active model (--strict). {worse}")
    if worse:
        words.append(f"{worse} `vidlabel models rollback {store.path}` takes it back.")
    return Guarded(proof, tuple(words))


def proof_of(store: ProjectStore, model_hash: str) -> Proof | None:
    """The proof of the run that made a model; None for a model that no run of this project made."""
    return next(
        (proof for proof in _proofs(store) if _plain(proof.candidate.hash) == _plain(model_hash)), None
    )


def _proofs(store: ProjectStore) -> Iterator[Proof]:
    """All there are, the newest run's first: from the runs' folders, and what the project keeps of others."""
    for row in reversed(store.runs.all()):
        proof = read_proof(RunFolder(runs_folder(store.path) / row.name), row.details.get("proof"))
        # A proof that cannot be read is none: the model can still be chosen.
        if proof is not None:
            yield proof


def _proven(store: ProjectStore, active_key: str, model: ModelInfo, output: Output) -> Proof:
    """The two compared now, on the frozen test clips.

    Raises:
        VidlabelError: they cannot be compared.
    """
    # Only now: torch takes its time.
    from vidlabel.engine.proving import prove

    refused = f"{model.name} was not made the active model (--strict):"
    snapshot = _frozen_test(store)
    if snapshot is None:
        raise VidlabelError(
            f"{refused} there are no frozen test clips to compare it on. `vidlabel train` sets some aside."
        )
    try:
        active = model_of_key(active_key)
    except ModelError as error:
        raise VidlabelError(f"{refused} it cannot be compared with the active one. {error}") from error
    paths = {
        clip.content_hash: str(clip.path)
        for clip in store.snapshots.curated(ClipQuery())
        if clip.content_hash and not clip.trouble
    }
    output.log(f"vidlabel: comparing {model.name} with {active.name} on the frozen test clips.")
    with progress("Comparing", total=2 * len(snapshot.of("test"))) as bar:
        proof = prove(
            active, model, snapshot, paths=paths, on_progress=bar.at,
            aliases=former_names(store, (*active.labels, *model.labels)),
            on_note=lambda words: output.log(f"vidlabel: {words}"),
        )  # fmt: skip
    if not proof.clips:
        raise VidlabelError(f"{refused} none of the frozen test clips can be read.")
    return proof


def _frozen_test(store: ProjectStore) -> Snapshot | None:
    newest = store.snapshots.newest()
    return newest if newest is not None and newest.of("test") else None


def _plain(key: str) -> str:
    return ModelKey.parse(key).hash
