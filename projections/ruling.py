"""Which rule holds for a competency, from which moment on, and which published rule never comes into force.

Of the versions of a rule, each holds from its date until the next one's; of the rules in force, the most particular
holds, and of two that are equally particular the one that came first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple, TypeAlias

from lrs.xapi.values import iso
from projections.documents import Act
from projections.mastery.rule_documents import DEFAULT_RULE
from projections.mastery.rules import Rule, strangers

Versions: TypeAlias = list[list[Act]]
"""The versions of each rule, rising."""

Families: TypeAlias = Mapping[str, tuple[frozenset[str], Act]]


class Ruled(NamedTuple):
    """From a moment on, in microseconds, this rule and the scale it names hold for a competency; None: no rule does."""

    since: int
    rule: Act | None
    scale: Act | None

    @property
    def positions(self) -> tuple[int, int]:
        """The positions of the two acts; 0 where no rule holds."""
        return (self.rule.position, self.scale.position) if self.rule and self.scale else (0, 0)


class Clash(NamedTuple):
    """A rule that is not in force because of another act, which came first or is its framework's.

    `reason` names the fix.
    """

    act: Act
    by: Act
    reason: str


class Place(NamedTuple):
    """Where a competency stands: in which framework, if in any, in which strand, and with which children."""

    competency: str
    framework: str | None = None
    strand: str = "academic"
    children: frozenset[str] = frozenset()


def in_turns(versions: Versions) -> Versions:
    """Return the versions of each rule as they come into force one by one; the rule that came first is first."""
    turns = [_in_turn(own) for own in versions]
    return sorted(turns, key=lambda own: (own[0].document.effective_from, own[0].document.id))


def over_time(turns: Versions, place: Place) -> Iterator[tuple[int, Act | None]]:
    """Yield the rule that holds for a competency from each moment on, oldest first; None where it ends."""
    reaches = [[(act, _reach(act.document, place)) for act in own] for own in turns]
    near = [own for own in reaches if any(reach is not None for _, reach in own)]
    last = None
    for since in sorted({act.document.effective_from for own in near for act, _ in own}):
        best = _best(near, since)
        if best is not last:
            yield since, best
        last = best


def clashes(versions: Versions, families: Families) -> list[Clash]:
    """Return the published rules that are not in force because of another act, in the order of their moments.

    `families` has the children of each competency, and the act of its framework.
    """
    newest = [own[-1] for own in in_turns(versions)]
    found = [*chain.from_iterable(map(_untimely, versions)), *_rivals(newest), *_estranged(newest, families)]
    return sorted(found, key=lambda clash: clash.act.order)


def _best(chains: Iterable[list[tuple[Act, int | None]]], at: int) -> Act | None:
    """Return the most particular rule in force at a moment, or None; each act comes with its reach."""
    best: tuple[int, Act] | None = None
    for own in chains:
        held = [pair for pair in own if pair[0].document.effective_from <= at]
        if held and held[-1][1] is not None and (best is None or held[-1][1] > best[0]):
            best = held[-1][1], held[-1][0]
    return best[1] if best else None


def _in_turn(versions: Iterable[Act]) -> list[Act]:
    """Return the versions of one rule, rising, without those that would not come into force after the one before.

    Versions that were published before rules named a date take each other's place at once.
    """
    turns: list[Act] = []
    for act in versions:
        if turns and turns[-1].document.effective_from == act.document.effective_from == 0:
            turns[-1] = act
        elif not turns or act.document.effective_from > turns[-1].document.effective_from:
            turns.append(act)
    return turns


def _untimely(versions: list[Act]) -> Iterator[Clash]:
    """Yield the versions of one rule that would be in force on the same date as an earlier one."""
    turns = _in_turn(versions)
    for act in versions:
        since = act.document.effective_from
        before = [one for one in turns if one.document.version < act.document.version]
        if act not in turns and before and since:
            by = before[-1].document
            held = f"version {by.version} holds from {iso(by.effective_from)[:10]} on"
            yield Clash(act, before[-1], f"{held}: publish this one from a later date, or void the other")


def _rivals(rules: list[Act]) -> Iterator[Clash]:
    """Yield the rules that are for the same competencies as one that came into force before, and as particular."""
    for place, act in enumerate(rules):
        by = next((one for one in rules[:place] if _is_rival(act.document, one.document)), None)
        if by is not None:
            yield Clash(act, by, f"{by.document.id} is for the same competencies: name others, or void one of the two")


def _estranged(rules: list[Act], families: Families) -> Iterator[Clash]:
    """Yield the rules that name children which their parent has not in its framework."""
    for act in rules:
        parent = families.get(act.document.competencies[0]) if act.document.method.children else None
        problems = strangers(act.document, parent[0]) if parent else []
        if parent and problems:
            yield Clash(act, parent[1], "; ".join(map(str, problems)))


def _is_rival(one: Rule, other: Rule) -> bool:
    if one.strand != other.strand or DEFAULT_RULE.id in (one.id, other.id):
        return False
    if one.competencies and other.competencies:
        frameworks = {one.framework, other.framework} - {None}
        return len(frameworks) < 2 and not set(one.competencies).isdisjoint(other.competencies)
    return not (one.competencies or other.competencies) and one.framework == other.framework


def _reach(rule: Rule, place: Place) -> int | None:
    """Return how particular a rule is for a competency; None if it is not for it at all.

    2 by name, 1 by framework, 0 for all; -1 is the rule that every log begins with, which gives way to any other.
    """
    if rule.strand != place.strand or (rule.framework is not None and rule.framework != place.framework):
        return None
    if rule.competencies:
        return 2 if place.competency in rule.competencies and not strangers(rule, place.children) else None
    if rule.framework is not None:
        return 1
    return -1 if rule.id == DEFAULT_RULE.id else 0
