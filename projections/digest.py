"""Digests of a build: order-independent sums of row hashes, in buckets, so that a difference can be found.

The full digest covers every row with its positions: a replay, a restart, another batch size or another database must
give the same. The outcome digest covers what holds in the end, without positions: so must any order of arrival.
Rows are only ever added, so the sums up to a position stay as they are and those behind it can be added later.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple
from zlib import crc32

import msgspec
from sqlalchemy import Connection, Table, func, select

from projections.credit.tables import credit_decision
from projections.credit.timeline import OUTCOMES, WITHDRAWN
from projections.evidence.tables import STREAMS, evidence
from projections.mastery.tables import decision
from projections.mastery.timeline import STATUSES

BUCKETS: Final = 256
ROWS_AT_ONCE: Final = 10_000
MOST_DIFFERENCES: Final = 20
BUCKETS_SEARCHED: Final = 16
_MODULUS: Final = 1 << 256
_HASHED_NAMES: Final = frozenset({"learner", "competency", "policy", "subject", "key"})
_encode: Final = msgspec.json.Encoder().encode


class Span(NamedTuple):
    """Rows that began at after < position <= through; through None: all behind `after`."""

    after: int = 0
    through: int | None = None


EVERYTHING: Final = Span()


class Hashed(NamedTuple):
    """A row, the bucket that its key falls into, and the hash of all that it says."""

    table: Table
    row: Any
    place: int
    hashed: bytes


class Difference(NamedTuple):
    """A row in which two builds differ: its table, its key in words, and which of the builds has it so."""

    table: str
    key: str
    side: str

    def __str__(self) -> str:
        return f"{self.table} {self.key}: {self.side}"


def digest(connection: Connection, build_id: int, tables: Iterable[Table]) -> str:
    """Return the full digest of a build, in hex."""
    return digest_of(buckets(connection, build_id, tables))


def buckets(connection: Connection, build_id: int, tables: Iterable[Table], span: Span = EVERYTHING) -> list[int]:
    """Return the sums of the row hashes of a build; two builds that differ, differ in the buckets of those keys."""
    sums = [0] * BUCKETS
    for one in hashed_rows(connection, build_id, tables, span):
        sums[one.place] += int.from_bytes(one.hashed, "big")
    return [one % _MODULUS for one in sums]


def added(sums: Iterable[int], more: Iterable[int]) -> list[int]:
    """Return the buckets of two spans together."""
    return [(one + other) % _MODULUS for one, other in zip(sums, more, strict=True)]


def digest_of(sums: Iterable[int]) -> str:
    """Return the digest of all buckets, in hex."""
    return sha256(b"".join(one.to_bytes(32, "big") for one in sums)).hexdigest()


def hashed_rows(
    connection: Connection, build_id: int, tables: Iterable[Table], span: Span = EVERYTHING
) -> Iterator[Hashed]:
    """Yield every row of a build that began in a span, with its hash and the bucket of its key."""
    for table in tables:
        moment = table.c.cause if table in STREAMS else table.c.position
        key = [column for column in table.primary_key if column.name != "build_id"]
        others = [column for column in table.columns if column.name != "build_id" and column not in key]
        query = select(*key, *others).where(table.c.build_id == build_id, moment > span.after)
        if span.through is not None:
            query = query.where(moment <= span.through)
        name, width = str(table.name), len(key)
        for row in connection.execute(query.execution_options(yield_per=ROWS_AT_ONCE)):
            place = crc32(_encode(row[:width])) % BUCKETS
            yield Hashed(table, row, place, sha256(_encode((name, *row))).digest())


def differences(
    connection: Connection, live_id: int, new_id: int, tables: Sequence[Table], places: Sequence[int], span: Span
) -> list[Difference]:
    """Return some of the rows in which two builds differ, out of the first of the buckets that differ."""
    searched = frozenset(places[:BUCKETS_SEARCHED])
    live = _rows_in(connection, live_id, tables, searched, span)
    new = _rows_in(connection, new_id, tables, searched, span)
    found = dict.fromkeys(live.keys() - new.keys(), "only in the live build")
    found |= dict.fromkeys(new.keys() - live.keys(), "only in the rebuild")
    found |= {key: "other values in the rebuild" for key in live.keys() & new.keys() if live[key] != new[key]}
    return [Difference(*key, found[key]) for key in sorted(found)][:MOST_DIFFERENCES]


def _rows_in(
    connection: Connection, build_id: int, tables: Sequence[Table], places: Container[int], span: Span
) -> dict[tuple[str, str], bytes]:
    rows = hashed_rows(connection, build_id, tables, span)
    return {_key_of(one.table, one.row): one.hashed for one in rows if one.place in places}


def _key_of(table: Table, row: Any) -> tuple[str, str]:
    """Return a row's table and its key in words, with whom and what it is about where its key does not say that."""
    names = [column.name for column in table.primary_key if column.name != "build_id"]
    about = [name for name in ("learner", "competency") if name in table.c and name not in names]
    return str(table.name), ", ".join(f"{name} {_shown(name, getattr(row, name))}" for name in (*about, *names))


def _shown(name: str, value: Any) -> str:
    """Return a value as addresses and decision ids have it: the keys that are hashes in hex."""
    return f"{value % (1 << 64):016x}" if name in _HASHED_NAMES else str(value)


def outcome_digest(connection: Connection, build_ids: Mapping[str, int], through: int | None = None) -> str:
    """Return the digest of what holds in the end (or held at a position): levels and answers, no positions.

    What nobody is told any more is left out: a competency without evidence, an answer for a learner of whom no
    evidence holds, a policy that was taken back.
    """
    sums = [0] * BUCKETS
    for row in _newest(connection, decision, "competency", build_ids["mastery"], through):
        if STATUSES[row.status] != "no_evidence":
            _add(sums, ("mastery", row.learner, row.competency, row.outcome))
    shown = _with_evidence(connection, build_ids["evidence"], through)
    for row in _newest(connection, credit_decision, "policy", build_ids["credit"], through):
        if row.learner in shown and OUTCOMES[row.outcome] != WITHDRAWN:
            _add(sums, ("credit", row.learner, row.policy, row.outcome, row.leaves))
    return digest_of(sums)


def _add(sums: list[int], told: tuple[Any, ...]) -> None:
    hashed = sha256(_encode(told)).digest()
    sums[hashed[0]] = (sums[hashed[0]] + int.from_bytes(hashed, "big")) % _MODULUS


def _with_evidence(connection: Connection, build_id: int, through: int | None) -> set[int]:
    """Return the learners of whom any evidence holds."""
    columns = evidence.c
    query = select(columns.learner).where(columns.build_id == build_id)
    if through is not None:
        query = query.where(columns.cause <= through)
    return set(connection.scalars(query.group_by(columns.learner).having(func.sum(columns.change) > 0)))


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
