"""Rubric results: what a scorer gave for each criterion, and the score that the criteria of one competency come to.

The extension holds `{"rubric", "scorer", "criteria": [{"id", "competency", "score", "max", "min", "level"}]}`, or the
list of criteria alone. What it leaves out is taken from the published rubric: the competency of a criterion, the score
of a level by its quality, the highest score, the weight.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, NamedTuple

from lrs.errors import Problem
from lrs.xapi.actors import check_agent, ifi
from lrs.xapi.values import key64
from projections.evidence.normalise import BY_RUBRIC, Score, Unused, kept
from projections.frameworks.rubrics import Criterion
from projections.registry import Acts

RUBRICS: Final = "https://w3id.org/xapi/acrossx/extensions/rubrics"


class Judged(NamedTuple):
    """One criterion as it was scored: points above the least, of how many; both weighted."""

    id: str
    competency: str | None
    reached: Fraction
    possible: Fraction


class RubricResult(NamedTuple):
    """What a rubric says of a work, and who scored it (the key of the Agent; 0: not told)."""

    judged: Sequence[Judged]
    scorer: int


def rubric_result(statement: Mapping[str, Any], acts: Acts) -> RubricResult | Unused | None:
    """Return the scored criteria of a statement, None where it has none, or why they cannot be levelled."""
    found = _criteria(statement)
    if not found:
        return None
    judged: list[Judged] = []
    for one in found:
        made = _judged(one, acts.criteria.get(str(one.get("id"))))
        if isinstance(made, str):
            return Unused("unnormalisable", f"criterion {one.get('id')}: {made}")
        judged.append(made)
    return RubricResult(judged, _scorer(statement["result"]["extensions"][RUBRICS]))


def pooled(judged: Sequence[Judged]) -> Score | Unused:
    """Return what the criteria come to together: the points reached of those that could be."""
    possible = sum((one.possible for one in judged), Fraction(0))
    if not possible:
        return Unused("unnormalisable", "criteria that all weigh nothing")
    share = sum((one.reached for one in judged), Fraction(0)) / possible
    return kept(share.numerator, share.denominator, BY_RUBRIC)


def criterion_key(judged: Sequence[Judged]) -> int:
    """Return the key of a criterion, or of several that are pooled."""
    return key64("criterion", " ".join(sorted(one.id for one in judged)))


def named(statement: Mapping[str, Any]) -> list[str]:
    """Return the IRIs of the criteria of a statement, and of the competencies that they name."""
    found = _criteria(statement)
    return [one[name] for one in found for name in ("id", "competency") if isinstance(one.get(name), str)]


def _criteria(statement: Mapping[str, Any]) -> list[dict[str, Any]]:
    extensions = statement["result"].get("extensions")
    told = extensions.get(RUBRICS) if extensions else None
    listed = told.get("criteria") if isinstance(told, dict) else told
    if not isinstance(listed, list):
        return []
    return [one for one in listed if isinstance(one, dict) and isinstance(one.get("id"), str)]


def _judged(told: Mapping[str, Any], published: Criterion | None) -> Judged | str:
    score, most = _number(told.get("score")), _number(told.get("max"))
    scores = {level.quality: level.score for level in published.levels if level.score is not None} if published else {}
    if score is None and isinstance(told.get("level"), str):
        score = _number(scores.get(told["level"]))
    if most is None and scores:
        most = Fraction(max(scores.values()))
    if score is None or most is None:
        return "no score" if score is None else "a score without a maximum"
    least = _number(told.get("min")) or Fraction(0)
    if not least <= score <= most or least == most:
        return "a score outside of its range"
    weight = Fraction(published.weight) if published and published.weight is not None else Fraction(1)
    competency = told.get("competency")
    own = competency if isinstance(competency, str) else published.competency if published else None
    return Judged(told["id"], own, weight * (score - least), weight * (most - least))


def _number(value: Any) -> Fraction | None:
    if value is None or isinstance(value, bool | str | list | dict):
        return None
    return Fraction(str(value))


def _scorer(told: Any) -> int:
    agent = told.get("scorer") if isinstance(told, dict) else None
    problems: list[Problem] = []
    check_agent(agent, "", problems)
    return 0 if problems or agent is None else key64("agent", str(ifi(agent)))
