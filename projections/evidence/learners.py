"""Who is listed as a learner: everybody with evidence, under their one key, and no account that is another's."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select

from projections.evidence import tables
from projections.evidence.identity import Identities
from projections.registry import Act, read_document
from projections.view import View


def identities_at(view: View) -> Identities:
    """Return the links that hold as of a view, read without the other acts."""
    act = tables.act.c
    query = select(tables.act).where(
        act.build_id == view.build("evidence"), act.cause <= view.position, act.kind == "identity"
    )
    held: dict[int, Act] = {}
    for row in view.connection.execute(query.order_by(act.cause, act.position)):
        if row.change > 0:
            document = read_document(row.kind, row.document)
            held[row.position] = Act(row.position, row.kind, row.timestamp, row.statement_id, document)
        else:
            held.pop(row.position, None)
    return Identities(held.values())


def not_linked_away(view: View) -> list[ColumnElement[bool]]:
    """Return the condition on the table of learners that leaves out the accounts of another learner."""
    linked = sorted(identities_at(view).owners)
    return [tables.learner.c.learner.not_in(linked)] if linked else []
