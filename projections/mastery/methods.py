"""The arithmetic of mastery: from scores, oldest first, to one value that is not rounded yet.

Sums are exact as far as 28 digits reach, and each method divides once, at its end; so a value that lies exactly
between two hundredths is seen as such and rounds up. What one name means differs between systems (Canvas renamed
two of these), so a rule always carries the name together with its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from functools import lru_cache, wraps
from typing import Final, NamedTuple, TypeAlias

from projections.documents import plain

EXACT: Final = Context(prec=28, rounding=ROUND_HALF_EVEN)
_WIDE: Final = Context(prec=50, rounding=ROUND_HALF_EVEN)
_ZERO: Final = Decimal(0)
_HUNDREDTH: Final = Decimal("0.01")
COUNTS: Final = "counts"
BELOW: Final = "below the cut"


class Params(NamedTuple):
    """The parameters of all methods; each reads only its own. `w` is in percent, `cut` and `maximum` in points."""

    w: int = 65
    n: int = 1
    cut: Decimal = _ZERO
    maximum: Decimal | None = None


Method: TypeAlias = Callable[[Sequence[Decimal], Params], Decimal | None]


def rounded(value: Decimal) -> Decimal:
    """Return a value half-up to two places: 4.125 becomes 4.13."""
    return value.quantize(_HUNDREDTH, ROUND_HALF_UP, EXACT)


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


@_exactly
def average(scores: Sequence[Decimal], _: Params) -> Decimal | None:
    """Return the mean of all scores."""
    return sum(scores, _ZERO) / len(scores) if scores else None


@_exactly
def weighted_average(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return w percent of the latest score and the rest of the mean of all earlier ones; a lone score is the value."""
    if len(scores) < 2:
        return latest(scores, params)
    earlier = len(scores) - 1
    before = sum(scores, _ZERO) - scores[-1]
    return (params.w * earlier * scores[-1] + (100 - params.w) * before) / (100 * earlier)


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
    kept = [score for score in scores if score >= params.cut]
    return sum(kept, _ZERO) / len(kept) if len(kept) >= max(params.n, 1) else None


def power_law(scores: Sequence[Decimal], params: Params) -> Decimal | None:
    """Return where the curve a * i^b, fitted to the scores by least squares of the logarithms, stands at the last one.

    A lone score is the value, and a curve through two ends at the second; a rule asks for three (see `rules`).
    The curve can end above every score, so `maximum` holds it. No logarithm exists of zero or less: None.
    Decimal's ln and exp are correctly rounded, so every machine gets the same digits (floats would not do).
    """
    if not scores or min(scores) <= 0:
        return None
    value = scores[-1] if len(scores) < 3 else _fitted(scores).end
    return value if params.maximum is None else min(value, params.maximum)


METHODS: Final[dict[str, Method]] = {
    "highest": highest,
    "latest": latest,
    "average": average,
    "weighted_average": weighted_average,
    "decaying_average": decaying_average,
    "n_mastery": n_mastery,
    "power_law": power_law,
}


class _Curve(NamedTuple):
    log_a: Decimal
    b: Decimal
    end: Decimal


def _fitted(scores: Sequence[Decimal]) -> _Curve:
    with localcontext(_WIDE):
        count = len(scores)
        places = [_ln(Decimal(place)) for place in range(1, count + 1)]
        logs = [_ln(score) for score in scores]
        across, up = sum(places, _ZERO), sum(logs, _ZERO)
        products = sum((place * log for place, log in zip(places, logs, strict=True)), _ZERO)
        squares = sum((place * place for place in places), _ZERO)
        b = (count * products - across * up) / (count * squares - across * across)
        log_a = (up - b * across) / count
        # 22 digits fewer than were computed with: a curve through exact hundredths ends on them again.
        return _Curve(log_a, b, EXACT.plus((log_a + b * places[-1]).exp()))


@lru_cache(maxsize=4096)
def _ln(value: Decimal) -> Decimal:
    return value.ln(_WIDE)


