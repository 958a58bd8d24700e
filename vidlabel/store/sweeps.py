"""Sweeps over videos as they come in, part by part, and the clips proposed from them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, delete, exists, insert, select, update

from vidlabel.core.errors import ModelError
from vidlabel.core.sweeps import LongVideo, ProposedClip, Sweep, SweepPlan
from vidlabel.core.time import now_us
from vidlabel.core.words import Changes, ClipRow, Suggestion
from vidlabel.store import suggestions as said
from vidlabel.store.engine import Database
from vidlabel.store.rows import ROWS, AnyRow, chunks, clip_row
from vidlabel.store.schema import clips, decisions, models, sweep_parts, sweeps

SAME_CLIP = 0.5
"""A proposal that overlaps a clip which stays by this much (intersection over union) is that clip, found again."""

_SWEEPS = select(sweeps, models.c.hash).join(models, models.c.id == sweeps.c.model_id)


class Sweeps:
    """What the project keeps of sweeps; :attr:`ProjectStore.sweeps`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_video(self, video_id: int, model_hash: str) -> Sweep | None:
        """How far this model's sweep over this video has come; None: not begun."""
        with self._database.read() as connection:
            return _find(connection, video_id, model_hash)

    def long_videos(self, model_hash: str, *, at_least_us: int) -> tuple[LongVideo, ...]:
        """Readable videos of at least this length, by path, each with the model's sweep if there is one."""
        wanted = ROWS.where(
            clips.c.whole, ~clips.c.removed, clips.c.trouble.is_(None), clips.c.duration_us >= at_least_us
        ).order_by(clips.c.root_id, clips.c.relative)
        with self._database.read() as connection:
            rows = [clip_row(row) for row in connection.execute(wanted)]
            begun = {
                row.video_id: _sweep(row)
                for row in connection.execute(_SWEEPS.where(models.c.hash == model_hash))
            }
        return tuple(LongVideo(clip=row, sweep=begun.get(row.video_id)) for row in rows)

    def begin(self, model_hash: str, video_id: int, plan: SweepPlan) -> Sweep:
        """The model's sweep over the video with these windows: to be gone on with, or begun.

        One with other windows is begun anew; what was proposed from it stays until something else is proposed.

        Raises:
            ModelError: the model was not registered.
        """
        with self._database.write() as connection:
            known = _find(connection, video_id, model_hash)
            windows = (plan.window_us, plan.step_us, plan.windows)
            if known is not None and (known.window_us, known.step_us, known.windows) == windows:
                return known
            values = {
                "window_us": plan.window_us, "step_us": plan.step_us, "windows": plan.windows, "done": 0,
                "started_at_us": now_us(), "finished_at_us": None,
            }  # fmt: skip
            if known is not None:
                connection.execute(delete(sweep_parts).where(sweep_parts.c.sweep_id == known.id))
                connection.execute(update(sweeps).where(sweeps.c.id == known.id).values(**values))
            else:
                model_id = _model_id(connection, model_hash)
                connection.execute(insert(sweeps).values(model_id=model_id, video_id=video_id, **values))
            begun = _find(connection, video_id, model_hash)
            assert begun is not None
            return begun

    def add_part(self, sweep: Sweep, first: int, *, windows: int, scores: bytes) -> Sweep | None:
        """Keeps the windows ``[first, first + windows)``, on the disk when this returns.

        Args:
            sweep: as it was answered last.
            first: the window after those stored; a part that does not follow on is not kept.
            windows: how many.
            scores: float16, little-endian, (windows, labels).

        Returns:
            the sweep as it is now; None where the part is of a sweep that has been begun anew, or is gone.
        """
        with self._database.write_durably() as connection:
            now = _by_id(connection, sweep.id)
            same = now is not None and (now.window_us, now.step_us) == (sweep.window_us, sweep.step_us)
            if now is None or not same or now.done != first or first + windows > now.windows:
                return None
            connection.execute(
                insert(sweep_parts).values(sweep_id=now.id, first=first, windows=windows, scores=scores)
            )
            done = first + windows
            ended = now_us() if done == now.windows else None
            connection.execute(
                update(sweeps).where(sweeps.c.id == now.id).values(done=done, finished_at_us=ended)
            )
            return _by_id(connection, now.id)

    def scores(self, sweep: Sweep) -> bytes:
        """All windows stored so far: float16, little-endian, (done, labels)."""
        wanted = select(sweep_parts.c.scores).where(sweep_parts.c.sweep_id == sweep.id)
        with self._database.read() as connection:
            return b"".join(connection.execute(wanted.order_by(sweep_parts.c.first)).scalars())

    def labels(self, sweep: Sweep) -> tuple[str, ...]:
        """The labels of the sweep's model, in its order."""
        with self._database.read() as connection:
            found = connection.execute(select(models.c.labels).where(models.c.hash == sweep.model)).scalar()
        return tuple(json.loads(found or "[]"))

    def whole(self, video_id: int) -> ClipRow | None:
        """The clip that is the whole video."""
        with self._database.read() as connection:
            row = connection.execute(ROWS.where(clips.c.video_id == video_id, clips.c.whole)).first()
        return None if row is None else clip_row(row)

    def was_proposed_from(self, sweep: Sweep) -> bool:
        """Whether any clip was ever proposed from it."""
        with self._database.read() as connection:
            wanted = select(clips.c.id).where(clips.c.proposed_by == sweep.id).limit(1)
            return connection.execute(wanted).first() is not None

    def proposed(self, sweep: Sweep) -> tuple[ClipRow, ...]:
        """The listed clips that were proposed from the sweep, decided ones too, by start."""
        wanted = ROWS.where(clips.c.proposed_by == sweep.id, ~clips.c.removed).order_by(clips.c.start_us)
        with self._database.read() as connection:
            return tuple(clip_row(row) for row in connection.execute(wanted))

    def marked(self, video_id: int) -> tuple[ClipRow, ...]:
        """All listed clips inside a video, proposed or marked by a person, by start."""
        wanted = ROWS.where(clips.c.video_id == video_id, ~clips.c.whole, ~clips.c.removed)
        with self._database.read() as connection:
            return tuple(clip_row(row) for row in connection.execute(wanted.order_by(clips.c.start_us)))

    def propose(
        self, sweep: Sweep, proposed: Sequence[ProposedClip], *, keep: Collection[int] = frozenset()
    ) -> Changes:
        """Lists these clips in place of those proposed for the video before that nobody has decided about.

        What has a decision, even one taken back, stays, and so does what a person marked, and the clips in
        ``keep`` (the one on screen). A proposal that is much the same as one of those is passed over. A clip
        that was proposed before with the same times keeps its id, and what the model said of it.
        """
        with self._database.write_durably() as connection:
            standing, replaced = _standing(connection, sweep, keep)
            fresh = [clip for clip in proposed if not any(_same(clip, range_) for range_ in standing)]
            times = {(clip.start_us, clip.end_us) for clip in fresh}
            gone = [clip_id for clip_id, range_ in replaced.items() if range_ not in times]
            for chunk in chunks(gone):
                connection.execute(update(clips).where(clips.c.id.in_(chunk)).values(removed=True))
            came = _list(connection, sweep, fresh)
            known = said.find_many(connection, list(came), sweep.model)
            said.save(
                connection,
                [
                    Suggestion(clip_id=clip_id, model=sweep.model, scores=clip.scores,
                               margin=clip.margin, entropy=clip.entropy)
                    for clip_id, clip in came.items()
                    if clip_id not in known
                ],
            )  # fmt: skip
        changed = frozenset(gone) | frozenset(came)
        return Changes(clips=changed, library=bool(gone) or bool(came.keys() - replaced.keys()))


