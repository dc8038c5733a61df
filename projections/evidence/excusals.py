"""Excused evidence: what the registrar took out of the decision, by a statement of its own that can be voided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from marshmallow import ValidationError

from lrs.xapi.values import is_uuid
from projections.documents import Document, DocumentSchema, Iri, Text, value_of

URN: Final = "urn:uuid:"


@dataclass(frozen=True, slots=True)
class Excusal:
    """One statement that is excused as evidence; `evidence` is its id behind urn:uuid:, in lower case."""

    evidence: str
    reason: str

    @property
    def statement_id(self) -> str:
        """The id of the statement that is excused."""
        return self.evidence.removeprefix(URN)


class StatementName(Iri):
    """The id of a statement as an IRI."""

    def _deserialize(self, value: Any, *place: Any, **options: Any) -> str:
        text = super()._deserialize(value, *place, **options)
        if not text.startswith(URN) or not is_uuid(text.removeprefix(URN)) or text != text.lower():
            raise ValidationError(f"must be {URN} and the id of a statement, in lower case")
        return text


class ExcusalSchema(DocumentSchema[Excusal]):
    makes = Excusal
    evidence = StatementName(required=True)
    reason = Text(required=True)


EXCUSAL: Final = ExcusalSchema()


def excusal_of(document: Document) -> Excusal:
    """Return the excusal that a document stands for; raises InvalidRequest with every problem."""
    return value_of(EXCUSAL, document)
