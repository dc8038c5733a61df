"""Frameworks as documents: what a district adopts, and what has to be there before one may go live."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Literal, TypeAlias

from marshmallow import ValidationError, fields, validates_schema

from projections.documents import Choice, Document, DocumentSchema, Iri, Part, Several, Text, Whole, value_of
from projections.frameworks.rubrics import Rubric, RubricSchema, covered

Status: TypeAlias = Literal["draft", "live"]
Strand: TypeAlias = Literal["academic", "work_habits"]

STATUSES: Final = ("draft", "live")
STRANDS: Final = ("academic", "work_habits")
FACETS: Final = ("knowledge", "skill", "application")
EXACT_MATCH: Final = "exactMatchOf"
SKILL_LEVEL: Final = "hasSkillLevel"
REPLACED: Final = "replacedBy"
EXEMPLAR: Final = "exemplar"
ASSOCIATION_TYPES: Final = (
    "isPeerOf", "isPartOf", EXACT_MATCH, "isRelatedTo", REPLACED, EXEMPLAR, SKILL_LEVEL, "isTranslationOf",
)  # fmt: skip
"""What one thing may be to another, besides parent and predecessor, which a competency and a progression say."""

NO_LEVELS: Final = (
    "has no levels with thresholds: let the framework name a scale, or give a rubric whose criterion for this "
    'competency has two or more levels with scores; or adopt the framework as a draft ("status": "draft")'
)
_extended_type = re.compile(r"ext:[A-Za-z0-9._-]+\Z")


@dataclass(frozen=True, slots=True)
class Competency:
    """One thing that a learner can come to master; `parent` is the IRI of the competency that it is a part of."""

    uri: str
    name: str
    statement: str
    code: str | None = None
    parent: str | None = None
    order: int | None = None
    facets: tuple[str, ...] = ()
    strand: Strand = "academic"


@dataclass(frozen=True, slots=True)
class Progression:
    """One competency that comes before another; either may lie outside the framework."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Association:
    """What the origin is to the destination; either may lie outside the framework."""

    type: str
    origin: str
    destination: str
    title: str | None = None


@dataclass(frozen=True, slots=True)
class ScaleNamed:
    """The version of a scale whose levels hold for every competency of a framework."""

    id: str
    version: int


@dataclass(frozen=True, slots=True)
class Changes:
    """What an adoption changed against the version that was adopted before it: IRIs of competencies, sorted."""

    since: str
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """What a framework was translated from, word for word, and the format that it is written in."""

    format: str
    package: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Framework:
    """One version of a set of competencies; only while it is `live` can its competencies be evidenced.

    `source` is there at the append and in the log; what the projections keep of an adoption is without it.
    """

    uri: str
    title: str
    version: str
    competencies: tuple[Competency, ...]
    creator: str | None = None
    progressions: tuple[Progression, ...] = ()
    status: Status = "live"
    scale: ScaleNamed | None = None
    rubrics: tuple[Rubric, ...] = ()
    associations: tuple[Association, ...] = ()
    changes: Changes | None = None
    source: Source | None = None


