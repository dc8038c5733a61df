"""Digests of a build: order-independent sums of row hashes, in buckets, so that a difference can be found.

The full digest covers every row with its positions: a replay, a restart, another batch size or another database must
give the same. The outcome digest covers what holds in the end, without positions: so must any order of arrival.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Table, func, select

from projections.credit.tables import credit_decision
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES

BUCKETS: Final = 256
ROWS_AT_ONCE: Final = 10_000
_MODULUS: Final = 1 << 256
_encode: Final = msgspec.json.Encoder().encode


def digest(connection: Connection, build_id: int, tables: Iterable[Table]) -> str:
    """Return the full digest of a build, in hex."""
    return _digest_of(buckets(connection, build_id, tables))


def buckets(connection: Connection, build_id: int, tables: Iterable[Table]) -> list[int]:
    """Return the sums of the row hashes of a build; two builds that differ, differ in a bucket."""
    sums = [0] * BUCKETS
    for table in tables:
        name = str(table.name)
        columns = [column for column in table.columns if column.name != "build_id"]
        query = select(*columns).where(table.c.build_id == build_id)
        stream = connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE))
        for row in stream:
            _add(sums, (name, *row))
    return sums


def _add(sums: list[int], told: tuple[Any, ...]) -> None:
    hashed = sha256(_encode(told)).digest()
    sums[hashed[0]] = (sums[hashed[0]] + int.from_bytes(hashed, "big")) % _MODULUS


def _digest_of(sums: Iterable[int]) -> str:
    return sha256(b"".join(one.to_bytes(32, "big") for one in sums)).hexdigest()


def outcome_digest(connection: Connection, build_ids: Mapping[str, int], through: int | None = None) -> str:
    """Return the digest of what holds in the end (or held at a position): levels and answers, no positions."""
    sums = [0] * BUCKETS
    for row in _newest(connection, decision, "competency", build_ids["mastery"], through):
        if STATUSES[row.status] != "no_evidence":
            _add(sums, ("mastery", row.learner, row.competency, row.outcome))
    for row in _newest(connection, credit_decision, "policy", build_ids["credit"], through):
        _add(sums, ("credit", row.learner, row.policy, row.outcome, row.leaves))
    return _digest_of(sums)


def _newest(connection: Connection, table: Table, subject: str, build_id: int, through: int | None) -> Iterable[Any]:
    columns = table.c
    own = [columns.build_id == build_id]
    if through is not None:
        own.append(columns.position <= through)
    newest = (
        select(columns.learner, columns[subject], func.max(columns.position).label("position"))
        .where(*own)
        .group_by(columns.learner, columns[subject])
        .subquery()
    )
    same = (
        (columns.learner == newest.c.learner)
        & (columns[subject] == newest.c[subject])
        & (columns.position == newest.c.position)
    )
    return connection.execute(select(table).join_from(table, newest, same).where(columns.build_id == build_id))