def weights(method: str, scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    """Return the weight of each score in the value as exact text: "0.65", "1/3", "0.65*0.35^2", "counts"."""
    return _WEIGHTS[method](scores, params)


def _highest_weights(scores: Sequence[Decimal], _: Params) -> Sequence[str]:
    top = len(scores) - 1 - scores[::-1].index(max(scores))
    return ["1" if place == top else "0" for place in range(len(scores))]


def _n_mastery_weights(scores: Sequence[Decimal], params: Params) -> Sequence[str]:
    kept = sum(score >= params.cut for score in scores)
    return [_share(1, kept) if score >= params.cut else "0" for score in scores]


@lru_cache(maxsize=4096)
def _weighted_weights(count: int, w: int) -> Sequence[str]:
    return ("1",) if count == 1 else (_share(100 - w, 100 * (count - 1)),) * (count - 1) + (_share(w, 100),)


@lru_cache(maxsize=4096)
def _decaying_weights(count: int, w: int) -> Sequence[str]:
    rest, mine = _share(100 - w, 100), _share(w, 100)
    powers = ["", f"*{rest}", *(f"*{rest}^{power}" for power in range(2, count))]
    later = [mine + powers[count - 1 - place] for place in range(1, count)]
    return ("1",) if count == 1 else (f"{rest}^{count - 1}" if count > 2 else rest, *later)


@lru_cache(maxsize=4096)
def _share(part: int, whole: int) -> str:
    share = Fraction(part, whole)
    rest = share.denominator
    for factor in (2, 5):
        while rest % factor == 0:
            rest //= factor
    return plain(EXACT.divide(share.numerator, share.denominator)) if rest == 1 else str(share)


_WEIGHTS: Final[dict[str, Callable[[Sequence[Decimal], Params], Sequence[str]]]] = {
    "highest": _highest_weights,
    "latest": lambda scores, _: ("0",) * (len(scores) - 1) + ("1",),
    "average": lambda scores, _: (_share(1, len(scores)),) * len(scores),
    "weighted_average": lambda scores, params: _weighted_weights(len(scores), params.w),
    "decaying_average": lambda scores, params: _decaying_weights(len(scores), params.w),
    "n_mastery": _n_mastery_weights,
    "power_law": lambda scores, _: (COUNTS,) * len(scores),
    "independent_tasks": lambda scores, params: [COUNTS if rounded(score) >= params.cut else BELOW for score in scores],
}


def steps(method: str, scores: Sequence[Decimal], params: Params) -> list[str]:
    """Return the arithmetic of a method as an auditor would write it down, one step a line, the rounding last."""
    if not scores:
        return ["no score: no value"]
    if method == "independent_tasks":
        return _task_steps(scores, params)
    value = METHODS[method](scores, params)
    written = (
        _STEPS[method](scores, params) if len(scores) > 1 or method == "n_mastery" else ["one score: it is the value"]
    )
    return [*written, "no value" if value is None else f"{plain(value)} half-up to two places = {rounded(value)}"]


def _task_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    shown = [rounded(score) for score in scores]
    compared = [
        f"task {place}: {score} is {'at or above' if score >= params.cut else 'below'} {plain(params.cut)}"
        for place, score in enumerate(shown, 1)
    ]
    at_cut = sum(score >= params.cut for score in shown)
    return [*compared, f"{at_cut} at or above {plain(params.cut)}, {params.n} needed"]


def _highest_steps(scores: Sequence[Decimal], _: Params) -> list[str]:
    return [f"highest of {_listed(scores)} = {plain(max(scores))}"]


def _latest_steps(scores: Sequence[Decimal], _: Params) -> list[str]:
    return [f"latest of {_listed(scores)} = {plain(scores[-1])}"]


def _average_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    return [f"({_added(scores)}) / {len(scores)} = {_text(average(scores, params))}"]


def _weighted_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    mean = _text(average(scores[:-1], params))
    value = _text(weighted_average(scores, params))
    return [
        f"mean of the earlier scores: ({_added(scores[:-1])}) / {len(scores) - 1} = {mean}",
        f"({params.w} * {plain(scores[-1])} + {100 - params.w} * {mean}) / 100 = {value}",
    ]


def _decaying_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    values = [decaying_average(scores[:count], params) for count in range(1, len(scores) + 1)]
    return [f"start with {plain(scores[0])}"] + [
        f"({100 - params.w} * {_text(before)} + {params.w} * {plain(score)}) / 100 = {_text(after)}"
        for before, score, after in zip(values, scores[1:], values[1:], strict=False)
    ]


def _n_mastery_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    kept = [score for score in scores if score >= params.cut]
    counted = f"of {_listed(scores)}, {len(kept)} at or above {plain(params.cut)}, {params.n} needed"
    value = n_mastery(scores, params)
    return [counted] if value is None else [counted, f"({_added(kept)}) / {len(kept)} = {plain(value)}"]


def _power_law_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    if min(scores) <= 0:
        return ["a score of zero or less has no logarithm"]
    if len(scores) < 3:
        return [f"a curve through two scores ends at the second = {plain(scores[-1])}"]
    curve = _fitted(scores)
    a = EXACT.plus(curve.log_a.exp(_WIDE))
    fit = [
        f"least squares of ln s = ln a + b * ln i over {_listed(scores)}",
        f"a = {plain(a)}, b = {plain(EXACT.plus(curve.b))}",
        f"a * {len(scores)}^b = {plain(curve.end)}",
    ]
    held = params.maximum is not None and curve.end > params.maximum
    return [*fit, f"held at the maximum of the scale, {_text(params.maximum)}"] if held else fit


_STEPS: Final[dict[str, Callable[[Sequence[Decimal], Params], list[str]]]] = {
    "highest": _highest_steps,
    "latest": _latest_steps,
    "average": _average_steps,
    "weighted_average": _weighted_steps,
    "decaying_average": _decaying_steps,
    "n_mastery": _n_mastery_steps,
    "power_law": _power_law_steps,
}


def _listed(scores: Sequence[Decimal]) -> str:
    return ", ".join(map(plain, scores))


def _added(scores: Sequence[Decimal]) -> str:
    return " + ".join(map(plain, scores))


def _text(value: Decimal | None) -> str:
    return "none" if value is None else plain(value)
