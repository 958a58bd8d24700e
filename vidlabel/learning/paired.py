"""Two models on the same clips: is the difference more than chance? Standard library only.

Only clips that one of the two has right and the other wrong tell them apart: ``won`` are those that only the
candidate has right, ``lost`` those that only the other has. Both methods take clips for independent of each other;
clips of one film are not quite, so that the true uncertainty is rather larger than what is computed here.
"""

from __future__ import annotations

import math
from statistics import NormalDist

_EXACT = 1000
"""With up to so many clips the binomial tail is added up in whole numbers, else by logarithms."""
_HALVINGS = 60


def mcnemar(won: int, lost: int) -> float:
    """The two-sided p-value of McNemar's exact test, 0..1; 1.0 where no clip tells the two apart.

    How probable so uneven a share, or one more so, would be if each of these clips fell to either side like a coin.

    Raises:
        ValueError: a count is below 0.
    """
    _check(won, lost)
    clips, fewer = won + lost, min(won, lost)
    if clips <= _EXACT:
        return min(1.0, 2 * sum(math.comb(clips, count) for count in range(fewer + 1)) / (1 << clips))
    whole, half = math.lgamma(clips + 1), clips * math.log(2)
    tail = math.fsum(
        math.exp(whole - math.lgamma(count + 1) - math.lgamma(clips - count + 1) - half)
        for count in range(fewer + 1)
    )
    return min(1.0, 2 * tail)


def wilson(right: int, clips: int, *, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212); (0, 1) for no clips.

    Raises:
        ValueError: ``right`` is not in 0..clips.
    """
    if not 0 <= right <= clips:
        raise ValueError(f"{right} of {clips} clips cannot be right")
    if clips == 0:
        return 0.0, 1.0
    z = _quantile(level)
    share, weight = right / clips, z * z / clips
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / clips + weight / (4 * clips)) / (1 + weight)
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def paired_interval(won: int, lost: int, clips: int, *, level: float = 0.95) -> tuple[float, float]:
    """Tango's score interval of the difference of two paired shares, in -1..1; (-1, 1) for no clips.

    Tango 1998, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Stat. Med. 17, 891-908: all differences that a score test at this level would not reject. It holds for
    few clips and for no discordant ones, where the usual Wald interval has no width.

    Raises:
        ValueError: the counts do not go together.
    """
    _check(won, lost)
    if won + lost > clips:
        raise ValueError(f"{won} won and {lost} lost are more than {clips} clips")
    if clips == 0:
        return -1.0, 1.0
    z, found = _quantile(level), (won - lost) / clips

    def bound(outer: float, *, wanted: float) -> float:
        inner = found
        for _ in range(_HALVINGS):
            middle = (inner + outer) / 2
            if abs(_score(middle, won=won, lost=lost, clips=clips)) < wanted:
                inner = middle
            else:
                outer = middle
        return inner

    return bound(-1.0, wanted=z), bound(1.0, wanted=z)


def _score(difference: float, *, won: int, lost: int, clips: int) -> float:
    """By how many standard errors the counts are off this difference, were it the true one."""
    off = won - lost - clips * difference
    if off == 0:
        return 0.0
    # The share of lost clips that is likeliest if the difference is this one: the root of a quadratic.
    b = (2 * clips - won + lost) * difference - won - lost
    c = -lost * difference * (1 - difference)
    likeliest = (math.sqrt(max(0.0, b * b - 8 * clips * c)) - b) / (4 * clips)
    variance = clips * (2 * likeliest + difference * (1 - difference))
    return off / math.sqrt(variance) if variance > 0 else math.copysign(math.inf, off)


def _quantile(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError("a level of confidence is between 0 and 1")
    return NormalDist().inv_cdf((1 + level) / 2)


def _check(won: int, lost: int) -> None:
    if won < 0 or lost < 0:
        raise ValueError("a count of clips is not below 0")
