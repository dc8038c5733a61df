"""The levels of mastery, as data: what a scale document is, what is sound in it, and the scale that is shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from marshmallow import ValidationError, validates_schema

from projections.documents import Document, DocumentSchema, Exact, Iri, Part, Several, Text, Whole, plain, value_of
from projections.profile import PROFILE


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


SCALE: Final = ScaleSchema()


def scale_of(document: Document) -> Scale:
    """Return the scale that a document stands for; raises InvalidRequest with every problem."""
    return value_of(SCALE, document)


def proficient_minimum(scale: Scale) -> Decimal:
    """Return the points at which the proficient level begins."""
    return next(level.minimum for level in scale.levels if level.name == scale.proficient)


def _disorder(levels: list[Level], maximum: Decimal) -> Iterator[tuple[int, str]]:
    if levels[0].minimum != 0:
        yield 0, "must be 0: the lowest level holds every score"
    for place in range(1, len(levels)):
        if levels[place].minimum <= levels[place - 1].minimum:
            yield place, "must be above the minimum of the level before"
        elif levels[place].minimum > maximum:
            yield place, f"must be at most {plain(maximum)}, the maximum of the scale"


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
DEFAULT_SCALE: Final = scale_of(DEFAULT_SCALE_DOCUMENT)
