"""A proof in words: the same ones in the window and on the command line."""

from __future__ import annotations

from vidlabel.core.proof import LabelChange, Proof

SURE = 0.05
"""A p-value below this is called more than chance."""
_NAMED = 5


def verdict(proof: Proof) -> str:
    """One sentence: better, worse, or not to be told."""
    if not proof.clips:
        return "There are no test clips that can be read: nothing is proven."
    said = f"{share(proof.candidate.top1)} instead of {share(proof.active.top1)} of {_clips(proof.clips)}"
    if proof.p_value < SURE:
        better = "Better" if proof.difference > 0 else "Worse"
        return f"{better} than chance explains: {said} right ({p_words(proof.p_value)})."
    if not proof.won and not proof.lost:
        return f"No difference: both have the same {share(proof.active.top1)} of {_clips(proof.clips)} right."
    return f"Not to be told from chance: {said} right ({p_words(proof.p_value)})."


def judgement(proof: Proof) -> str:
    """The same without a figure, for where the figures stand beside it."""
    if proof.p_value < SURE:
        return "Better than chance explains." if proof.difference > 0 else "Worse than chance explains."
    return "No difference." if not proof.won and not proof.lost else "Not to be told from chance."


def details(proof: Proof) -> tuple[str, ...]:
    """The figures, a line each."""
    if not proof.clips:
        return ()
    low, high = proof.interval
    own_low, own_high = proof.interval_candidate
    lines = [
        f"Difference {points(proof.difference)}, 95 % interval {points(low)} to {points(high)}; "
        f"{len(proof.won)} won, {len(proof.lost)} lost.",
        f"Candidate's top-1: 95 % interval {share(own_low)} to {share(own_high)}.",
    ]
    if proof.common is not None:
        both = proof.common
        lines.append(
            f"On the {_many(both.labels, 'label')} that both know ({_clips(both.clips)}, nothing else to choose "
            f"from): {share(both.candidate)} instead of {share(both.active)}, {points(both.difference)} "
            f"({points(both.interval[0])} to {points(both.interval[1])}), {p_words(both.p_value)}."
        )
    return tuple(lines)


def cautions(proof: Proof) -> tuple[str, ...]:
    """What a person should know before believing it, a sentence each; () if nothing."""
    said: list[str] = []
    if proof.unknown:
        said.append(
            f"The active model does not know {_names(proof.unknown)}: clips of "
            f"{'it' if len(proof.unknown) == 1 else 'these'} count as missed by it."
        )
    if proof.forgotten:
        said.append(
            f"The candidate cannot suggest {_names(proof.forgotten)} any more, which the active model knows."
        )
    both = proof.seen_before == proof.seen_by_candidate
    if proof.seen_before and both:
        said.append(
            "Both models, or what they were made from, were trained on the videos of "
            f"{_of_the_test(proof, proof.seen_before)}: both look better here than on footage new to them."
        )
    if proof.seen_before and not both:
        said.append(
            f"The active model was trained on the videos of {_of_the_test(proof, proof.seen_before)}: "
            "it looks better here than on footage new to it."
        )
    if proof.seen_by_candidate and not both:
        said.append(
            "The candidate, or what it was made from, was trained on the videos of "
            f"{_of_the_test(proof, proof.seen_by_candidate)}: it looks better here than on footage new to it."
        )
    if proof.unreadable:
        said.append(
            f"{_many(proof.unreadable, 'test clip')} could not be read and {_do(proof.unreadable)} not count."
        )
    if 0 < proof.sources < proof.clips:
        said.append(
            f"The {_clips(proof.clips)} are from {_many(proof.sources, 'source')}; clips of one source are alike, "
            "so the interval is rather too narrow."
        )
    return tuple(said)


def guard_words(proof: Proof) -> str:
    """Which labels got worse than the bound, as a sentence; "" if none did."""
    worse = proof.worse
    if not worse:
        return ""
    one = len(worse) == 1
    named = ", ".join(change_words(change) for change in worse[:_NAMED])
    more = f" and {len(worse) - _NAMED} more" if len(worse) > _NAMED else ""
    return (
        f"{_many(len(worse), 'label')} {'loses' if one else 'lose'} more than {points(proof.bound)[1:]} of "
        f"{'its' if one else 'their'} clips: {named}{more}."
    )


def change_words(change: LabelChange) -> str:
    """'wave 80% → 60% (5 clips)'."""
    return f"{change.label} {share(change.active)} → {share(change.candidate)} ({_clips(change.clips)})"


def share(value: float | None) -> str:
    """'83.1%', '100%'; '–' for none."""
    if value is None:
        return "–"
    return f"{value:.0%}" if value in (0, 1) else f"{value:.1%}"


def points(value: float) -> str:
    """A difference of shares in percentage points: '+4.2 points', '-0.3 points', '+0 points'."""
    tenths = round(value * 1000)
    return f"{'-' if tenths < 0 else '+'}{abs(tenths) / 10:g} points"


def p_words(value: float) -> str:
    """'p = 0.031', 'p < 0.001'."""
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}" if value < 0.9995 else "p = 1"


def _of_the_test(proof: Proof, count: int) -> str:
    return f"{count:,} of the {_many(proof.clips, 'test clip')}"


def _clips(count: int) -> str:
    return _many(count, "clip")


def _many(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _do(count: int) -> str:
    return "does" if count == 1 else "do"


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
