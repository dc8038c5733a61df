"""How mastery is computed, as data: scales and rules, what is sound in them, and what they say in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, TypeAlias

from marshmallow import ValidationError, post_load, validates_schema

from lrs.errors import Problem
from projections.documents import (
    Choice,
    Document,
    DocumentSchema,
    Exact,
    Iri,
    Part,
    Several,
    Text,
    Whole,
    continued,
    plain,
    value_of,
)
from projections.evidence.documents import Kind, kind_words
from projections.evidence.evidence import KINDS
from projections.mastery.methods import METHODS, Params
from projections.profile import PROFILE

Revisions: TypeAlias = Literal["replace", "append", "best"]
Dichotomous: TypeAlias = Literal["exclude", "meets_cut"]

INDEPENDENT_TASKS: Final = "independent_tasks"
POWER_LAW_MINIMUM: Final = 3
"""A trend needs three scores; a rule by power law waits for them as `insufficient_evidence`."""

_METHOD_NAMES: Final = (*METHODS, INDEPENDENT_TASKS)
_NUMBERS: Final = {
    "weighted_average": ("w", 1, 99, 65),
    "decaying_average": ("w", 50, 99, 65),
    "n_mastery": ("n", 1, 10, None),
    INDEPENDENT_TASKS: ("n", 1, 10, 2),
}
"""The number that a method takes, its bounds and its default; None where it has to be written."""

_WITH_CUT: Final = ("n_mastery", INDEPENDENT_TASKS)


@dataclass(frozen=True, slots=True)
class Level:
    """One step of a scale: it begins at `minimum` points."""

    name: str
    minimum: Decimal
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Scale:
    """The levels of mastery, low to high; from `proficient` on a learner is proficient."""

    id: str
    version: int
    title: str
    maximum: Decimal
    levels: tuple[Level, ...]
    proficient: str


@dataclass(frozen=True, slots=True)
class Version:
    """One version of a published document."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Method:
    """A method by name with its own parameters; the others are None."""

    name: str
    w: int | None = None
    n: int | None = None
    cut: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One version of how mastery is computed; with neither framework nor competencies it holds for all."""

    id: str
    version: int
    title: str
    scale: Version
    method: Method
    kinds: tuple[str, ...]
    framework: str | None = None
    competencies: tuple[str, ...] = ()
    min_evidence: int = 1
    min_tasks: int = 1
    revisions: Revisions = "replace"
    dichotomous: Dichotomous = "exclude"
    cut: Decimal | None = None


class LevelSchema(DocumentSchema[Level]):
    makes = Level
    name = Text(required=True)
    minimum = Exact("0", places=2, required=True)
    description = Text()


class ScaleSchema(DocumentSchema[Scale]):
    makes = Scale
    id = Iri(required=True)
    version = Whole(1, required=True)
    title = Text(required=True)
    maximum = Exact("0.01", required=True)
    levels = Several(Part(LevelSchema), at_least=2, required=True)
    proficient = Text(required=True)

    @validates_schema
    def _refuse_disorder(self, values: dict[str, Any], **_: object) -> None:
        levels: list[Level] = values["levels"]
        wrong = {place: {"minimum": [words]} for place, words in _disorder(levels, values["maximum"])}
        if wrong:
            raise ValidationError({"levels": wrong})
        names = [level.name for level in levels]
        if len(set(names)) < len(names):
            raise ValidationError({"levels": ["must each have a name of their own"]})
        if values["proficient"] not in names[1:]:
            raise ValidationError({"proficient": [f"must be one of {', '.join(names[1:])}"]})


class VersionSchema(DocumentSchema[Version]):
    makes = Version
    id = Iri(required=True)
    version = Whole(1, required=True)


class MethodSchema(DocumentSchema[Method]):
    makes = Method
    name = Choice(*_METHOD_NAMES, required=True)
    w = Whole(1, 99)
    n = Whole(1, 10)
    cut = Exact("0.01", places=2)

    @validates_schema
    def _refuse_what_the_method_does_not_take(self, values: dict[str, Any], **_: object) -> None:
        wrong = dict(_misfits(values))
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def _made(self, values: dict[str, Any], **_: object) -> Method:
        if values["name"] in _NUMBERS:
            number, _lowest, _highest, default = _NUMBERS[values["name"]]
            values.setdefault(number, default)
        return Method(**values)


class RuleSchema(DocumentSchema[Rule]):
    makes = Rule
    id = Iri(required=True)
    version = Whole(1, required=True)
    title = Text(required=True)
    framework = Iri()
    competencies = Several(Iri())
    scale = Part(VersionSchema, required=True)
    method = Part(MethodSchema, required=True)
    kinds = Several(Kind(), required=True)
    min_evidence = Whole(1, 1000)
    min_tasks = Whole(1, 1000)
    revisions = Choice("replace", "append", "best")
    dichotomous = Choice("exclude", "meets_cut")
    cut = Exact("0.01", places=2)

    @validates_schema
    def _refuse_contradictions(self, values: dict[str, Any], **_: object) -> None:
        method: Method = values["method"]
        if method.cut is not None and "cut" in values:
            raise ValidationError({"cut": ["stands in the method too: write it once"]})
        if method.name == INDEPENDENT_TASKS and values.get("revisions") == "append":
            raise ValidationError({"revisions": ["must be replace or best: independent_tasks counts each task once"]})


SCALE: Final = ScaleSchema()
RULE: Final = RuleSchema()


def scale_of(document: Document) -> Scale:
    """Return the scale that a document stands for; raises InvalidRequest with every problem."""
    return value_of(SCALE, document)


def rule_of(document: Document) -> Rule:
    """Return the rule that a document stands for; raises InvalidRequest with every problem."""
    return value_of(RULE, document)


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its scale, as the fold uses them: numbers prepared once.

    `maximum_num / maximum_den` is the scale's maximum; `minima` and `names` are the levels, low to high;
    `proficient` is the place of the proficient level among them. `shows_from` are the least points that, rounded to
    two places, reach the cut. The minimums include what the method itself needs.
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
    revisions: Revisions
    success_points: Decimal | None
    positive_only: bool


def compiled(rule: Rule, scale: Scale) -> CompiledRule:
    """Return a rule prepared for deciding; the scale is the one that the rule names."""
    cut = cut_of(rule, scale)
    numerator, denominator = scale.maximum.as_integer_ratio()
    names = tuple(level.name for level in scale.levels)
    return CompiledRule(
        method=rule.method.name,
        params=Params(w=rule.method.w or 65, n=rule.method.n or 1, cut=cut, maximum=scale.maximum),
        kinds=frozenset(KINDS.index(kind) for kind in rule.kinds),
        kind_names=rule.kinds,
        maximum=scale.maximum,
        maximum_num=numerator,
        maximum_den=denominator,
        minima=tuple(level.minimum for level in scale.levels),
        names=names,
        proficient=names.index(scale.proficient),
        cut=cut,
        shows_from=cut - Decimal("0.005"),
        min_evidence=_least_evidence(rule),
        min_tasks=_least_tasks(rule),
        revisions=rule.revisions,
        success_points=cut if rule.dichotomous == "meets_cut" else None,
        positive_only=rule.method.name == "power_law",
    )


def cut_of(rule: Rule, scale: Scale) -> Decimal:
    """Return the points from which on a score, or a value, shows proficiency under a rule."""
    written = rule.method.cut if rule.cut is None else rule.cut
    return (
        next(level.minimum for level in scale.levels if level.name == scale.proficient) if written is None else written
    )


def mismatches(rule: Rule, scale: Scale, pointer: str = "") -> list[Problem]:
    """Return why a rule cannot be used on a scale; `pointer` is that of the rule's document."""
    problems = []
    if (rule.scale.id, rule.scale.version) != (scale.id, scale.version):
        problems.append(Problem(continued(pointer, "scale"), f"must name {scale.id} in version {scale.version}"))
    if cut_of(rule, scale) > scale.maximum:
        place = continued(pointer, "cut") if rule.cut is not None else continued(pointer, "method", "cut")
        problems.append(Problem(place, f"must be at most {plain(scale.maximum)}, the maximum of the scale"))
    return problems


