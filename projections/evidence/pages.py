"""What the pages show of evidence: learners as they are listed and found, and the quarantine in plain words."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, func, or_, select

from projections.evidence import tables
from projections.evidence.reading import quarantined
from projections.ids import learner_id
from projections.view import View

PAGE: Final = 25
MOST_KINDS: Final = 6
MOST_NEWEST: Final = 25


class Reason(NamedTuple):
    """Why statements wait in the quarantine, what can be done, and the command that does it."""

    title: str
    meaning: str
    fix: str
    command: str = ""


REASONS: Final = {
    "unaligned": Reason(
        "Aligned to no competency",
        "These carry a score, but nothing says which competency their activity is about.",
        "Let the tool name the competency, or align the activity:",
        "cairn align",
    ),
    "completion": Reason(
        "Completion, not demonstration",
        "Their verb says that something was completed, attended or left. That is never evidence of mastery, "
        "whatever score is attached.",
        "Usually nothing: it is right that they do not count. If they are assessments, let the tool send the verb "
        "scored, passed or answered.",
    ),
    "unnormalisable": Reason(
        "A score that cannot be read",
        "Their score has no known range, or lies outside of it.",
        "Let the tool send raw, min and max, or publish a normaliser for it:",
        "cairn publish",
    ),
    "no_learner": Reason(
        "Nobody to count it for",
        "They are about a group whose members cannot be told apart.",
        "Let the tool name the members of the group, each with an account.",
    ),
}
OTHER: Final = Reason("Another reason", "See the statement itself.", "Ask whoever runs the tool.")


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
        columns.build_id == view.build("evidence"), columns.position <= view.position
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


def quarantine_shown(view: View) -> dict[str, Any]:
    """Return the quarantine with every reason explained, what waits most often, and the newest statements."""
    found = quarantined(view)
    often = _often(view)
    reasons = [
        {
            "name": name,
            "count": count,
            "words": REASONS.get(name, OTHER),
            "often": [one for one in often if one.reason == name][:MOST_KINDS],
        }
        for name, count in sorted(found["by_reason"].items(), key=lambda pair: -pair[1])
    ]
    newest = [{**one, "words": REASONS.get(one["reason"], OTHER)} for one in found["newest"][:MOST_NEWEST]]
    return {"count": found["count"], "reasons": reasons, "newest": newest}


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
