"""The quarantine as people read it: what could be evidence and is not, why, and how much of it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from projections.evidence import tables
from projections.view import View

MOST_SHOWN = 200


def quarantined(view: View) -> dict[str, Any]:
    """Return the counts by reason and by credential, and the newest statements that wait."""
    columns = tables.quarantine.c
    held = (
        select(columns.position, columns.reason, columns.detail, columns.authority)
        .where(columns.build_id == view.build("evidence"), columns.cause <= view.position)
        .group_by(columns.position, columns.reason, columns.detail, columns.authority)
        .having(func.sum(columns.change) > 0)
    )
    rows = view.connection.execute(held.order_by(columns.position.desc())).all()
    return {
        "count": len(rows),
        "by_reason": dict(sorted(Counter(row.reason for row in rows).items())),
        "newest": _shown(view, rows[:MOST_SHOWN]),
    }


def _shown(view: View, rows: Any) -> list[dict[str, Any]]:
    texts = {
        one.position: stored_statement(one.body or b"{}")
        for one in at(view.log_connection, view.log.log_id, [row.position for row in rows])
    }
    return [
        {
            "position": row.position,
            "statement_id": _get(texts, row.position, "id"),
            "credential": _get(texts, row.position, "authority", "name"),
            "reason": row.reason,
            "detail": row.detail,
        }
        for row in rows
    ]


def _get(texts: Any, *names: Any) -> Any:
    value = texts
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
