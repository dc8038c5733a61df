"""The documents that say what a statement is evidence of: frameworks, alignments and score normalisers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from projections.documents import Document, DocumentSchema, Exact, Iri, Part, Several, Text, Whole, value_of
from projections.evidence.evidence import KINDS

KIND_WORDS: Final = {
    "diagnostic": ("diagnostic assessment", "diagnostic assessments"),
    "formative": ("formative assessment", "formative assessments"),
    "interim": ("interim assessment", "interim assessments"),
    "performance_task": ("performance task", "performance tasks"),
    "portfolio": ("portfolio", "portfolios"),
    "local_summative": ("local summative", "local summatives"),
    "state_summative": ("state summative", "state summatives"),
    "credential": ("credential", "credentials"),
    "elo": ("extended learning opportunity", "extended learning opportunities"),
}
"""Each kind of assessment in words for a learner: one of it, and several."""

_HABITS: Final = frozenset({"behaviour", "behavior", "effort", "participation", "work_habit", "work_habits"})
_NO_HABITS: Final = "is a strand of its own: behaviour and work habits never count toward a competency"


@dataclass(frozen=True, slots=True)
class Competency:
    """One thing that a learner can come to master; `parent` is the IRI of the competency that it is a part of."""

    uri: str
    name: str
    statement: str
    code: str | None = None
    parent: str | None = None
    order: int | None = None


@dataclass(frozen=True, slots=True)
class Progression:
    """One competency that comes before another; either may lie outside the framework."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Framework:
    """One version of a set of competencies."""

    uri: str
    title: str
    version: str
    competencies: tuple[Competency, ...]
    creator: str | None = None
    progressions: tuple[Progression, ...] = ()


@dataclass(frozen=True, slots=True)
class Alignment:
    """What an activity assesses, and as which kind; no competencies end the alignment."""

    activity: str
    competencies: tuple[str, ...]
    kind: str
    task: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The authority of a statement, as xAPI's account has it."""

    home_page: str
    name: str


@dataclass(frozen=True, slots=True)
class Match:
    """Which statements a normaliser is for: all that is named must agree."""

    authority: Account | None = None
    platform: str | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """The ends of what a sender writes as a scaled score."""

    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True, slots=True)
class Normaliser:
    """How the scaled scores of one sender are read."""

    id: str
    version: int
    title: str
    match: Match
    scaled: Range


class Kind(Text):
    """A kind of assessment; behaviour is refused with the reason."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        word = super()._deserialize(value, *place, **options)
        if word in _HABITS:
            raise ValidationError(_NO_HABITS)
        if word not in KINDS:
            raise ValidationError(f"is not a kind of assessment: write one of {', '.join(KINDS)}")
        return str(word)


class CompetencySchema(DocumentSchema[Competency]):
    makes = Competency
    uri = Iri(required=True)
    name = Text(required=True)
    statement = Text(required=True)
    code = Text()
    parent = Iri()
    order = Whole(0)


class ProgressionSchema(DocumentSchema[Progression]):
    makes = Progression
    before = Iri(required=True)
    after = Iri(required=True)


class FrameworkSchema(DocumentSchema[Framework]):
    makes = Framework
    uri = Iri(required=True)
    title = Text(required=True)
    version = Text(required=True)
    creator = Text()
    competencies = Several(Part(CompetencySchema), required=True)
    progressions = Several(Part(ProgressionSchema), at_least=0)

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


class AlignmentSchema(DocumentSchema[Alignment]):
    makes = Alignment
    activity = Iri(required=True)
    competencies = Several(Iri(), at_least=0, required=True)
    kind = Kind(required=True)
    task = Iri()


class AccountSchema(DocumentSchema[Account]):
    makes = Account
    home_page = Iri(required=True, data_key="homePage")
    name = Text(required=True)


class MatchSchema(DocumentSchema[Match]):
    makes = Match
    authority = Part(AccountSchema)
    platform = Text()

    @validates_schema
    def _refuse_to_match_all(self, values: dict[str, Any], **_: object) -> None:
        if not values:
            raise ValidationError("must name an authority, a platform, or both")


class RangeSchema(DocumentSchema[Range]):
    makes = Range
    minimum = Exact("-1", "1", required=True)
    maximum = Exact("-1", "1", required=True)

    @validates_schema
    def _refuse_an_empty_range(self, values: dict[str, Any], **_: object) -> None:
        if values["minimum"] >= values["maximum"]:
            raise ValidationError({"maximum": ["must be above the minimum"]})


class NormaliserSchema(DocumentSchema[Normaliser]):
    makes = Normaliser
    id = Iri(required=True)
    version = Whole(1, required=True)
    title = Text(required=True)
    match = Part(MatchSchema, required=True)
    scaled = Part(RangeSchema, required=True)


FRAMEWORK: Final = FrameworkSchema()
ALIGNMENT: Final = AlignmentSchema()
NORMALISER: Final = NormaliserSchema()


def framework_of(document: Document) -> Framework:
    """Return the framework that a document stands for; raises InvalidRequest with every problem."""
    return value_of(FRAMEWORK, document)


def alignment_of(document: Document) -> Alignment:
    """Return the alignment that a document stands for; raises InvalidRequest with every problem."""
    return value_of(ALIGNMENT, document)


def normaliser_of(document: Document) -> Normaliser:
    """Return the normaliser that a document stands for; raises InvalidRequest with every problem."""
    return value_of(NORMALISER, document)


def kind_words(kinds: Iterable[str], many: bool, last: str = "or") -> str:
    """Return kinds of assessment as a list in words, in the order of their stored numbers."""
    chosen = set(kinds)
    words = [KIND_WORDS[kind][many] for kind in KINDS if kind in chosen]
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _circle(competencies: Iterable[Competency]) -> list[str]:
    """Return the competencies of the first circle of parents, or none."""
    parents = {one.uri: [one.parent] for one in competencies if one.parent}
    try:
        TopologicalSorter(parents).prepare()
    except CycleError as error:
        circle: list[str] = error.args[1]
        return circle
    return []
