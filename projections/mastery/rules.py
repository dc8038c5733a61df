"""How mastery is computed, as data: the fields of a rule, and a rule prepared for deciding."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

from lrs.errors import Problem
from lrs.xapi.values import key64
from projections.documents import continued, plain
from projections.evidence.evidence import EXCUSED, KINDS, OUTSIDE, VALIDATED
from projections.mastery.advisory import NO_ADVISORY, Advisory
from projections.mastery.methods import HALF_A_HUNDREDTH, METHODS, Params
from projections.mastery.scales import Scale, proficient_minimum
from projections.mastery.tries import Tries

Strand: TypeAlias = Literal["academic", "work_habits"]
Revisions: TypeAlias = Literal["replace", "append", "best"]
Which: TypeAlias = Literal["latest", "first", "best", "all"]
Dichotomous: TypeAlias = Literal["exclude", "meets_cut"]
Outside: TypeAlias = Literal["counts", "shown"]
Compare: TypeAlias = Literal["rounded", "raw"]

INDEPENDENT_TASKS: Final = "independent_tasks"
ROLL_UPS: Final = ("weakest_child", "all_children", "points_children")
"""The methods that look at the standings of a competency's children, and at no evidence."""

METHOD_NAMES: Final = (*METHODS, INDEPENDENT_TASKS, *ROLL_UPS)
WORK_HABIT: Final = "work_habit"
POWER_LAW_MINIMUM: Final = 3
"""A trend needs three scores; a rule by power law waits for them as `insufficient_evidence`."""

DAY_US: Final = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a published document."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Child:
    """What a proficient child brings to its parent; without a `required` one the parent is not proficient."""

    competency: str
    points: int
    required: bool = False


@dataclass(frozen=True, slots=True)
class Method:
    """A method by name with its own parameters; the others are None."""

    name: str
    w: int | None = None
    n: int | None = None
    cut: Decimal | None = None
    required_points: int | None = None
    children: tuple[Child, ...] = ()


@dataclass(frozen=True, slots=True)
class Weight:
    """How much a kind of evidence weighs in a mean; a kind that is not named weighs 1."""

    kind: str
    weight: int


@dataclass(frozen=True, slots=True)
class Mix:
    """Of these kinds together there must be so many pieces that count."""

    kinds: tuple[str, ...]
    at_least: int


@dataclass(frozen=True, slots=True)
class Attempts:
    """Which of several attempts at one task counts, and how many of them at most are looked at."""

    which: Which = "latest"
    most: int | None = None


@dataclass(frozen=True, slots=True)
class OverridePolicy:
    """Whether people may override what is computed, and under which conditions."""

    allowed: bool = True
    second_person: bool = False
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of how mastery is computed; with neither framework nor competencies it holds for all.

    `effective_from` is a moment in microseconds; 0 and no approver stand in rules that were published before rules
    had to name both.
    """

    id: str
    version: int
    title: str
    scale: Version
    method: Method
    kinds: tuple[str, ...] = ()
    framework: str | None = None
    competencies: tuple[str, ...] = ()
    strand: Strand = "academic"
    weights: tuple[Weight, ...] = ()
    min_evidence: int = 1
    min_tasks: int = 1
    min_contexts: int = 0
    min_scorers: int = 0
    mix: tuple[Mix, ...] = ()
    validated_only: bool = False
    window_days: int | None = None
    expires_after_days: int | None = None
    revisions: Revisions = "replace"
    attempts: Attempts = Attempts()
    dichotomous: Dichotomous = "exclude"
    outside: Outside = "counts"
    compare: Compare = "rounded"
    rounding: str = "half_up/2"
    cut: Decimal | None = None
    overrides: OverridePolicy = OverridePolicy()
    advisory: Advisory = NO_ADVISORY
    approver: str = ""
    effective_from: int = 0


class MixNeed(NamedTuple):
    """So many pieces of these kinds, by their stored numbers, are needed; `requirement` names it in an outcome."""

    requirement: str
    kinds: frozenset[int]
    at_least: int


class Needs(NamedTuple):
    """What else a rule waits for: different contexts, different scorers, pieces of some kinds."""

    contexts: int
    scorers: int
    mix: tuple[MixNeed, ...]


class ChildTerm(NamedTuple):
    """What a child brings, and whether the parent needs it."""

    points: int
    required: bool


class RollUp(NamedTuple):
    """The terms of each child that the rule names, by key, and how many points it asks for."""

    terms: dict[int, ChildTerm]
    required_points: int


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its scale, as the fold uses them: numbers prepared once.

    `maximum_num / maximum_den` is the scale's maximum; `minima` and `names` are the levels, low to high;
    `proficient` is the place of the proficient level among them. `shows_from` are the least points that reach the cut
    as the rule compares. The minimums include what the method itself needs; `needs` are the rarer ones. Evidence is
    left out where `(flags ^ flags_needed) & flags_read` is not 0. `weights` are those of the kinds by their numbers,
    None where all weigh the same. `window` and `expiry` are in microseconds. `is_roll_up` tells that the rule looks at
    the standings of the children, `uses_time` that time alone can change what it says.
    """

    method: str
    params: Params
    kinds: frozenset[int]
    kind_names: tuple[str, ...]
    maximum: Decimal
    maximum_num: int
    maximum_den: int
    minima: tuple[Decimal, ...]
    names: tuple[str, ...]
    proficient: int
    cut: Decimal
    shows_from: Decimal
    min_evidence: int
    min_tasks: int
    needs: Needs | None
    flags_read: int
    flags_needed: int
    weights: dict[int, int] | None
    window: int | None
    expiry: int | None
    tries: Tries
    success_points: Decimal | None
    positive_only: bool
    is_roll_up: bool
    uses_time: bool
    overrides: OverridePolicy
    roll_up: RollUp | None


