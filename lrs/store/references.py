"""StatementRefs, resolved when they are written: who refers to whom, which keys that lends, and what it voids.

xAPI 1.0.3 Communication 2.1.3: a statement that refers to another by StatementRef is found by every filter that finds
the other, through any number of steps. A pair (S, T) "S reaches T" lends T's keys to S, marked with T's position, so
that a query needs no recursion. Either of the two may be appended first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, select

from lrs.store.rows import Pointing, PostingRow, VoidedRow
from lrs.store.tables import statement, statement_body
from lrs.xapi.decode import stored_statement
from lrs.xapi.keys import Keys, keys
from lrs.xapi.values import key64

MOST_STEPS = 100
"""A chain of references is followed so far, no farther: a loop of forged ids must end."""


class Node(NamedTuple):
    """A statement as the graph of references sees it; `keys` is None where only who it is matters."""

    statement_id: str
    position: int
    keys: Keys | None
    target: str | None
    voids: bool


def lent(
    connection: Connection, log_id: int, fresh: Mapping[str, Node], pointing: Sequence[Pointing]
) -> tuple[list[PostingRow], list[VoidedRow]]:
    """Return the postings and voids that the fresh statements bring about, in both directions of time."""
    if not pointing and not any(node.target for node in fresh.values()):
        return [], []
    below = _targets(connection, log_id, fresh)
    above = _pointing(connection, log_id, fresh, pointing)
    everyone = {**above, **below, **fresh}
    pairs = _pairs(everyone, fresh)
    postings = [
        PostingRow(log_id, key, source.position, target.position)
        for source, target in pairs
        for key in _lent_keys(target.keys)
    ]
    return postings, _voided(log_id, everyone, fresh)


def _targets(connection: Connection, log_id: int, fresh: Mapping[str, Node]) -> dict[str, Node]:
    found: dict[str, Node] = {}
    wanted = {node.target for node in fresh.values() if node.target} - fresh.keys()
    for _ in range(MOST_STEPS):
        if not wanted:
            break
        new = {node.statement_id: node for node in nodes_with_ids(connection, log_id, sorted(wanted))}
        found |= new
        wanted = {node.target for node in new.values() if node.target} - found.keys() - fresh.keys()
    return found


def _pointing(
    connection: Connection, log_id: int, fresh: Mapping[str, Node], pointing: Sequence[Pointing]
) -> dict[str, Node]:
    found: dict[str, Node] = {}
    level = [Node(one.statement_id, one.position, None, one.target, one.voids) for one in pointing]
    for _ in range(MOST_STEPS):
        new = {node.statement_id: node for node in level if node.statement_id not in found}
        new = {name: node for name, node in new.items() if name not in fresh}
        if not new:
            break
        found |= new
        level = _nodes_with_targets(connection, log_id, sorted(new))
    return found


def nodes_with_ids(connection: Connection, log_id: int, ids: Iterable[str]) -> list[Node]:
    """Return the stored statements with these ids, with their keys; an erased one lends none."""
    query = (
        select(
            statement.c.statement_id, statement.c.position, statement_body.c.body, statement.c.target, statement.c.voids
        )
        .join_from(
            statement,
            statement_body,
            (statement.c.log_id == statement_body.c.log_id) & (statement.c.position == statement_body.c.position),
        )
        .where(statement.c.log_id == log_id, statement.c.statement_id.in_(list(ids)))
        .order_by(statement.c.position)
    )
    return [
        Node(name, position, keys(stored_statement(body)) if body else None, target, voids)
        for name, position, body, target, voids in connection.execute(query)
    ]


def _nodes_with_targets(connection: Connection, log_id: int, ids: Iterable[str]) -> list[Node]:
    query = (
        select(statement.c.statement_id, statement.c.position, statement.c.target, statement.c.voids)
        .where(statement.c.log_id == log_id, statement.c.target.in_(list(ids)))
        .order_by(statement.c.position)
    )
    return [Node(name, position, None, target, voids) for name, position, target, voids in connection.execute(query)]


def _pairs(everyone: Mapping[str, Node], fresh: Mapping[str, Node]) -> list[tuple[Node, Node]]:
    """Return every (source, reached) whose path touches a fresh statement; older pairs are already written."""
    pairs = []
    for source in everyone.values():
        touched = source.statement_id in fresh
        seen = {source.statement_id}
        node = source
        while node.target and node.target in everyone and node.target not in seen and len(seen) <= MOST_STEPS:
            node = everyone[node.target]
            seen.add(node.statement_id)
            touched = touched or node.statement_id in fresh
            if touched:
                pairs.append((source, node))
    return pairs


def _lent_keys(own: Keys | None) -> list[int]:
    if own is None:
        return []
    lent_keys = {own.verb, own.authority, *own.agents, *own.related_agents, *own.related_activities}
    lent_keys |= {key for key in (own.actor, own.activity) if key is not None}
    if own.registration:
        lent_keys.add(registration_key(own.registration))
    return sorted(lent_keys)


def registration_key(registration: str) -> int:
    """Return the key under which a registration is lent."""
    return key64("registration", registration)


def _voided(log_id: int, everyone: Mapping[str, Node], fresh: Mapping[str, Node]) -> list[VoidedRow]:
    rows = []
    for node in sorted(everyone.values(), key=lambda one: one.position):
        target = everyone.get(node.target or "")
        if node.voids and target and not target.voids and (node.statement_id in fresh or target.statement_id in fresh):
            rows.append(VoidedRow(log_id, target.position, node.position))
    return rows
