"""Rubrics as documents: criteria, each of one competency, with levels from low to high and exemplars of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from lrs.xapi.values import iso
from projections.documents import Day, Document, DocumentSchema, Exact, Iri, Part, Several, Text, Whole, value_of


@dataclass(frozen=True, slots=True)
class CriterionLevel:
    """One level of a criterion; `score` is its threshold in points, `exemplars` are the IRIs of work that shows it."""

    quality: str
    score: Decimal | None = None
    description: str | None = None
    feedback: str | None = None
    exemplars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that a rubric looks at; `competency` is the IRI of what it shows, where it shows one."""

    id: str
    levels: tuple[CriterionLevel, ...]
    category: str | None = None
    description: str | None = None
    competency: str | None = None
    weight: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Rubric:
    """One version of a rubric; the criteria and their levels stand in the order in which they are shown."""

    id: str
    title: str
    criteria: tuple[Criterion, ...]
    version: int = 1
    description: str | None = None
    approver: str = ""
    effective_from: int = 0


class CriterionLevelSchema(DocumentSchema[CriterionLevel]):
    makes = CriterionLevel
    quality = Text(required=True)
    score = Exact("0")
    description = Text()
    feedback = Text()
    exemplars = Several(Iri(), at_least=0)


class CriterionSchema(DocumentSchema[Criterion]):
    makes = Criterion
    id = Iri(required=True)
    category = Text()
    description = Text()
    competency = Iri()
    weight = Exact("0")
    levels = Several(Part(CriterionLevelSchema), at_least=0, required=True)


class RubricSchema(DocumentSchema[Rubric]):
    """A rubric inside a framework, whose version is the framework's."""

    makes = Rubric
    id = Iri(required=True)
    title = Text(required=True)
    description = Text()
    criteria = Several(Part(CriterionSchema), at_least=0, required=True)

    @validates_schema
    def _refuse_one_criterion_twice(self, values: dict[str, Any], **_: object) -> None:
        ids = [one.id for one in values["criteria"]]
        twice = {place: {"id": ["appears twice in this rubric"]} for place, one in enumerate(ids) if one in ids[:place]}
        if twice:
            raise ValidationError({"criteria": twice})


class PublishedRubricSchema(RubricSchema):
    """A rubric that is published for itself: versioned, and its criteria have levels with rising scores."""

    version = Whole(1, required=True)
    approver = Text(required=True)
    effective_from = Day(required=True)
    criteria = Several(Part(CriterionSchema), required=True)

    @validates_schema
    def _refuse_criteria_without_thresholds(self, values: dict[str, Any], **_: object) -> None:
        wrong = {
            place: {"levels": ["must be at least two, each with a score above that of the one before it"]}
            for place, one in enumerate(values["criteria"])
            if not has_thresholds(one)
        }
        if wrong:
            raise ValidationError({"criteria": wrong})


RUBRIC: Final = PublishedRubricSchema()


def rubric_of(document: Document) -> Rubric:
    """Return the rubric that a published document stands for; raises InvalidRequest with every problem."""
    return value_of(RUBRIC, document)


def has_thresholds(criterion: Criterion) -> bool:
    """Whether a criterion tells levels apart: two or more, each with a score, rising from low to high or falling."""
    scores = [level.score for level in criterion.levels if level.score is not None]
    return len(scores) == len(criterion.levels) > 1 and (_rises(scores) or _rises(scores[::-1]))


def covered(rubrics: Iterable[Rubric]) -> set[str]:
    """Return the IRIs of the competencies that have levels with thresholds in one of these rubrics."""
    criteria = (criterion for rubric in rubrics for criterion in rubric.criteria)
    return {one.competency for one in criteria if one.competency and has_thresholds(one)}


def shown(rubric: Rubric) -> Mapping[str, Any]:
    """Return a rubric as the API tells it."""
    return {
        "id": rubric.id,
        "version": rubric.version,
        "title": rubric.title,
        "description": rubric.description,
        "approver": rubric.approver or None,
        "effective_from": iso(rubric.effective_from) if rubric.approver else None,
        "criteria": [_criterion_shown(one) for one in rubric.criteria],
    }


def _criterion_shown(one: Criterion) -> dict[str, Any]:
    return {
        "id": one.id,
        "category": one.category,
        "description": one.description,
        "competency": one.competency,
        "weight": None if one.weight is None else str(one.weight),
        "levels": [_level_shown(level) for level in one.levels],
        "has_thresholds": has_thresholds(one),
    }


def _level_shown(level: CriterionLevel) -> dict[str, Any]:
    return {
        "quality": level.quality,
        "score": None if level.score is None else str(level.score),
        "description": level.description,
        "feedback": level.feedback,
        "exemplars": list(level.exemplars),
    }


def _rises(scores: list[Decimal]) -> bool:
    return all(low < high for low, high in pairwise(scores))