def forget(connection: Connection, video_ids: Iterable[int]) -> None:
    """These videos go, and with them their sweeps."""
    for video_id in video_ids:
        of_video = select(sweeps.c.id).where(sweeps.c.video_id == video_id)
        connection.execute(delete(sweep_parts).where(sweep_parts.c.sweep_id.in_(of_video)))
        connection.execute(delete(sweeps).where(sweeps.c.video_id == video_id))


def _model_id(connection: Connection, model_hash: str) -> int:
    model_id = said.model_id_of(connection, model_hash)
    if model_id is None:
        raise ModelError(model_hash[:12], "this project does not know it; register it first.")
    return model_id


def _find(connection: Connection, video_id: int, model_hash: str) -> Sweep | None:
    return _one(connection, sweeps.c.video_id == video_id, models.c.hash == model_hash)


def _by_id(connection: Connection, sweep_id: int) -> Sweep | None:
    return _one(connection, sweeps.c.id == sweep_id)


def _one(connection: Connection, *conditions: ColumnElement[bool]) -> Sweep | None:
    row = connection.execute(_SWEEPS.where(*conditions)).first()
    return None if row is None else _sweep(row)


def _sweep(row: AnyRow) -> Sweep:
    return Sweep(
        id=row.id,
        model=row.hash,
        video_id=row.video_id,
        window_us=row.window_us,
        step_us=row.step_us,
        windows=row.windows,
        done=row.done,
        finished=row.finished_at_us is not None,
    )


Times = tuple[int, int]


def _standing(
    connection: Connection, sweep: Sweep, keep: Collection[int]
) -> tuple[list[Times], dict[int, Times]]:
    """The times of the clips inside the video that stay, and by id of those that may be replaced."""
    decided = exists().where(decisions.c.clip_id == clips.c.id)
    inside = select(clips.c.id, clips.c.start_us, clips.c.end_us, clips.c.proposed_by, decided).where(
        clips.c.video_id == sweep.video_id, ~clips.c.whole, ~clips.c.removed
    )
    standing: list[Times] = []
    replaced: dict[int, Times] = {}
    for clip_id, start_us, end_us, proposed_by, has_decision in connection.execute(inside):
        if proposed_by is not None and not has_decision and clip_id not in keep:
            replaced[clip_id] = (start_us, end_us)
        else:
            standing.append((start_us, end_us))
    return standing, replaced


def _same(clip: ProposedClip, other: Times) -> bool:
    both = min(clip.end_us, other[1]) - max(clip.start_us, other[0])
    either = max(clip.end_us, other[1]) - min(clip.start_us, other[0])
    return both >= SAME_CLIP * either


def _list(connection: Connection, sweep: Sweep, proposed: Sequence[ProposedClip]) -> dict[int, ProposedClip]:
    """Makes these clips, or lists those again that were proposed before; by id."""
    whole = connection.execute(select(clips).where(clips.c.video_id == sweep.video_id, clips.c.whole)).first()
    if whole is None:
        return {}
    inside = select(clips.c.id, clips.c.start_us, clips.c.end_us, clips.c.removed, clips.c.proposed_by).where(
        clips.c.video_id == sweep.video_id, ~clips.c.whole
    )
    known = {(row.start_us, row.end_us): row for row in connection.execute(inside)}
    listed: dict[int, ProposedClip] = {}
    for clip in proposed:
        before = known.get((clip.start_us, clip.end_us))
        if (clip.start_us, clip.end_us) == (whole.start_us, whole.end_us):
            continue  # It is in the queue already.
        if before is None:
            key = connection.execute(
                insert(clips).values(
                    video_id=sweep.video_id, start_us=clip.start_us, end_us=clip.end_us,
                    start_frame=clip.frames[0], end_frame=clip.frames[1], whole=False, removed=False,
                    root_id=whole.root_id, relative=whole.relative, name=whole.name, trouble=whole.trouble,
                    proposed_by=sweep.id,
                )
            ).inserted_primary_key  # fmt: skip
            listed[int(key[0]) if key else 0] = clip
        elif before.proposed_by is not None:
            shown = update(clips).where(clips.c.id == before.id)
            connection.execute(shown.values(removed=False, proposed_by=sweep.id))
            listed[before.id] = clip
        # Otherwise a person marked a clip of exactly these times and removed it: it does not come back.
    return listed
