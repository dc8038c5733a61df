"""How credit is decided, as data: what a learner has to have shown, and never how long it took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeAlias, cast

from marshmallow import ValidationError, post_load, pre_load, validates_schema

from projections.documents import Document, DocumentSchema, Exact, Iri, Part, Several, Text, Whole, plain, value_of
from projections.evidence.documents import Kind, kind_words

NEVER_FOR_CREDIT: Final = frozenset({"formative", "diagnostic", "interim"})
DEEPEST_TREE: Final = 10


@dataclass(frozen=True, slots=True)
class CompetencyAtLevel:
    """One competency is at a level of its scale, or above."""

    competency: str
    level: str


@dataclass(frozen=True, slots=True)
class ShareOfCompetencies:
    """At least this share of a framework's competencies is at a level, or above."""

    framework: str
    level: str
    share: Decimal


@dataclass(frozen=True, slots=True)
class EvidenceOf:
    """So many different tasks of these kinds, each with at least `minimum_share` of what could be reached."""

    kinds: tuple[str, ...]
    count: int
    minimum_share: Decimal | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part is met."""

    parts: tuple[Requirement, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part is met."""

    parts: tuple[Requirement, ...]


LeafRequirement: TypeAlias = "CompetencyAtLevel | ShareOfCompetencies | EvidenceOf"
Requirement: TypeAlias = "AllOf | AnyOf | LeafRequirement"


@dataclass(frozen=True, slots=True)
class Course:
    """The course that credit is for."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of what earns credit for a course."""

    id: str
    version: int
    title: str
    course: Course
    units: Decimal
    require: Requirement


class CreditKind(Kind):
    """A kind of assessment that may earn credit."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        kind = super()._deserialize(value, *place, **options)
        if kind in NEVER_FOR_CREDIT:
            raise ValidationError(f"{kind} evidence guides learning: it never counts toward credit")
        return kind


class CompetencyAtLevelSchema(DocumentSchema[CompetencyAtLevel]):
    makes = CompetencyAtLevel
    competency = Iri(required=True)
    level = Text(required=True)


class ShareOfCompetenciesSchema(DocumentSchema[ShareOfCompetencies]):
    makes = ShareOfCompetencies
    framework = Iri(required=True)
    level = Text(required=True)
    share = Exact("0.000000001", "1", required=True)


class EvidenceOfSchema(DocumentSchema[EvidenceOf]):
    makes = EvidenceOf
    kinds = Several(CreditKind(), required=True)
    count = Whole(1, 1000, required=True)
    minimum_share = Exact("0", "1")


class RequirementSchema(DocumentSchema[Requirement]):
    all_of = Several(Part(lambda: RequirementSchema()))
    any_of = Several(Part(lambda: RequirementSchema()))
    competency_at_level = Part(CompetencyAtLevelSchema)
    share_of_competencies = Part(ShareOfCompetenciesSchema)
    evidence = Part(EvidenceOfSchema)

    @validates_schema
    def _refuse_all_but_one(self, values: dict[str, Any], **_: object) -> None:
        if len(values) != 1:
            raise ValidationError(f"must have exactly one of {', '.join(self.fields)}")

    @post_load
    def _made(self, values: dict[str, Any], **_: object) -> Requirement:
        if "all_of" in values:
            return AllOf(tuple(values["all_of"]))
        if "any_of" in values:
            return AnyOf(tuple(values["any_of"]))
        return cast("LeafRequirement", next(iter(values.values())))


class CourseSchema(DocumentSchema[Course]):
    makes = Course
    code = Text(required=True)
    title = Text(required=True)


class PolicySchema(DocumentSchema[Policy]):
    makes = Policy
    id = Iri(required=True)
    version = Whole(1, required=True)
    title = Text(required=True)
    course = Part(CourseSchema, required=True)
    units = Exact("0.01", "100", required=True)
    require = Part(RequirementSchema, required=True)

    @pre_load
    def _refuse_a_deep_tree(self, document: Any, **_: object) -> Any:
        if isinstance(document, dict) and _is_deeper(document.get("require"), DEEPEST_TREE):
            raise ValidationError({"require": [f"must not nest deeper than {DEEPEST_TREE} groups"]})
        return document


POLICY: Final = PolicySchema()


def policy_of(document: Document) -> Policy:
    """Return the policy that a document stands for; raises InvalidRequest with every problem."""
    return value_of(POLICY, document)


def policy_text(policy: Policy) -> str:
    """Return what a policy says in plain words, a line for each requirement, indented under its group."""
    units = f"{plain(policy.units)} unit{'s' * (policy.units != 1)}"
    head = [
        f"{policy.title} (policy {policy.id}, version {policy.version}).",
        f"It gives {units} of credit for {policy.course.title} ({policy.course.code}), however long it took, when:",
    ]
    return "\n".join([*head, *_lines(policy.require, "")])


@lru_cache(maxsize=10_000)
def requirement_text(leaf: LeafRequirement) -> str:
    """Return what one requirement asks for, in plain words."""
    match leaf:
        case CompetencyAtLevel(competency, level):
            return f"{competency} is at {level} or above"
        case ShareOfCompetencies(framework, level, share):
            return f"at least {plain(share * 100)} percent of the competencies of {framework} are at {level} or above"
        case EvidenceOf(kinds, count, minimum_share):
            least = "" if minimum_share is None else f", each with at least {plain(minimum_share * 100)} percent"
            return f"{kind_words(kinds, many=count > 1)}: at least {count}{' different tasks' * (count > 1)}{least}"


def _lines(requirement: Requirement, indent: str) -> Iterator[str]:
    match requirement:
        case AllOf(parts) | AnyOf(parts):
            yield f"{indent}- {'all' if isinstance(requirement, AllOf) else 'at least one'} of these:"
            for part in parts:
                yield from _lines(part, indent + "  ")
        case _:
            yield f"{indent}- {requirement_text(requirement)}"


def _is_deeper(node: object, limit: int) -> bool:
    if not isinstance(node, dict):
        return False
    parts = [part for group in ("all_of", "any_of") if isinstance(node.get(group), list) for part in node[group]]
    return bool(parts) and (limit == 0 or any(_is_deeper(part, limit - 1) for part in parts))
