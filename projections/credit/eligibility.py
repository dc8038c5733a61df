"""What a policy says of what a learner has shown: every requirement, met or not. How long it took is not looked at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Literal, NamedTuple, TypeAlias

from projections.credit.policies import (
    AllOf,
    AnyOf,
    CompetencyAtLevel,
    EvidenceOf,
    LeafRequirement,
    Policy,
    Requirement,
    ShareOfCompetencies,
    requirement_text,
)
from projections.evidence.evidence import KINDS

Answer: TypeAlias = Literal["eligible", "not_yet"]


class Standing(NamedTuple):
    """Where a learner stands in one competency: the decision's status and level, and its scale's levels low to high."""

    status: str
    level: str | None
    levels: tuple[str, ...]


class TaskFact(NamedTuple):
    """One task that a learner did, as the latest revision left it; `kind` is the number of its kind."""

    kind: int
    task: int
    score_num: int | None
    score_den: int | None


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a policy may look at, for one learner: standings by competency, frameworks, tasks."""

    standings: Mapping[str, Standing]
    framework_competencies: Mapping[str, tuple[str, ...]]
    tasks: Sequence[TaskFact]


class Leaf(NamedTuple):
    """One requirement of the tree: the JSON pointer to it in the policy, its words, and what is there against it."""

    path: str
    requirement: str
    have: str
    need: str
    met: bool


class Eligibility(NamedTuple):
    """What follows from a policy and some facts; the leaves stand in the order of the policy."""

    outcome: Answer
    leaves: tuple[Leaf, ...]


def eligibility(policy: Policy, facts: Facts) -> Eligibility:
    """Return whether the facts meet a policy, with every requirement whether it decides or not."""
    is_met, leaves = _judged(policy.require, "/require", facts)
    return Eligibility("eligible" if is_met else "not_yet", tuple(leaves))


def is_met(requirement: Requirement, met: Mapping[str, bool], path: str = "/require") -> bool:
    """Tell whether a requirement is met by its leaves, each of which is met or not by the JSON pointer to it."""
    match requirement:
        case AllOf(parts):
            return all(is_met(part, met, f"{path}/all_of/{place}") for place, part in enumerate(parts))
        case AnyOf(parts):
            return any(is_met(part, met, f"{path}/any_of/{place}") for place, part in enumerate(parts))
        case _:
            return met.get(path, False)


def _judged(requirement: Requirement, path: str, facts: Facts) -> tuple[bool, list[Leaf]]:
    match requirement:
        case AllOf(parts):
            judged = [_judged(part, f"{path}/all_of/{place}", facts) for place, part in enumerate(parts)]
            return all(is_met for is_met, _ in judged), [leaf for _, leaves in judged for leaf in leaves]
        case AnyOf(parts):
            judged = [_judged(part, f"{path}/any_of/{place}", facts) for place, part in enumerate(parts)]
            return any(is_met for is_met, _ in judged), [leaf for _, leaves in judged for leaf in leaves]
        case _:
            have, need, is_met = _compared(requirement, facts)
            return is_met, [Leaf(path, requirement_text(requirement), have, need, is_met)]


def _compared(leaf: LeafRequirement, facts: Facts) -> tuple[str, str, bool]:
    match leaf:
        case CompetencyAtLevel(competency, level):
            standing = facts.standings.get(competency)
            have = "no evidence" if standing is None else standing.level or standing.status.replace("_", " ")
            return have, level, _is_at(standing, level)
        case ShareOfCompetencies(framework, level, share):
            return _share(facts, framework, level, share)
        case EvidenceOf(_, count, _):
            kinds = _numbers(leaf.kinds)
            tasks = len({fact.task for fact in facts.tasks if fact.kind in kinds and _suffices(leaf, fact)})
            return str(tasks), str(count), tasks >= count


def _is_at(standing: Standing | None, level: str) -> bool:
    """Tell whether a standing is at a level or above; a level that its scale does not know is never reached."""
    if standing is None or standing.level is None:
        return False
    levels = standing.levels
    return standing.level in levels and level in levels and levels.index(standing.level) >= levels.index(level)


def _share(facts: Facts, framework: str, level: str, share: Decimal) -> tuple[str, str, bool]:
    """Compare without a division; a framework without competencies is never covered."""
    competencies = facts.framework_competencies.get(framework, ())
    total = len(competencies)
    standing = facts.standings.get
    reached = sum([_is_at(standing(competency), level) for competency in competencies])
    numerator, denominator = _ratio(share)
    least = -(-total * numerator // denominator)
    return f"{reached} of {total}", f"{max(least, 1)} of {total}", total > 0 and reached >= least


def _suffices(leaf: EvidenceOf, fact: TaskFact) -> bool:
    if leaf.minimum_share is None:
        return True
    if fact.score_num is None or fact.score_den is None:
        return False
    numerator, denominator = _ratio(leaf.minimum_share)
    return fact.score_num * denominator >= numerator * fact.score_den


@lru_cache(maxsize=1_000)
def _ratio(share: Decimal) -> tuple[int, int]:
    return share.as_integer_ratio()


@lru_cache(maxsize=1_000)
def _numbers(kinds: tuple[str, ...]) -> frozenset[int]:
    return frozenset(map(KINDS.index, kinds))
