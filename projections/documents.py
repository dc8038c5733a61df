"""What every published document shares: strict fields, exact decimals, and problems that point at their place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final, Generic, NamedTuple, TypeAlias, TypeVar

from marshmallow import Schema, ValidationError, fields, post_load, validate

from lrs.errors import InvalidRequest, Problem
from lrs.xapi.values import is_iri, timestamp_us

T = TypeVar("T")
Document: TypeAlias = Mapping[str, Any]

_DATE: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch
_NO_DATE: Final = "must be a date such as 2026-08-01"
MOST_CHARACTERS: Final = 10_000
NO_OBJECT: Final = "must be an object"
_ABSENT: Final[dict[str, str | list[Any] | dict[Any, Any]]] = {
    "required": "is missing",
    "null": "must not be null: leave it out",
}


class Act(NamedTuple):
    """One act in the log: where it stands, and the document it carries, read."""

    position: int
    kind: str
    timestamp: int
    statement_id: str
    document: Any

    @property
    def order(self) -> tuple[int, str]:
        """What decides between two acts; their place in the log does not."""
        return self.timestamp, self.statement_id


class DocumentSchema(Schema, Generic[T]):
    """A document, or a part of one, that becomes a frozen dataclass; a field it does not know is refused."""

    makes: ClassVar[type[Any]]
    error_messages = {"unknown": "is not a field here: take it out", "type": NO_OBJECT}

    @post_load
    def _made(self, values: dict[str, Any], **_: object) -> T:
        made: T = self.makes(**{name: _frozen(value) for name, value in values.items()})
        return made


class Text(fields.String):
    """Words that are not empty."""

    default_error_messages = {**_ABSENT, "invalid": "must be text"}

    def __init__(self, **options: Any) -> None:
        super().__init__(
            validate=validate.Length(1, MOST_CHARACTERS, error=f"must have 1 to {MOST_CHARACTERS} characters"),
            **options,
        )


class Iri(Text):
    """An IRI with its scheme."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        text = super()._deserialize(value, *place, **options)
        if not is_iri(text):
            raise ValidationError("must be an IRI with its scheme, such as https://example.org/algebra")
        return str(text)


class Whole(fields.Field[int]):
    """A whole JSON number between two bounds."""

    default_error_messages = _ABSENT

    def __init__(self, minimum: int, maximum: int = 2**31 - 1, **options: Any) -> None:
        super().__init__(**options)
        self.minimum, self.maximum = minimum, maximum

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if type(value) is not int or not self.minimum <= value <= self.maximum:
            raise ValidationError(f"must be a whole number from {self.minimum} to {self.maximum}")
        return value


class Exact(fields.Field[Decimal]):
    """A decimal, written as a JSON string ("2.65") or number; a number counts as the digits that it is written with."""

    default_error_messages = _ABSENT

    def __init__(self, minimum: str, maximum: str = "999999999", places: int = 9, **options: Any) -> None:
        super().__init__(**options)
        self.minimum, self.maximum = Decimal(minimum), Decimal(maximum)
        self.shape = re.compile(rf"-?[0-9]{{1,9}}(\.[0-9]{{1,{places}}})?").fullmatch
        self.shape_words = f'must be a decimal such as "2.65", with at most {places} digits after the point'

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal) or not self.shape(str(value)):
            raise ValidationError(self.shape_words)
        number = Decimal(str(value))
        if not self.minimum <= number <= self.maximum:
            raise ValidationError(f"must be from {self.minimum} to {self.maximum}")
        return number


class Day(fields.Field[int]):
    """A date such as "2026-08-01", read as its first moment in UTC, in microseconds since 1970."""

    default_error_messages = _ABSENT

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not isinstance(value, str) or not _DATE(value):
            raise ValidationError(_NO_DATE)
        try:
            return timestamp_us(f"{value}T00:00:00Z")
        except ValueError as error:
            raise ValidationError(_NO_DATE) from error


class Yes(fields.Field[bool]):
    """A JSON true or false."""

    default_error_messages = _ABSENT

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bool:
        if not isinstance(value, bool):
            raise ValidationError("must be true or false")
        return value


class Choice(Text):
    """One word out of a closed list."""

    def __init__(self, *words: str, **options: Any) -> None:
        super().__init__(**options)
        self.words = words

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        text = super()._deserialize(value, *place, **options)
        if text not in self.words:
            raise ValidationError(f"must be one of {', '.join(self.words)}")
        return str(text)


class Several(fields.List[Any]):
    """A list, which has at least one member unless said otherwise."""

    default_error_messages = {**_ABSENT, "invalid": "must be a list"}

    def __init__(self, member: fields.Field[Any], at_least: int = 1, **options: Any) -> None:
        length = validate.Length(min=at_least, error=f"must have at least {at_least} member{'s' * (at_least != 1)}")
        super().__init__(member, validate=length, **options)


class Part(fields.Nested):
    """An object inside a document."""

    default_error_messages = _ABSENT


def load(schema: DocumentSchema[T], document: object, pointer: str = "") -> tuple[T | None, list[Problem]]:
    """Return the value that a document stands for, or None and every problem, in the order of their pointers.

    `pointer` is the JSON pointer to the document itself; the problems' pointers continue it.
    """
    try:
        return value_of(schema, document), []
    except InvalidRequest as error:
        return None, [Problem(pointer + problem.pointer, problem.message) for problem in error.problems]


def value_of(schema: DocumentSchema[T], document: object) -> T:
    """Return the value that a document stands for; raises InvalidRequest with every problem."""
    try:
        value: T = schema.load(document)  # type: ignore[arg-type]  # no object at all is one of the problems
    except ValidationError as error:
        problems = sorted(_problems(error.messages, ""), key=lambda problem: (problem.pointer, problem.message))
        raise InvalidRequest("The document breaks the rules of its kind.", problems) from error
    return value


def continued(pointer: str, *names: object) -> str:
    """Return the JSON pointer (RFC 6901) to what stands under these names."""
    return pointer + "".join(f"/{str(name).replace('~', '~0').replace('/', '~1')}" for name in names)


def plain(number: Decimal) -> str:
    """Return a decimal as people write it: no exponent, no zeros that say nothing."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _problems(messages: object, pointer: str) -> Iterator[Problem]:
    if isinstance(messages, dict):
        for name, inner in messages.items():
            yield from _problems(inner, pointer if name == "_schema" else continued(pointer, name))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _problems(inner, pointer)
    else:
        yield Problem(pointer, str(messages))


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
