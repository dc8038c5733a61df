"""What the pages show of evidence: learners as they are listed and found, and the quarantine in plain words."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, or_, select

from projections.evidence import tables
from projections.evidence.learners import not_linked_away
from projections.evidence.reading import Wanted, quarantined
from projections.evidence.reasons import OTHER, REASONS
from projections.ids import learner_id
from projections.view import View

PAGE: Final = 25
MOST_KINDS: Final = 6
NEWEST: Final = Wanted(limit=25)


def learners_found(view: View, wanted: str, page: int) -> tuple[list[Any], int]:
    """Return one page of the learners whose name or account holds the words, by name, and how many there are."""
    query = _matching(view, wanted)
    count = view.connection.scalar(select(func.count()).select_from(query.subquery())) or 0
    columns = tables.learner.c
    ordered = query.order_by(func.lower(columns.name), columns.learner).limit(PAGE).offset((page - 1) * PAGE)
    return list(view.connection.execute(ordered)), count


def _matching(view: View, wanted: str) -> Select[Any]:
    columns = tables.learner.c
    query = select(columns.learner, columns.name, columns.ifi).where(
        columns.build_id == view.build("evidence"), columns.position <= view.position, *not_linked_away(view)
    )
    return query.where(or_(*_ways(wanted.lower()))) if wanted else query


def _ways(wanted: str) -> list[ColumnElement[bool]]:
    name, ifi = func.lower(tables.learner.c.name), func.lower(tables.learner.c.ifi)
    escaped = wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return [
        name.contains(wanted, autoescape=True),
        ifi.like(f"account:%|%{escaped}%", escape="\\"),
        ifi.like(f"mbox:mailto:%{escaped}%", escape="\\"),
    ]


def listed(row: Any) -> dict[str, str]:
    """Return a learner as a list shows them: the account beside the name, never the whole identifier."""
    account = row.ifi.rpartition("|")[2] if row.ifi.startswith("account:") else ""
    return {"id": learner_id(row.learner), "name": row.name, "account": "" if account == row.name else account}


def quarantine_count(view: View) -> int:
    """Return how many statements wait in the quarantine."""
    columns = tables.quarantine.c
    query = select(func.sum(columns.change)).where(
        columns.build_id == view.build("evidence"), columns.cause <= view.position
    )
    return int(view.connection.scalar(query) or 0)


def quarantine_shown(view: View, wanted: Wanted = NEWEST) -> dict[str, Any]:
    """Return the quarantine with every reason explained, what waits most often, and a page of the statements."""
    found = quarantined(view, wanted)
    often = _often(view)
    told = {**found["by_reason"], **({"duplicate": found["duplicates"]} if found["duplicates"] else {})}
    reasons = [
        {
            "name": name,
            "count": count,
            "words": REASONS.get(name, OTHER),
            "often": [one for one in often if one.reason == name][:MOST_KINDS],
        }
        for name, count in sorted(told.items(), key=lambda pair: -pair[1])
    ]
    newest = [{**one, "words": REASONS.get(one["reason"], OTHER)} for one in found["newest"]]
    return {
        "count": found["count"],
        "reasons": reasons,
        "credentials": found["by_credential"],
        "newest": newest,
        "older": found["after"],
        "wanted": wanted,
    }


def _often(view: View) -> list[Any]:
    columns = tables.quarantine.c
    count = func.sum(columns.change).label("waiting")
    query = (
        select(columns.reason, columns.detail, count)
        .where(columns.build_id == view.build("evidence"), columns.cause <= view.position)
        .group_by(columns.reason, columns.detail)
        .having(count > 0)
        .order_by(count.desc(), columns.reason, columns.detail)
        .limit(len(REASONS) * MOST_KINDS * 4)
    )
    return list(view.connection.execute(query))
