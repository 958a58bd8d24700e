"""The words of the product as frozen values. Every floor speaks in these."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class ClipState(StrEnum):
    """What a list shows for a clip. The file's trouble wins over what was decided about it."""

    UNDECIDED = "undecided"
    SUGGESTED = "suggested"
    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    LABELLED = "labelled"
    SKIPPED = "skipped"
    UNSURE = "unsure"
    UNUSABLE = "unusable"
    MISSING = "missing"
    UNREADABLE = "unreadable"


DECIDED_STATES = frozenset({ClipState.ACCEPTED, ClipState.CORRECTED, ClipState.LABELLED})
"""What the word 'decided' means in filters and counts."""

PENDING_STATES = frozenset({ClipState.UNDECIDED, ClipState.SUGGESTED, ClipState.SKIPPED})
"""States that still wait in the queue (skipped ones at its end)."""


class DecisionKind(StrEnum):
    """What a person did to a clip. ``WITHDRAWN`` is what an undo leaves: the clip is undecided again."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    LABELLED = "labelled"
    SKIPPED = "skipped"
    UNSURE = "unsure"
    UNUSABLE = "unusable"
    WITHDRAWN = "withdrawn"


class QueueOrder(StrEnum):
    """How the queue is sorted."""

    LEAST_SURE = "least-sure"
    SUREST = "surest"
    PATH = "path"
    RANDOM = "random"


MOST_VIEWS = 16


class FileEntry(NamedTuple):
    """One file as a directory walk sees it. ``relative`` uses ``/`` and is relative to its root.

    A tuple, because a scan makes one for every file and compares it with what the project knows.
    """

    relative: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What probing a readable file told. ``width`` and ``height`` are as shown, after rotation.

    ``start_us`` is the presentation time of the first frame in the file's own clock; all other times
    of the program are relative to it, so the first frame is at 0.
    """

    duration_us: int
    frames: int
    fps: float
    variable_rate: bool
    codec: str
    width: int
    height: int
    rotation: int
    audio: bool
    start_us: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """The outcome of probing one file: facts, or the reason why there are none.

    ``fingerprint`` is the quick content key (size, head and tail); ``content_hash`` the SHA-256 of
    every byte, or None where it was not asked for. Both are empty/None if the file could not be read at all.
    """

    entry: FileEntry
    fingerprint: str
    content_hash: str | None
    facts: VideoFacts | None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class LabelScore:
    """One label with the model's own probability (0..1) and the calibrated one, if there is a calibration."""

    label: str
    probability: float
    calibrated: float | None = None

    @property
    def shown(self) -> float:
        """The number a person sees."""
        return self.probability if self.calibrated is None else self.calibrated


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """One model's word on one clip, best label first. ``margin`` and ``entropy`` are 0..1 over all labels."""

    clip_id: int
    model: str
    scores: tuple[LabelScore, ...]
    margin: float
    entropy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Views:
    """How a model looks at a clip: ``clips`` times, at moments spread over it, and mirrored as well with ``flip``.

    Its word on the clip is the mean of the probabilities.

    Raises:
        ValueError: ``clips`` is not 1 to ``MOST_VIEWS``.
    """

    clips: int = 1
    flip: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.clips <= MOST_VIEWS:
            raise ValueError(f"a clip can be looked at 1 to {MOST_VIEWS} times, not {self.clips}")

    @property
    def count(self) -> int:
        """How often the network runs for one clip."""
        return self.clips * (2 if self.flip else 1)

    @property
    def words(self) -> str:
        """'3 views, flipped', '2 views', 'flipped'; empty for the plain one."""
        several = [f"{self.clips} views"] if self.clips > 1 else []
        return ", ".join([*several, "flipped"] if self.flip else several)