def rule_text(rule: Rule, scale: Scale) -> str:
    """Return what a rule says in plain sentences, complete: everything that can move a decision is in them."""
    return " ".join(_sentences(rule, scale))


def _sentences(rule: Rule, scale: Scale) -> Iterator[str]:
    cut = plain(cut_of(rule, scale))
    yield f"{rule.title} (rule {rule.id}, version {rule.version})."
    yield _scope(rule)
    yield f"The scale is {scale.title} ({scale.id}, version {scale.version}), from 0 to {plain(scale.maximum)}."
    yield f"Its levels are {_levels(scale)}."
    yield f"These kinds of evidence count: {kind_words(rule.kinds, many=True, last='and')}."
    yield "Other kinds are shown but do not count."
    yield _METHOD_WORDS[rule.method.name].format(
        w=rule.method.w, rest=100 - (rule.method.w or 0), n=rule.method.n, cut=cut
    )
    yield f"A learner is proficient, that is {scale.proficient} or above, from {cut} on."
    yield "Results are rounded half-up to two places before they are compared."
    yield _needs(rule)
    yield _REVISION_WORDS[rule.revisions]
    yield _SUCCESS_WORDS[rule.dichotomous].format(cut=cut)
    yield "Until then the answer is: not yet."


def _scope(rule: Rule) -> str:
    within = f" of the framework {rule.framework}" if rule.framework else ""
    if rule.competencies:
        return f"It holds for these competencies{within}: {', '.join(rule.competencies)}."
    return f"It holds for every competency{within}."


