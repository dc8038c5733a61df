"""The quarantine as people read it: what could be evidence and is not, why, whose, and how much of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Select, func, select

from lrs.store.search import at
from lrs.xapi.decode import stored_statement
from lrs.xapi.values import key64
from projections.evidence import tables
from projections.view import View

MOST_SHOWN: Final = 200
DUPLICATE: Final = "duplicate"
SET_ASIDE: Final = frozenset({"completion", "no_activity", "no_learner", "future_dated", "nonconformant", DUPLICATE})
"""Reasons that no act mends: the statement itself says it. All others wait for an alignment, a normaliser, …"""


class Wanted(NamedTuple):
    """Which of the quarantined statements are listed: newest first, those before the position `before`."""

    reason: str | None = None
    credential: str | None = None
    before: int | None = None
    limit: int = MOST_SHOWN


ALL: Final = Wanted()


class Uncounted(NamedTuple):
    """One statement that is not counted: where it stands, why, and whose credential posted it."""

    position: int
    reason: str
    detail: str
    authority: int


def quarantined(view: View, wanted: Wanted = ALL) -> dict[str, Any]:
    """Return the counts by reason and by credential, and a page of the statements that wait, newest first.

    `after` is where the next page begins. Duplicates are counted apart: they are evidence, and count once.
    """
    counts = _counts(view)
    by_reason: Counter[str] = Counter()
    for (_, reason), count in counts.items():
        by_reason[reason] += count
    rows = _duplicates(view, wanted) if wanted.reason == DUPLICATE else _held(view, wanted)
    return {
        "count": sum(counts.values()),
        "by_reason": dict(sorted(by_reason.items())),
        "by_credential": _by_credential(view, counts),
        "duplicates": _count_of_duplicates(view),
        "newest": _shown(view, rows[: wanted.limit]),
        "after": str(rows[wanted.limit - 1].position) if len(rows) > wanted.limit else None,
    }


def _counts(view: View) -> dict[tuple[int, str], int]:
    """Return how many statements wait, by the credential's key and the reason."""
    columns = tables.quarantine.c
    count = func.sum(columns.change).label("waiting")
    query = (
        select(columns.authority, columns.reason, count)
        .where(columns.build_id == view.build("evidence"), columns.cause <= view.position)
        .group_by(columns.authority, columns.reason)
        .having(count > 0)
        .order_by(columns.authority, columns.reason)
    )
    return {(row.authority, row.reason): int(row.waiting) for row in view.connection.execute(query)}


def _by_credential(view: View, counts: dict[tuple[int, str], int]) -> list[dict[str, Any]]:
    """Return the counts of each credential, the one with most first."""
    names = _names(view)
    found: dict[int, dict[str, int]] = {}
    for (authority, reason), count in counts.items():
        found.setdefault(authority, {})[reason] = count
    ordered = sorted(found.items(), key=lambda pair: (-sum(pair[1].values()), pair[0]))
    return [
        {**names.get(authority, {"key": None, "name": None}), "count": sum(own.values()), "by_reason": own}
        for authority, own in ordered
    ]


def _names(view: View) -> dict[int, dict[str, Any]]:
    """Return the key and the name of each credential, as one of its statements tells them."""
    columns = tables.quarantine.c
    query = (
        select(columns.authority, func.max(columns.position).label("position"))
        .where(columns.build_id == view.build("evidence"), columns.cause <= view.position)
        .group_by(columns.authority)
        .order_by(columns.authority)
    )
    positions = {row.position: row.authority for row in view.connection.execute(query)}
    texts = texts_of(view, list(positions))
    return {
        positions[position]: {
            "key": within(text, "authority", "account", "name"),
            "name": within(text, "authority", "name"),
        }
        for position, text in texts.items()
    }


