"""The documents that say what a statement is evidence of: alignments and score normalisers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Final

from marshmallow import ValidationError, validates_schema

from projections.documents import (
    Choice,
    Day,
    Document,
    DocumentSchema,
    Exact,
    Iri,
    Part,
    Several,
    Text,
    Whole,
    value_of,
)
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
    "work_habit": ("work habit", "work habits"),
}
"""Each kind of assessment in words for a learner: one of it, and several."""

HABIT: Final = "work_habit"
_HABITS: Final = frozenset({"behaviour", "behavior", "effort", "participation", HABIT, "work_habits"})
_NO_HABITS: Final = "is a strand of its own: behaviour and work habits never count toward a competency"
_ONE_HABIT: Final = f"is a strand of its own: write {HABIT}, for competencies of the strand work_habits alone"
_ENDS_OPEN: Final = ("/*", "=*")


@dataclass(frozen=True, slots=True)
class Alignment:
    """What an activity assesses, and as which kind; no competencies end the alignment.

    `activity` may be a pattern: an IRI that ends in `/*` or `=*` stands for all that begin so. The alignment is for
    what happened from `effective_from` on and before `effective_until`, in microseconds; None: without that end.
    """

    activity: str
    competencies: tuple[str, ...]
    kind: str
    task: str | None = None
    version: int = 1
    effective_from: int | None = None
    effective_until: int | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The authority of a statement, as xAPI's account has it."""

    home_page: str
    name: str


@dataclass(frozen=True, slots=True)
class Match:
    """Which statements a normaliser is for: all that is named must agree.

    `category` is the IRI, or the pattern, of a context activity under category; `extension` an extension of the
    statement's context.
    """

    authority: Account | None = None
    platform: str | None = None
    category: str | None = None
    extension: str | None = None


@dataclass(frozen=True, slots=True)
class Range:
    """The ends of what a sender writes as a scaled score."""

    minimum: Decimal
    maximum: Decimal


@dataclass(frozen=True, slots=True)
class Normaliser:
    """How the statements of one sender are read.

    `prefers` says whether points or `scaled` count where a score has both. `attempt` is the extension that numbers an
    attempt, `alignments` are further extensions that name competencies, and `parts` is the extension of a definition
    that marks a part of another activity.
    """

    id: str
    version: int
    title: str
    match: Match
    scaled: Range
    prefers: str = "points"
    attempt: str | None = None
    alignments: tuple[str, ...] = ()
    parts: str | None = None


class Kind(Text):
    """A kind of assessment; behaviour is refused with the reason."""

    refused: ClassVar[frozenset[str]] = _HABITS
    reason: ClassVar[str] = _NO_HABITS

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        word = super()._deserialize(value, *place, **options)
        if word in self.refused:
            raise ValidationError(self.reason)
        if word not in KINDS:
            raise ValidationError(f"is not a kind of assessment: write one of {', '.join(KINDS)}")
        return str(word)


class KindOrHabit(Kind):
    """A kind of assessment, or `work_habit` for what is evidence of a work habit."""

    refused = _HABITS - {HABIT}
    reason = _ONE_HABIT


class Pattern(Iri):
    """An IRI; with `/*` or `=*` at its end it stands for all IRIs that begin so."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        text = super()._deserialize(value, *place, **options)
        if "*" in text and (text.index("*") < len(text) - 1 or not text.endswith(_ENDS_OPEN)):
            raise ValidationError("may have one * only, at its end, behind / or =")
        return text


def refuse_an_empty_span(values: dict[str, Any]) -> None:
    """Raise ValidationError where a document would end before it begins."""
    since, until = values.get("effective_from"), values.get("effective_until")
    if since is not None and until is not None and until <= since:
        raise ValidationError({"effective_until": ["must be after effective_from"]})


class AlignmentSchema(DocumentSchema[Alignment]):
    makes = Alignment
    activity = Pattern(required=True)
    competencies = Several(Iri(), at_least=0, required=True)
    kind = KindOrHabit(required=True)
    task = Iri()
    version = Whole(1)
    effective_from = Day()
    effective_until = Day()

    @validates_schema
    def _refuse_an_empty_span(self, values: dict[str, Any], **_: object) -> None:
        refuse_an_empty_span(values)


class AccountSchema(DocumentSchema[Account]):
    makes = Account
    home_page = Iri(required=True, data_key="homePage")
    name = Text(required=True)


class MatchSchema(DocumentSchema[Match]):
    makes = Match
    authority = Part(AccountSchema)
    platform = Text()
    category = Pattern()
    extension = Iri()

    @validates_schema
    def _refuse_to_match_all(self, values: dict[str, Any], **_: object) -> None:
        if not values:
            raise ValidationError("must name an authority, a platform, a category or an extension")


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
    prefers = Choice("points", "scaled")
    attempt = Iri()
    alignments = Several(Iri(), at_least=0)
    parts = Iri()


ALIGNMENT: Final = AlignmentSchema()
NORMALISER: Final = NormaliserSchema()


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
