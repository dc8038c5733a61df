"""The assessment registry: what each assessment is, whether it was validated, and what of it counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from marshmallow import validates_schema

from projections.documents import Act, Day, Document, DocumentSchema, Iri, Part, Several, Text, Whole, value_of
from projections.evidence.alignments import begun, has_ended, in_turn
from projections.evidence.documents import KindOrHabit, refuse_an_empty_span
from projections.evidence.identity import AgentField


@dataclass(frozen=True, slots=True)
class Validation:
    """Who found an assessment valid and when, in microseconds; `report` is the address of what they wrote."""

    by: str
    on: int
    report: str | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """The course that an assessment belongs to."""

    code: str
    title: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """One version of an assessment; `id` is the IRI of its activity, and `tasks` are those of its tasks.

    An attempt or a revision beyond the most does not count; None: there is no limit. `contexts` are the contexts in
    which it is taken, and `scorers` the Agents who may score it; none named: anybody.
    """

    id: str
    version: int
    title: str
    kind: str
    validated: Validation | None = None
    tasks: tuple[str, ...] = ()
    max_attempts: int | None = None
    max_revisions: int | None = None
    contexts: tuple[str, ...] = ()
    scorers: tuple[Mapping[str, Any], ...] = ()
    course: Course | None = None
    approver: str | None = None
    effective_from: int | None = None
    effective_until: int | None = None


class ValidationSchema(DocumentSchema[Validation]):
    makes = Validation
    by = Text(required=True)
    on = Day(required=True)
    report = Iri()


class CourseSchema(DocumentSchema[Course]):
    makes = Course
    code = Text(required=True)
    title = Text(required=True)


class AssessmentSchema(DocumentSchema[Assessment]):
    makes = Assessment
    id = Iri(required=True)
    version = Whole(1, required=True)
    title = Text(required=True)
    kind = KindOrHabit(required=True)
    validated = Part(ValidationSchema)
    tasks = Several(Iri(), at_least=0)
    max_attempts = Whole(1)
    max_revisions = Whole(0)
    contexts = Several(Text(), at_least=0)
    scorers = Several(AgentField(), at_least=0)
    course = Part(CourseSchema)
    approver = Text()
    effective_from = Day()
    effective_until = Day()

    @validates_schema
    def _refuse_an_empty_span(self, values: dict[str, Any], **_: object) -> None:
        refuse_an_empty_span(values)


ASSESSMENT: Final = AssessmentSchema()


def assessment_of(document: Document) -> Assessment:
    """Return the assessment that a document stands for; raises InvalidRequest with every problem."""
    return value_of(ASSESSMENT, document)


class Assessments:
    """All versions of all assessments that were published and not taken back."""

    def __init__(self, acts: Iterable[Act]) -> None:
        self._published = in_turn(_first_of_each(acts), lambda one: str(one.id))
        self._whole = {task: id_ for id_, own in sorted(self._published.items()) for task in own[-1].document.tasks}

    def __iter__(self) -> Any:
        """Iterate over the newest version of each, in the order of their IRIs."""
        return iter([own[-1] for _, own in sorted(self._published.items())])

    def versions(self, id_: str) -> list[Assessment]:
        """Return every version of an assessment."""
        return [act.document for act in self._published.get(id_, ())]

    def at(self, activity: str, moment: int) -> Act | None:
        """Return the version of the assessment that an activity is, or is a task of, at a moment in microseconds."""
        own = self._published.get(activity) or self._published.get(self._whole.get(activity, ""))
        act = begun(own, moment) if own else None
        return None if act is None or has_ended(act.document, moment) else act


def activities_of(assessment: Assessment) -> list[str]:
    """Return the activities that an assessment speaks of: its own and its tasks."""
    return [assessment.id, *assessment.tasks]


def _first_of_each(acts: Iterable[Act]) -> list[Act]:
    """Return each version as it was first published: a published version never changes."""
    found: dict[tuple[str, int], Act] = {}
    for act in sorted(acts, key=lambda act: act.order):
        found.setdefault((act.document.id, act.document.version), act)
    return list(found.values())