ONE_VIEW = Views()
"""The plain way: one look at the clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """One bar of a reliability plot: the clips whose confidence (that of their first suggestion) is in ``(low, high]``.

    ``confidence`` is their mean confidence, ``accuracy`` the share of them whose first suggestion was right,
    all 0..1; both are None where ``clips`` is 0.
    """

    low: float
    high: float
    clips: int
    confidence: float | None
    accuracy: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """What makes a model's confidence in one project mean what it says, measured on the clips decided there.

    ``model`` is its hash; ``temperature`` above 1 softens. ``ece_*`` (expected calibration error, 0..1) and
    ``bins_*`` are before and after, on ``clips`` decided clips, each one measured with a temperature that was
    fitted without it.
    """

    model: str
    temperature: float
    clips: int
    ece_before: float
    ece_after: float
    bins_before: tuple[ReliabilityBin, ...]
    bins_after: tuple[ReliabilityBin, ...]
    fitted_at_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationState:
    """The calibration of a model in a project, or in words why there is none (yet).

    ``usable`` are the decided clips it can be measured on; ``missing`` how many more it needs, 0 if enough.
    """

    model: str
    calibration: Calibration | None
    usable: int
    missing: int
    words: str
    """'calibrated on 84 decided clips', 'not calibrated: 12 more decisions needed'"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A folder of media that the project watches; ``path`` is absolute on this machine."""

    id: int
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipRow:
    """One row of the library. Times in microseconds from the video's first frame, end exclusive."""

    clip_id: int
    video_id: int
    path: str
    relative: str
    start_us: int
    end_us: int
    start_frame: int
    end_frame: int
    whole: bool
    state: ClipState
    label: str | None
    annotator: str | None
    decided_at_us: int | None
    suggested: str | None
    probability: float | None
    margin: float | None
    model: str | None
    fingerprint: str
    fps: float
    frames: int
    width: int
    height: int
    audio: bool
    reason: str | None = None
    """Why the file cannot be used, for missing and unreadable ones."""
    calibrated: float | None = None
    """What ``probability`` means on the clips decided here; None while the model is not calibrated."""
    note: str | None = None
    flagged: bool = False

    @property
    def disagrees(self) -> bool | None:
        """Whether the label is another than the suggestion; None without either."""
        return None if self.label is None or self.suggested is None else self.label != self.suggested

    @property
    def shown(self) -> float | None:
        """The confidence a person sees."""
        return self.probability if self.calibrated is None else self.calibrated

    @property
    def name(self) -> str:
        """The file's name without folders."""
        return self.relative.rsplit("/", 1)[-1]

    @property
    def duration_us(self) -> int:
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One thing a person did to a clip; never changed or removed afterwards.

    ``suggested`` and ``model`` say what was on screen; ``took_us`` how long the clip was before the
    person; ``undoes`` names the decision that this one takes back (an undo is a decision too).
    ``label`` is the name the label has now, also where it was renamed or merged since. ``blind``: nothing of
    the model was shown; ``rechecks`` names the decision that this one looked at again, blind.
    """

    id: int
    clip_id: int
    kind: DecisionKind
    label: str | None
    annotator: str
    decided_at_us: int
    model: str | None = None
    suggested: str | None = None
    probability: float | None = None
    took_us: int | None = None
    imported: bool = False
    undoes: int | None = None
    step_id: int | None = None
    blind: bool = False
    rechecks: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDecision:
    """A decision about to be written."""

    clip_id: int
    kind: DecisionKind
    label: str | None = None
    model: str | None = None
    suggested: str | None = None
    probability: float | None = None
    took_us: int | None = None
    imported: bool = False
    decided_at_us: int | None = None
    annotator: str | None = None
    """None: the annotator named in the call that writes it; an import may carry its own."""
    blind: bool = False
    rechecks: int | None = None
    """The decision in force that is looked at again without seeing it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label of the project's label set, in order."""

    id: int
    name: str
    position: int
    description: str = ""
    retired: bool = False
    colour: str | None = None
    """'#rrggbb'; None: the palette's, by position."""
    key: str | None = None
    """The person's own shortcut, as Qt writes one."""
    merged_into: int | None = None
    """The label whose name this one's clips show; a merged label is retired."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenClips:
    """Clips picked one by one, in an order of their own; ``words`` say what they have in common.

    The words end a sentence that begins with 'only the clips': 'lost by the candidate', 'wave suggested as run'.
    """

    words: str
    ids: tuple[int, ...]


CLIP_PARTS = ("train", "validation", "test")

SORTS = (
    "queue", "path", "folder", "name", "duration", "state", "label", "suggested", "probability", "annotator",
    "decided", "chosen",
)  # fmt: skip
"""What clips can be sorted by. ``folder`` is by folder, then by name; what has no value comes last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipQuery:
    """Which clips, in which order. Empty sets mean 'any'."""

    text: str = ""
    states: frozenset[ClipState] = frozenset()
    labels: frozenset[str] = frozenset()
    suggested: frozenset[str] = frozenset()
    folder: str = ""
    min_probability: float | None = None
    max_probability: float | None = None
    annotators: frozenset[str] = frozenset()
    """Who made the decision in force."""
    decided_from_us: int | None = None
    decided_to_us: int | None = None
    """Decided at or after the one and before the other."""
    min_duration_us: int | None = None
    max_duration_us: int | None = None
    """Both included."""
    parts: frozenset[str] = frozenset()
    """Of ``CLIP_PARTS``: where the snapshots so far dealt the clip to."""
    disagrees: bool | None = None
    """Whether the label is another than the active model's first suggestion; with False: whether it is the same."""
    flagged: bool | None = None
    noted: bool | None = None
    sort: str = "queue"
    """One of ``SORTS``."""
    descending: bool = False
    order: QueueOrder = QueueOrder.LEAST_SURE
    seed: int = 0
    """For ``QueueOrder.RANDOM``: the same seed gives the same order."""
    chosen: ChosenClips | None = None
    """Only these; sorted by ``chosen`` they come in their own order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Kept totals of a project: clips by state, and decided clips by label."""

    by_state: dict[ClipState, int] = field(default_factory=dict)
    by_label: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    @property
    def decided(self) -> int:
        return sum(self.by_state.get(state, 0) for state in DECIDED_STATES)

    @property
    def pending(self) -> int:
        return sum(self.by_state.get(state, 0) for state in PENDING_STATES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """A folder of a root with all that lies in it or below; ``path`` is relative to the root, '' the root itself."""

    root_id: int
    path: str
    clips: int
    decided: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What one write changed; views decide for themselves whether that concerns them."""

    clips: frozenset[int] = frozenset()
    library: bool = False
    """Clips came or went, or many changed: ask again instead of refreshing single rows."""
    labels: bool = False
    models: bool = False
    decisions: tuple[Decision, ...] = ()
    words: str = ""
    """What happened, in a few words for the status bar: 'Undid: wave on clip_07.mp4'."""
