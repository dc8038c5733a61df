"""What statements tell of activities and agents, kept with the append: each distinct text once, nothing ever updated.

So appends that name the same activity share no row that one would wait for. Each process remembers what is kept
already, and a statement that tells nothing new costs no query.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Engine, Insert, delete, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.pool import Pool

from lrs.store.rows import Prepared
from lrs.store.tables import told
from lrs.xapi.canonical import ACTIVITY, AGENT, KINDS, Definition, Told, decoded, merged
from lrs.xapi.values import key64

MOST_SEEN = 100_000
MOST_TEXTS = 1_000
"""Of so many texts, the latest, a definition is made: a sender may change his with every statement."""
NAMES_AT_ONCE = 500

_KEEP: Mapping[str, Insert] = {
    "postgresql": postgresql.insert(told).on_conflict_do_nothing(),
    "sqlite": sqlite.insert(told).on_conflict_do_nothing(),
}


class Memory:
    """Which texts of which logs one database is known to keep: in two generations, so that what is used stays."""

    def __init__(self) -> None:
        self._young: set[tuple[int, bytes]] = set()
        self._old: set[tuple[int, bytes]] = set()

    def __contains__(self, one: tuple[int, bytes]) -> bool:
        if one in self._young:
            return True
        if one not in self._old:
            return False
        self.add(one)
        return True

    def add(self, one: tuple[int, bytes]) -> None:
        """Remember a text; the oldest are forgotten."""
        if len(self._young) >= MOST_SEEN:
            self._old, self._young = self._young, set()
        self._young.add(one)


_memories: WeakKeyDictionary[Pool, Memory] = WeakKeyDictionary()


def keep(connection: Connection, log_id: int, first_position: int, statements: Sequence[Prepared]) -> None:
    """Keep what the statements tell that is not kept yet; they were appended from `first_position` on.

    For the append, which holds the lock of the log's head: what turns out to be kept already was committed by others,
    or before, so that it can be remembered; what is new may yet be rolled back, and is looked at once more next time.
    """
    fresh = news(connection.engine, log_id, statements)
    if fresh:
        _insert(connection, log_id, {digest: (first_position + place, one) for digest, (place, one) in fresh.items()})


def news(engine: Engine, log_id: int, statements: Sequence[Prepared]) -> dict[bytes, tuple[int, Told]]:
    """Return what the statements tell that is not remembered to be kept, each with its statement's place from 0."""
    memory = _memory(engine)
    fresh: dict[bytes, tuple[int, Told]] = {}
    for place, statement in enumerate(statements):
        for one in statement.told:
            if (log_id, one.digest) not in memory:
                fresh.setdefault(one.digest, (place, one))
    return fresh


def remember(engine: Engine, log_id: int, digests: Iterable[bytes]) -> None:
    """Take note of what is kept for certain: it was committed, or was found."""
    memory = _memory(engine)
    for digest in digests:
        memory.add((log_id, digest))


def _memory(engine: Engine) -> Memory:
    return _memories.get(engine.pool) or _memories.setdefault(engine.pool, Memory())


def _insert(connection: Connection, log_id: int, fresh: Mapping[bytes, tuple[int, Told]]) -> None:
    keeping = _KEEP[connection.dialect.name].returning(told.c.digest)
    rows = [_row(log_id, position, one) for position, one in fresh.values()]
    new = set(connection.scalars(keeping, rows))
    remember(connection.engine, log_id, fresh.keys() - new)


def _row(log_id: int, position: int, one: Told) -> dict[str, Any]:
    return {
        "log_id": log_id,
        "key": one.key,
        "digest": one.digest,
        "kind": one.kind,
        "position": position,
        "name": one.name,
        "text": one.text,
    }


def definitions(connection: Connection, log_id: int, activities: Collection[str]) -> dict[str, Definition]:
    """Return the canonical definition of each of these activities that has any."""
    wanted = sorted(set(activities))
    found: dict[str, list[bytes]] = {}
    for start in range(0, len(wanted), NAMES_AT_ONCE):
        for name, text in _texts(connection, log_id, ACTIVITY, wanted[start : start + NAMES_AT_ONCE]):
            found.setdefault(name, []).append(text)
    return {name: merged(map(decoded, texts)) for name, texts in found.items()}


def names(connection: Connection, log_id: int, identifier: str) -> list[str]:
    """Return the names of an agent in the order in which they first came."""
    return [decoded(text) for _, text in _texts(connection, log_id, AGENT, [identifier])]


def erase_names(connection: Connection, log_id: int, position: int) -> None:
    """Erase the names of agents that first stood in one statement, with that statement's text."""
    its_own = (told.c.log_id == log_id) & (told.c.position == position) & (told.c.kind == AGENT)
    connection.execute(delete(told).where(its_own))


def _texts(connection: Connection, log_id: int, kind: int, names_: Sequence[str]) -> list[tuple[str, bytes]]:
    """Return (name, text) of what was told of these, in the order in which it first came; of each the latest only."""
    keys = [key64(KINDS[kind], name) for name in names_]
    place = func.row_number().over(partition_by=told.c.key, order_by=told.c.position.desc())
    meant = (told.c.log_id == log_id) & told.c.key.in_(keys) & (told.c.kind == kind) & told.c.name.in_(names_)
    latest = select(told.c.name, told.c.text, told.c.position, told.c.digest, place.label("place")).where(meant)
    one = latest.subquery().c
    query = select(one.name, one.text).where(one.place <= MOST_TEXTS).order_by(one.position, one.digest)
    return [(name, text) for name, text in connection.execute(query)]
