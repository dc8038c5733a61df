"""The decision on a parent, made of where the learner stands in its children (after Moodle's rules and the weakest)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from operator import attrgetter
from typing import Final

from projections.mastery.methods import EXACT
from projections.mastery.outcome import ChildStanding, Outcome, Points, Unmet, not_yet, proficient
from projections.mastery.rules import CompiledRule

_by_key: Final = attrgetter("competency")


def by_children(rule: CompiledRule, children: Iterable[ChildStanding]) -> Outcome:
    """Return what a rule that rolls up says of the standings of a competency's children; no child, no match.

    Of points_children it looks at the children that the rule names alone. A child without a decision is never a
    failure: the parent waits for it.
    """
    standing = _termed(rule, sorted(children, key=_by_key))
    shown = [child for child in standing if child.status == "proficient"]
    unmet = _UNMET_OF[rule.method](rule, standing, shown)
    lapses = min((child.lapses for child in standing if child.lapses is not None), default=None)
    weakest = min(standing, key=_strength) if standing and rule.method == "weakest_child" else None
    if not unmet:
        found = proficient(rule, _raised(rule, weakest), (), [])
    elif all(child.status == "no_evidence" for child in standing):
        found = Outcome("no_evidence", None, None, None, (), (), ())
    elif any(child.status in ("no_evidence", "insufficient_evidence") for child in standing):
        found = Outcome("insufficient_evidence", None, None, None, (), (), ())
    else:
        found = not_yet(rule, _raised(rule, weakest), (), [], unmet[0])
    return found._replace(unmet=tuple(unmet), lapses=lapses, children=standing)


def _termed(rule: CompiledRule, children: Sequence[ChildStanding]) -> tuple[ChildStanding, ...]:
    terms = rule.roll_up.terms if rule.roll_up else {}
    if not terms:
        return tuple(children)
    return tuple(
        child._replace(points=terms[child.competency].points, required=terms[child.competency].required)
        for child in children
        if child.competency in terms
    )


def _strength(child: ChildStanding) -> tuple[bool, Decimal, int]:
    return child.status == "proficient", _share(child), child.competency


def _share(child: ChildStanding) -> Decimal:
    if child.value is None or not child.maximum:
        return Decimal(-1)
    return EXACT.divide(child.value, child.maximum)


def _raised(rule: CompiledRule, child: ChildStanding | None) -> Points:
    """Return a child's value on the parent's scale."""
    if child is None or child.value is None or not child.maximum:
        return None
    return child.value if child.maximum == rule.maximum else EXACT.multiply(_share(child), rule.maximum)


def _unmet_all(_: CompiledRule, standing: Sequence[ChildStanding], shown: Sequence[ChildStanding]) -> list[Unmet]:
    need = len(standing) or 1
    return [Unmet("children_proficient", str(len(shown)), str(need))] if len(shown) < need else []


def _unmet_points(rule: CompiledRule, _: object, shown: Sequence[ChildStanding]) -> list[Unmet]:
    terms, required_points = rule.roll_up or ({}, 0)
    points = sum(child.points for child in shown)
    have = sum(child.required for child in shown)
    need = sum(term.required for term in terms.values())
    found = [("child_points", points, required_points), ("required_children", have, need)]
    return [Unmet(name, str(have), str(need)) for name, have, need in found if have < need]


_UNMET_OF: Final = {"all_children": _unmet_all, "weakest_child": _unmet_all, "points_children": _unmet_points}