def _conditions(view: View, wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = tables.quarantine.c
    found = [columns.build_id == view.build("evidence"), columns.cause <= view.position]
    if wanted.reason is not None:
        found.append(columns.reason == wanted.reason)
    if wanted.credential is not None:
        found.append(columns.authority == credential_key(view, wanted.credential))
    if wanted.before is not None:
        found.append(columns.position < wanted.before)
    return found


def credential_key(view: View, key: str) -> int:
    """Return the key under which the rows name a credential: it is an account of the log's origin."""
    return key64("agent", f"account:{view.log.origin}|{key}")


def _held(view: View, wanted: Wanted) -> Sequence[Uncounted]:
    columns = tables.quarantine.c
    told = columns.position, columns.reason, columns.detail, columns.authority
    held = select(*told).where(*_conditions(view, wanted)).group_by(*told).having(func.sum(columns.change) > 0)
    ordered = held.order_by(columns.position.desc()).limit(wanted.limit + 1)
    return [Uncounted(*row) for row in view.connection.execute(ordered)]


def _same_events(view: View) -> Select[Any]:
    """Return the query of what is told more than once: the learner, the competency, the event, and how often."""
    columns = tables.evidence.c
    event = columns.learner, columns.competency, columns.fingerprint
    query = select(*event, func.sum(columns.change).label("times")).where(
        columns.build_id == view.build("evidence"), columns.cause <= view.position
    )
    return query.group_by(*event).having(func.sum(columns.change) > 1)


def _count_of_duplicates(view: View) -> int:
    events = _same_events(view).subquery()
    return int(view.connection.scalar(select(func.sum(events.c.times - 1))) or 0)


def _duplicates(view: View, wanted: Wanted) -> Sequence[Uncounted]:
    """Return the evidence that tells of an event again: of each event the statement with the lowest id counts."""
    columns, events = tables.evidence.c, _same_events(view).subquery()
    same = [columns[name] == events.c[name] for name in ("learner", "competency", "fingerprint")]
    told = (*_event(), columns.statement_id, columns.position, columns.authority)
    query = select(*told).join_from(tables.evidence, events, same[0] & same[1] & same[2])
    query = query.where(columns.build_id == view.build("evidence"), columns.cause <= view.position)
    held = query.group_by(*told).having(func.sum(columns.change) > 0).order_by(*_event(), columns.statement_id)
    first: dict[tuple[int, ...], str] = {}
    found: dict[int, Uncounted] = {}
    for *event, statement_id, position, authority in view.connection.execute(held):
        kept = first.setdefault(tuple(event), statement_id)
        if kept != statement_id:
            found[position] = Uncounted(position, DUPLICATE, f"tells of the same event as {kept}", authority)
    return _page(view, found, wanted)


def _event() -> tuple[Any, Any, Any]:
    columns = tables.evidence.c
    return columns.learner, columns.competency, columns.fingerprint


def _page(view: View, found: dict[int, Uncounted], wanted: Wanted) -> Sequence[Uncounted]:
    authority = None if wanted.credential is None else credential_key(view, wanted.credential)
    before = wanted.before
    rows = [found[position] for position in sorted(found, reverse=True) if before is None or position < before]
    return [one for one in rows if authority in (None, one.authority)][: wanted.limit + 1]


def _shown(view: View, rows: Sequence[Uncounted]) -> list[dict[str, Any]]:
    texts = texts_of(view, [row.position for row in rows])
    return [
        {
            "position": row.position,
            "statement_id": within(texts, row.position, "id"),
            "credential": within(texts, row.position, "authority", "name"),
            "reason": row.reason,
            "detail": row.detail,
            "disposition": "set_aside" if row.reason in SET_ASIDE else "waits",
        }
        for row in rows
    ]


def texts_of(view: View, positions: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Return the statements at these positions; an erased one is empty."""
    found = at(view.log_connection, view.log.log_id, positions)
    return {one.position: stored_statement(one.body or b"{}") for one in found}


def within(value: Any, *names: Any) -> Any:
    """Return what stands under these names, or None."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