class AssociationType(Text):
    """A type of association: of CASE, or an extension's."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        word = super()._deserialize(value, *place, **options)
        if word not in ASSOCIATION_TYPES and not _extended_type.match(word):
            raise ValidationError(f"must be one of {', '.join(ASSOCIATION_TYPES)}, or ext: and a name")
        return str(word)


class Verbatim(fields.Field[Mapping[str, Any]]):
    """An object that is kept as it came."""

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError("must be an object")
        return value


class CompetencySchema(DocumentSchema[Competency]):
    makes = Competency
    uri = Iri(required=True)
    name = Text(required=True)
    statement = Text(required=True)
    code = Text()
    parent = Iri()
    order = Whole(0)
    facets = Several(Choice(*FACETS), at_least=0)
    strand = Choice(*STRANDS)


class ProgressionSchema(DocumentSchema[Progression]):
    makes = Progression
    before = Iri(required=True)
    after = Iri(required=True)


class AssociationSchema(DocumentSchema[Association]):
    makes = Association
    type = AssociationType(required=True)
    origin = Iri(required=True)
    destination = Iri(required=True)
    title = Text()


class ScaleNamedSchema(DocumentSchema[ScaleNamed]):
    makes = ScaleNamed
    id = Iri(required=True)
    version = Whole(1, required=True)


class ChangesSchema(DocumentSchema[Changes]):
    makes = Changes
    since = Text(required=True)
    added = Several(Iri(), at_least=0)
    changed = Several(Iri(), at_least=0)
    retired = Several(Iri(), at_least=0)


class SourceSchema(DocumentSchema[Source]):
    makes = Source
    format = Text(required=True)
    package = Verbatim(required=True)


class FrameworkSchema(DocumentSchema[Framework]):
    makes = Framework
    uri = Iri(required=True)
    title = Text(required=True)
    version = Text(required=True)
    creator = Text()
    competencies = Several(Part(CompetencySchema), required=True)
    progressions = Several(Part(ProgressionSchema), at_least=0)
    status = Choice(*STATUSES)
    scale = Part(ScaleNamedSchema)
    rubrics = Several(Part(RubricSchema), at_least=0)
    associations = Several(Part(AssociationSchema), at_least=0)
    changes = Part(ChangesSchema)
    source = Part(SourceSchema)

    @validates_schema
    def _refuse_a_tangle(self, values: dict[str, Any], **_: object) -> None:
        places = {one.uri: place for place, one in reversed([*enumerate(values["competencies"])])}
        wrong: dict[int, dict[str, list[str]]] = {}
        for place, one in enumerate(values["competencies"]):
            if places[one.uri] != place:
                wrong[place] = {"uri": ["appears twice in this framework"]}
        for uri in _circle(values["competencies"]):
            wrong.setdefault(places[uri], {"parent": ["leads back to this competency itself"]})
        if wrong:
            raise ValidationError({"competencies": wrong})

    @validates_schema
    def _refuse_to_go_live_without_levels(self, values: dict[str, Any], **_: object) -> None:
        if values.get("status") == "draft" or "scale" in values:
            return
        bare = without_levels(values["competencies"], values.get("rubrics", ()))
        if bare:
            raise ValidationError({"competencies": {place: [NO_LEVELS] for place in bare}})


FRAMEWORK: Final = FrameworkSchema()


def framework_of(document: Document) -> Framework:
    """Return the framework that a document stands for; raises InvalidRequest with every problem."""
    return value_of(FRAMEWORK, document)


def kept(document: Document) -> Document:
    """Return a framework document without what only an export reads: the package that it was translated from."""
    return {name: value for name, value in document.items() if name != "source"} if "source" in document else document


def without_levels(competencies: Sequence[Competency], rubrics: Iterable[Rubric]) -> list[int]:
    """Return the places of the competencies for which these rubrics have no levels with thresholds.

    A competency that only gathers others needs none of its own: its learners are shown the levels of its parts.
    """
    levelled = covered(rubrics) | {one.parent for one in competencies if one.parent}
    return [place for place, one in enumerate(competencies) if one.uri not in levelled]


def state_alignments(framework: Framework) -> dict[str, list[Association]]:
    """Return, by competency, the exact matches with something outside the framework: as a rule a state's standard."""
    own = {one.uri for one in framework.competencies}
    found: dict[str, list[Association]] = {}
    for one in framework.associations:
        inside = {one.origin, one.destination} & own
        if one.type == EXACT_MATCH and len(inside) == 1:
            found.setdefault(inside.pop(), []).append(one)
    return found


def _circle(competencies: Iterable[Competency]) -> list[str]:
    """Return the competencies of the first circle of parents, or none."""
    parents = {one.uri: [one.parent] for one in competencies if one.parent}
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []
