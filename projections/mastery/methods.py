"""The arithmetic of mastery: from scores, oldest first, to one value that is not rounded yet.

Sums are exact as far as 28 digits reach, and each method divides once, at its end; so a value that lies exactly
between two hundredths is seen as such and rounds up. What one name means differs between systems (Canvas renamed
two of these), so a rule always carries the name together with its parameters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache, wraps
from typing import Final, NamedTuple, TypeAlias

from projections.documents import plain

EXACT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
WIDE: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
_ZERO: Final = Decimal(0)
_HUNDREDTH: Final = Decimal("0.01")
HALF_A_HUNDREDTH: Final = Decimal("0.005")
COUNTS: Final = "counts"
BELOW: Final = "below the cut"


class Params(NamedTuple):
    """The parameters of all methods; each reads only its own. `w` is in percent, `cut` and `maximum` in points.

    `shows_from` are the least points that reach the cut; None: those that reach it once they are rounded. `shares` are
    how much each score weighs in a mean, in the order of the scores; None where all weigh the same.
    """

    w: int = 65
    n: int = 1
    cut: Decimal = _ZERO
    maximum: Decimal | None = None
    shows_from: Decimal | None = None
    shares: tuple[int, ...] | None = None

    @property
    def least(self) -> Decimal:
        """The least points that show proficiency."""
        return self.cut - HALF_A_HUNDREDTH if self.shows_from is None else self.shows_from


Method: TypeAlias = Callable[[Sequence[Decimal], Params], Decimal | None]


def rounded(value: Decimal) -> Decimal:
    """Return a value half-up to two places: 4.125 becomes 4.13."""
    return value.quantize(_HUNDREDTH, ROUND_HALF_UP, EXACT)


def rounded_to(value: Decimal, places: int) -> Decimal:
    """Return a value half-up to so many places."""
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT)


def _exactly(method: Method) -> Method:
    """Let a method compute the same whatever decimal context its caller has set."""

    @wraps(method)
    def exact(scores: Sequence[Decimal], params: Params) -> Decimal | None:
        with localcontext(EXACT):
            return method(scores, params)

    return exact


def highest(scores: Sequence[Decimal], _: Params) -> Decimal | None:
    """Return the highest score."""
    return max(scores, default=None)


def latest(scores: Sequence[Decimal], _: Params) -> Decimal | None:
    """Return the latest score."""
    return scores[-1] if scores else None


def shares_of(scores: Sequence[Decimal], params: Params) -> tuple[int, ...]:
    """Return how much each score weighs in a mean."""
    return (1,) * len(scores) if params.shares is None else params.shares


def _sum(scores: Sequence[Decimal], shares: Sequence[int]) -> Decimal:
    return sum((share * score for share, score in zip(shares, scores, strict=False)), _ZERO)


@_exactly
def average(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return the mean of all scores, each by its share."""
    shares = shares_of(scores, params)
    return _sum(scores, shares) / sum(shares) if scores else None


@_exactly
def median(scores: Sequence[Decimal], _: Params) -> Decimal | None:
    """Return the score in the middle, or the mean of the two in the middle."""
    if not scores:
        return None
    ranked, middle = sorted(scores), len(scores) // 2
    return ranked[middle] if len(scores) % 2 else (ranked[middle - 1] + ranked[middle]) / 2


def mode(scores: Sequence[Decimal], _: Params) -> Decimal | None:
    """Return the score that is there most often, as people see it, to two places; of several, the later one."""
    shown = [rounded(score) for score in scores]
    counts = Counter(shown)
    most = max(counts.values(), default=0)
    return next((score for score in reversed(shown) if counts[score] == most), None)


@_exactly
def weighted_average(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return w percent of the latest score and the rest of the mean of all earlier ones; a lone score is the value."""
    if len(scores) < 2:
        return latest(scores, params)
    shares = shares_of(scores, params)[:-1]
    earlier = sum(shares)
    return (params.w * earlier * scores[-1] + (100 - params.w) * _sum(scores, shares)) / (100 * earlier)


@_exactly
def decaying_average(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return the running value: each later score takes w percent, all before it share the rest."""
    if not scores:
        return None
    value = scores[0]
    for score in scores[1:]:
        value = ((100 - params.w) * value + params.w * score) / 100
    return value


@_exactly
def n_mastery(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return the mean of the scores at or above the cut, or None when they are fewer than n."""
    kept = kept_shares(scores, params)
    return _sum(scores, kept) / sum(kept) if sum(map(bool, kept)) >= max(params.n, 1) else None


def kept_shares(scores: Sequence[Decimal], params: Params) -> list[int]:
    """Return how much each score weighs in the mean of those that reach the cut; 0 for the others."""
    least = params.least
    shares = shares_of(scores, params)
    return [share if score >= least else 0 for share, score in zip(shares, scores, strict=True)]


def power_law(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return where the curve a * i^b, fitted to the scores by least squares of the logarithms, stands at the last one.

    A lone score is the value, and a curve through two ends at the second; a rule asks for three (see `rules`).
    The curve can end above every score, so `maximum` holds it. No logarithm exists of zero or less: None.
    Decimal's ln and exp are correctly rounded, so every machine gets the same digits (floats would not do).
    """
    if not scores or min(scores) <= 0:
        return None
    value = scores[-1] if len(scores) < 3 else fitted(scores).end
    return value if params.maximum is None else min(value, params.maximum)


METHODS: Final[dict[str, Method]] = {
    "highest": highest,
    "latest": latest,
    "average": average,
    "median": median,
    "mode": mode,
    "weighted_average": weighted_average,
    "decaying_average": decaying_average,
    "n_mastery": n_mastery,
    "power_law": power_law,
}


class Curve(NamedTuple):
    """The curve a * i^b through some scores, and where it stands at the last of them."""

    log_a: Decimal
    b: Decimal
    end: Decimal


def fitted(scores: Sequence[Decimal]) -> Curve:
    """Return the curve that least squares of the logarithms lay through at least two scores above zero."""
    with localcontext(WIDE):
        count = len(scores)
        places = [_ln(Decimal(place)) for place in range(1, count + 1)]
        logs = [_ln(score) for score in scores]
        across, up = sum(places, _ZERO), sum(logs, _ZERO)
        products = sum((place * log for place, log in zip(places, logs, strict=True)), _ZERO)
        squares = sum((place * place for place in places), _ZERO)
        b = (count * products - across * up) / (count * squares - across * across)
        log_a = (up - b * across) / count
        # 22 digits fewer than were computed with: a curve through exact hundredths ends on them again.
        return Curve(log_a, b, EXACT.plus((log_a + b * places[-1]).exp()))


@lru_cache(maxsize=4096)
def _ln(value: Decimal) -> Decimal:
    return value.ln(WIDE)


def weights(method: str, scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    """Return the weight of each score in the value as exact text: "0.65", "1/3", "0.65*0.35^2", "counts"."""
    return _WEIGHTS[method](scores, params)


def _highest_weights(scores: Sequence[Decimal], _: Params) -> Sequence[str]:
    top = len(scores) - 1 - scores[::-1].index(max(scores))
    return ["1" if place == top else "0" for place in range(len(scores))]


def _average_weights(scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    return _parts(shares_of(scores, params))


def _median_weights(scores: Sequence[Decimal], _: Params) -> Sequence[str]:
    count = len(scores)
    ranked = sorted(range(count), key=lambda place: (scores[place], place))
    middle = set(ranked[(count - 1) // 2 : count // 2 + 1])
    return [share(1, len(middle)) if place in middle else "0" for place in range(count)]


def _mode_weights(scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    value = mode(scores, params)
    return [COUNTS if rounded(score) == value else "0" for score in scores]


def _n_mastery_weights(scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    return _parts(kept_shares(scores, params))


def _parts(shares: Sequence[int]) -> Sequence[str]:
    total = sum(shares) or 1
    return [share(one, total) if one else "0" for one in shares]


def _weighted_weights(scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    if len(scores) == 1:
        return ("1",)
    earlier = shares_of(scores, params)[:-1]
    total = 100 * sum(earlier)
    return [*(share((100 - params.w) * one, total) for one in earlier), share(params.w, 100)]


@lru_cache(maxsize=4096)
def _decaying_weights(count: int, w: int) -> Sequence[str]:
    rest, mine = share(100 - w, 100), share(w, 100)
    powers = ["", f"*{rest}", *(f"*{rest}^{power}" for power in range(2, count))]
    later = [mine + powers[count - 1 - place] for place in range(1, count)]
    return ("1",) if count == 1 else (f"{rest}^{count - 1}" if count > 2 else rest, *later)


@lru_cache(maxsize=4096)
def share(part: int, whole: int) -> str:
    """Return a part of a whole as exact text: a decimal where one ends, else a fraction."""
    fraction = Fraction(part, whole)
    rest = fraction.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return plain(EXACT.divide(fraction.numerator, fraction.denominator)) if rest == 1 else str(fraction)


_WEIGHTS: Final[dict[str, Callable[[Sequence[Decimal], Params], Sequence[str]]]] = {
    "highest": _highest_weights,
    "latest": lambda scores, _: ("0",) * (len(scores) - 1) + ("1",),
    "average": _average_weights,
    "median": _median_weights,
    "mode": _mode_weights,
    "weighted_average": _weighted_weights,
    "decaying_average": lambda scores, params: _decaying_weights(len(scores), params.w),
    "n_mastery": _n_mastery_weights,
    "power_law": lambda scores, _: (COUNTS,) * len(scores),
    "independent_tasks": lambda scores, params: [COUNTS if score >= params.least else BELOW for score in scores],
}