def compiled(rule: Rule, scale: Scale) -> CompiledRule:
    """Return a rule prepared for deciding; the scale is the one that the rule names."""
    cut = cut_of(rule, scale)
    shows_from = cut - HALF_A_HUNDREDTH if rule.compare == "rounded" else cut
    numerator, denominator = scale.maximum.as_integer_ratio()
    names = tuple(level.name for level in scale.levels)
    is_roll_up = rule.method.name in ROLL_UPS
    return CompiledRule(
        method=rule.method.name,
        params=Params(rule.method.w or 65, rule.method.n or 1, cut, scale.maximum, shows_from),
        kinds=_numbers(rule.kinds),
        kind_names=rule.kinds,
        maximum=scale.maximum,
        maximum_num=numerator,
        maximum_den=denominator,
        minima=tuple(level.minimum for level in scale.levels),
        names=names,
        proficient=names.index(scale.proficient),
        cut=cut,
        shows_from=shows_from,
        min_evidence=least_evidence(rule),
        min_tasks=least_tasks(rule),
        needs=_needs(rule),
        flags_read=EXCUSED | (OUTSIDE * (rule.outside == "shown")) | (VALIDATED * rule.validated_only),
        flags_needed=VALIDATED * rule.validated_only,
        weights={KINDS.index(one.kind): one.weight for one in rule.weights} or None,
        window=rule.window_days and rule.window_days * DAY_US,
        expiry=rule.expires_after_days and rule.expires_after_days * DAY_US,
        tries=Tries(rule.revisions, rule.attempts.which, rule.attempts.most),
        success_points=cut if rule.dichotomous == "meets_cut" else None,
        positive_only=rule.method.name == "power_law",
        is_roll_up=is_roll_up,
        uses_time=is_roll_up or bool(rule.window_days or rule.expires_after_days),
        overrides=rule.overrides,
        roll_up=_roll_up(rule.method),
    )


def cut_of(rule: Rule, scale: Scale) -> Decimal:
    """Return the points from which on a score, or a value, shows proficiency under a rule."""
    written = rule.method.cut if rule.cut is None else rule.cut
    return proficient_minimum(scale) if written is None else written


def least_evidence(rule: Rule) -> int:
    """Return how many pieces of evidence a rule waits for, with what its method itself needs."""
    if rule.method.name == "power_law":
        return max(rule.min_evidence, POWER_LAW_MINIMUM)
    return max(rule.min_evidence, rule.method.n or 1) if rule.method.name == "n_mastery" else rule.min_evidence


def least_tasks(rule: Rule) -> int:
    """Return how many different tasks a rule waits for, with what its method itself needs."""
    return max(rule.min_tasks, rule.method.n or 1) if rule.method.name == INDEPENDENT_TASKS else rule.min_tasks


def mismatches(rule: Rule, scale: Scale, pointer: str = "") -> list[Problem]:
    """Return why a rule cannot be used on a scale; `pointer` is that of the rule's document."""
    problems = []
    if (rule.scale.id, rule.scale.version) != (scale.id, scale.version):
        problems.append(Problem(continued(pointer, "scale"), f"must name {scale.id} in version {scale.version}"))
    if cut_of(rule, scale) > scale.maximum:
        place = continued(pointer, "cut") if rule.cut is not None else continued(pointer, "method", "cut")
        problems.append(Problem(place, f"must be at most {plain(scale.maximum)}, the maximum of the scale"))
    return problems


def strangers(rule: Rule, children: Collection[str], pointer: str = "") -> list[Problem]:
    """Return which children a rule names that are none of its parent's in the framework, `children`."""
    return [
        Problem(
            continued(pointer, "method", "children", place, "competency"),
            f"is no child of {rule.competencies[0]} in its framework: take it out",
        )
        for place, one in enumerate(rule.method.children)
        if one.competency not in children
    ]


def _needs(rule: Rule) -> Needs | None:
    if not (rule.mix or rule.min_contexts or rule.min_scorers):
        return None
    mix = tuple(MixNeed(f"min_{'_or_'.join(one.kinds)}", _numbers(one.kinds), one.at_least) for one in rule.mix)
    return Needs(rule.min_contexts, rule.min_scorers, mix)


def _roll_up(method: Method) -> RollUp | None:
    if method.name not in ROLL_UPS:
        return None
    terms = {key64("competency", one.competency): ChildTerm(one.points, one.required) for one in method.children}
    return RollUp(terms, method.required_points or 0)


def _numbers(kinds: Collection[str]) -> frozenset[int]:
    return frozenset(KINDS.index(kind) for kind in kinds)