def _levels(scale: Scale) -> str:
    return ", ".join(
        f"{level.name} from {plain(level.minimum)}{f' ({level.description})' if level.description else ''}"
        for level in scale.levels
    )


def _needs(rule: Rule) -> str:
    pieces, tasks = _least_evidence(rule), _least_tasks(rule)
    written = f"{pieces} piece{'s' * (pieces > 1)} of evidence"
    if tasks > 1:
        written += f" and {tasks} different tasks"
    return f"With fewer than {written} nothing is decided yet."


def _least_evidence(rule: Rule) -> int:
    if rule.method.name == "power_law":
        return max(rule.min_evidence, POWER_LAW_MINIMUM)
    return max(rule.min_evidence, rule.method.n or 1) if rule.method.name == "n_mastery" else rule.min_evidence


def _least_tasks(rule: Rule) -> int:
    return max(rule.min_tasks, rule.method.n or 1) if rule.method.name == INDEPENDENT_TASKS else rule.min_tasks


_METHOD_WORDS: Final = {
    "highest": "The highest score is the result.",
    "latest": "The latest score is the result.",
    "average": "The average of all scores is the result.",
    "weighted_average": "The latest score makes up {w} percent of the result, the average of the rest {rest} percent.",
    "decaying_average": "Each new score makes up {w} percent of the result, all before it together {rest} percent.",
    "n_mastery": "At least {n} of the scores must be {cut} or above; the average of those is the result.",
    "power_law": (
        "The result is where the trend of all scores (a power law) stands at the latest one, at most the highest score "
        "of the scale; a score of zero is left out."
    ),
    INDEPENDENT_TASKS: (
        "The learner shows it in at least {n} different tasks, each scored {cut} or above; nothing is averaged. "
        "The level shown is that of the latest such task."
    ),
}
_REVISION_WORDS: Final[dict[str, str]] = {
    "replace": "A revision replaces the earlier try at the same task.",
    "append": "Each try at the same task counts for itself.",
    "best": "Of several tries at the same task the best one counts.",
}
_SUCCESS_WORDS: Final[dict[str, str]] = {
    "exclude": "Work that was only marked as passed or not, without a score, does not count.",
    "meets_cut": (
        "Work that was only marked as passed, without a score, counts as {cut}; "
        "marked as not passed, it stays below {cut} and has no score."
    ),
}


def _disorder(levels: list[Level], maximum: Decimal) -> Iterator[tuple[int, str]]:
    if levels[0].minimum != 0:
        yield 0, "must be 0: the lowest level holds every score"
    for place in range(1, len(levels)):
        if levels[place].minimum <= levels[place - 1].minimum:
            yield place, "must be above the minimum of the level before"
        elif levels[place].minimum > maximum:
            yield place, f"must be at most {plain(maximum)}, the maximum of the scale"


def _misfits(method: dict[str, Any]) -> Iterator[tuple[str, list[str]]]:
    name = method["name"]
    number, lowest, highest, default = _NUMBERS.get(name, ("", 0, 0, 0))
    for other in {"w", "n"} & method.keys() - {number}:
        yield other, [f"is no parameter of {name}: take it out"]
    if "cut" in method and name not in _WITH_CUT:
        yield "cut", [f"is no parameter of {name}: write the cut beside the method"]
    if number and not lowest <= method.get(number, default or 0) <= highest:
        yield number, [f"must be a whole number from {lowest} to {highest}" if number in method else "is missing"]


DEFAULT_SCALE_DOCUMENT: Final[Document] = {
    "id": f"{PROFILE}/scales/beginning-developing-secure",
    "version": 1,
    "title": "Beginning, Developing, Secure",
    "maximum": "4",
    "levels": [
        {"name": "Beginning", "minimum": "0"},
        {"name": "Developing", "minimum": "2"},
        {"name": "Secure", "minimum": "3"},
    ],
    "proficient": "Secure",
}
DEFAULT_RULE_DOCUMENT: Final[Document] = {
    "id": f"{PROFILE}/rules/two-independent-tasks",
    "version": 1,
    "title": "Two independent tasks",
    "scale": {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": 1},
    "method": {"name": INDEPENDENT_TASKS, "n": 2},
    "kinds": ["performance_task", "portfolio", "local_summative", "state_summative"],
}
DEFAULT_SCALE: Final = scale_of(DEFAULT_SCALE_DOCUMENT)
DEFAULT_RULE: Final = rule_of(DEFAULT_RULE_DOCUMENT)
