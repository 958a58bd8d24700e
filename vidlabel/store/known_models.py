"""What a project has of the models it knows, as counts."""

from __future__ import annotations

from sqlalchemy import func, select

from vidlabel.core.words import ClipState
from vidlabel.store.engine import Database
from vidlabel.store.schema import clips, models, suggestions

_TROUBLE = (ClipState.MISSING.value, ClipState.UNREADABLE.value)


class KnownModels:
    """Reads only; the project's own store is where models are registered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def suggested(self, model_hash: str) -> tuple[int, int]:
        """Of how many clips the model has said something, and how many there are that can be read."""
        readable = ~clips.c.removed, clips.c.state.not_in(_TROUBLE)
        said = (
            select(func.count())
            .select_from(suggestions)
            .join(models, models.c.id == suggestions.c.model_id)
            .join(clips, clips.c.id == suggestions.c.clip_id)
            .where(models.c.hash == model_hash, *readable)
        )
        with self._database.read() as connection:
            of = connection.execute(select(func.count()).select_from(clips).where(*readable)).scalar_one()
            return int(connection.execute(said).scalar_one()), int(of)
