"""Which statement told a decision, for whoever reads the decision."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from lrs.store.search import with_id
from lrs.xapi.decode import stored_statement
from projections.ids import DecisionId
from projections.profile import DECISION
from projections.publishing.statements import statement_id
from projections.publishing.tables import publication
from projections.view import View


def published_as(view: View, wanted: DecisionId) -> dict[str, Any] | None:
    """Return the statement that told a decision, its position, and whether it was voided since.

    None where it was not published, as of the view; a decision that turned nothing never is, nor any of a log whose
    decisions never went out.
    """
    if view.connection.execute(select(publication).where(publication.c.log_id == view.log.log_id)).first() is None:
        return None
    name = statement_id(view.log.origin, wanted)
    found = with_id(view.log_connection, view.log.log_id, name)
    if found is None or found[0].position > view.position or found[0].body is None:
        return None
    statement = stored_statement(found[0].body)
    told = statement.get("context", {}).get("extensions", {}).get(DECISION)
    if not isinstance(told, dict) or told.get("id") != str(wanted):
        return None
    return {
        "statement_id": name, "verb": statement["verb"]["id"], "position": found[0].position, "is_voided": found[1],
    }  # fmt: skip
