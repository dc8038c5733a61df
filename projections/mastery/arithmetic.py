"""The arithmetic of a decision as an auditor would write it down, one step a line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from projections.documents import plain
from projections.mastery.decide import Outcome, params_for
from projections.mastery.methods import (
    EXACT,
    METHODS,
    WIDE,
    Params,
    average,
    decaying_average,
    fitted,
    kept_shares,
    mode,
    n_mastery,
    rounded,
    shares_of,
    weighted_average,
)
from projections.mastery.rules import CompiledRule


def written_out(rule: CompiledRule, outcome: Outcome) -> list[str]:
    """Return the arithmetic of a decision: each score brought to the scale, then the method; none for a roll-up."""
    if rule.is_roll_up:
        return []
    known = [(one.evidence, one.points) for one in outcome.inputs if one.points is not None]
    lines = [
        f"{one.score_num}/{one.score_den} of {plain(rule.maximum)} = {plain(round(points, 6))}"
        for one, points in known
        if one.score_num is not None
    ]
    params = params_for(rule, [one.kind for one, _ in known])
    return lines + steps(rule.method, [points for _, points in known], params)


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
    is_rounded = params.least != params.cut
    compared = [
        f"task {place}: {rounded(score) if is_rounded else plain(score)} is "
        f"{'at or above' if score >= params.least else 'below'} {plain(params.cut)}"
        for place, score in enumerate(scores, 1)
    ]
    at_cut = sum(score >= params.least for score in scores)
    return [*compared, f"{at_cut} at or above {plain(params.cut)}, {params.n} needed"]


def _highest_steps(scores: Sequence[Decimal], _: Params) -> list[str]:
    return [f"highest of {_listed(scores)} = {plain(max(scores))}"]


def _latest_steps(scores: Sequence[Decimal], _: Params) -> list[str]:
    return [f"latest of {_listed(scores)} = {plain(scores[-1])}"]


def _average_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    return [f"{_mean(scores, shares_of(scores, params))} = {_text(average(scores, params))}"]


def _median_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    ranked, count = sorted(scores), len(scores)
    middle = ranked[(count - 1) // 2 : count // 2 + 1]
    value = _text(average(middle, params._replace(shares=None)))
    return [f"low to high: {_listed(ranked)}", f"in the middle: {_mean(middle, (1,) * len(middle))} = {value}"]


def _mode_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    shown = [rounded(score) for score in scores]
    value = mode(scores, params)
    times = sum(score == value for score in shown)
    return [f"of {_listed(shown)}, {value} is there most often or latest of those: {times} of {len(shown)} times"]


def _weighted_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    shares = shares_of(scores, params)[:-1]
    mean = _text(average(scores[:-1], params._replace(shares=shares)))
    value = _text(weighted_average(scores, params))
    return [
        f"mean of the earlier scores: {_mean(scores[:-1], shares)} = {mean}",
        f"({params.w} * {plain(scores[-1])} + {100 - params.w} * {mean}) / 100 = {value}",
    ]


def _decaying_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    values = [decaying_average(scores[:count], params) for count in range(1, len(scores) + 1)]
    return [f"start with {plain(scores[0])}"] + [
        f"({100 - params.w} * {_text(before)} + {params.w} * {plain(score)}) / 100 = {_text(after)}"
        for before, score, after in zip(values, scores[1:], values[1:], strict=False)
    ]


def _n_mastery_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    shares = kept_shares(scores, params)
    kept = [score for score, share in zip(scores, shares, strict=True) if share]
    counted = f"of {_listed(scores)}, {len(kept)} at or above {plain(params.cut)}, {params.n} needed"
    value = n_mastery(scores, params)
    return [counted] if value is None else [counted, f"{_mean(kept, list(filter(None, shares)))} = {plain(value)}"]


def _power_law_steps(scores: Sequence[Decimal], params: Params) -> list[str]:
    if min(scores) <= 0:
        return ["a score of zero or less has no logarithm"]
    if len(scores) < 3:
        return [f"a curve through two scores ends at the second = {plain(scores[-1])}"]
    curve = fitted(scores)
    a = EXACT.plus(curve.log_a.exp(WIDE))
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
    "median": _median_steps,
    "mode": _mode_steps,
    "weighted_average": _weighted_steps,
    "decaying_average": _decaying_steps,
    "n_mastery": _n_mastery_steps,
    "power_law": _power_law_steps,
}


def _listed(scores: Sequence[Decimal]) -> str:
    return ", ".join(map(plain, scores))


def _mean(scores: Sequence[Decimal], shares: Sequence[int]) -> str:
    """Return a mean as it is written: (1 + 2) / 2, or with shares (3*1 + 1*2) / 4."""
    if set(shares) <= {1}:
        return f"({' + '.join(map(plain, scores))}) / {len(scores)}"
    terms = (f"{share}*{plain(score)}" for share, score in zip(shares, scores, strict=True))
    return f"({' + '.join(terms)}) / {sum(shares)}"


def _text(value: Decimal | None) -> str:
    return "none" if value is None else plain(value)
