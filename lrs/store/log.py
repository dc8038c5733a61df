"""The log: dense positions in commit order, `stored` strictly rising, one head row whose lock orders all appends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from lrs.errors import CairnError, Forbidden, NotFound, Problem, StatementConflict
from lrs.store import attachments, canonical
from lrs.store.postgresql import PostgresqlDialect
from lrs.store.references import Node, lent
from lrs.store.rows import BodyRow, Dialect, Look, Pointing, PostingRow, Prepared, Request, Rows, StatementRow
from lrs.store.sqlite import SqliteDialect
from lrs.store.tables import log, log_head, statement, statement_body
from lrs.store.texts import unpacked
from lrs.xapi.decode import stored_statement
from lrs.xapi.equality import is_equal


@dataclass(frozen=True, slots=True)
class Log:
    """A district's log: its number, short name in addresses, name for people, and the IRL that stands for it."""

    log_id: int
    slug: str
    name: str
    origin: str


def create_log(connection: Connection, slug: str, name: str, origin: str) -> Log:
    """Create an empty log; raises sqlalchemy.exc.IntegrityError when the slug is taken."""
    created = connection.execute(insert(log).values(slug=slug, name=name, origin=origin))
    assert created.inserted_primary_key is not None
    log_id = int(created.inserted_primary_key[0])
    connection.execute(insert(log_head).values(log_id=log_id, size=0, last_stored=0))
    return Log(log_id, slug, name, origin)


def logs(connection: Connection) -> list[Log]:
    """Return all logs in the order of their creation."""
    query = select(log.c.log_id, log.c.slug, log.c.name, log.c.origin).order_by(log.c.log_id)
    return [Log(*row) for row in connection.execute(query)]


def log_named(connection: Connection, slug: str) -> Log:
    """Return the log with this slug; raises NotFound."""
    query = select(log.c.log_id, log.c.slug, log.c.name, log.c.origin).where(log.c.slug == slug)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"no log is named {slug!r}; `cairn logs list` shows them")
    return Log(*row)


def head(connection: Connection, log_id: int) -> tuple[int, int]:
    """Return the size of a log and the `stored` time of its last statement (0 for an empty log)."""
    row = connection.execute(select(log_head.c.size, log_head.c.last_stored).where(log_head.c.log_id == log_id)).one()
    return row.size, row.last_stored


def position_at(connection: Connection, log_id: int, stored_us: int) -> int:
    """Return the last position stored at or before a time (0 when there is none)."""
    query = (
        select(statement.c.position)
        .where(statement.c.log_id == log_id, statement.c.stored <= stored_us)
        .order_by(statement.c.stored.desc())
        .limit(1)
    )
    return connection.scalar(query) or 0


def dialect_for(name: str) -> Dialect:
    """Return how the append is done on the dialect of this name."""
    return PostgresqlDialect() if name == "postgresql" else SqliteDialect()


def append(
    connection: Connection, log_id: int, requests: Sequence[Request], dialect: Dialect, act_verbs: str
) -> list[CairnError | None]:
    """Append what the requests carry, each wholly or not at all; return an error or None for each, in their order.

    A statement whose id is already stored with equal content is left alone. Errors: StatementConflict when an id is
    taken, Forbidden when a registrar's act (a verb under `act_verbs`) would be voided without the right to.
    """
    ids = list(dict.fromkeys(one.statement_id for request in requests for one in request.statements))
    look = dialect.look(connection, log_id, ids)
    stored_acts = _acts_among_targets(connection, log_id, requests, act_verbs)
    accepted: dict[str, Prepared] = {}
    outcomes: list[CairnError | None] = []
    for request in requests:
        error = _conflict(request, accepted, look.known) or _forbidden_void(request, accepted, look, stored_acts)
        outcomes.append(error)
        if error is None:
            accepted |= {one.statement_id: one for one in request.statements if _is_new(one, accepted, look.known)}
    if accepted:
        dialect.write(connection, _rows(connection, log_id, list(accepted.values()), look))
        attachments.link(connection, log_id, look.size + 1, list(accepted.values()))
        canonical.keep(connection, log_id, look.size + 1, list(accepted.values()))
    return outcomes


def _is_new(one: Prepared, accepted: Mapping[str, Prepared], known: Mapping[str, bytes | None]) -> bool:
    return one.statement_id not in known and one.statement_id not in accepted


def _conflict(
    request: Request, accepted: Mapping[str, Prepared], known: Mapping[str, bytes | None]
) -> StatementConflict | None:
    """Refuse a request that takes an id twice, or one that another statement has."""
    own: set[str] = set()
    problems = []
    for index, one in enumerate(request.statements):
        objection = _objection(one, own, accepted, known)
        own.add(one.statement_id)
        if objection:
            problems.append(Problem(f"/{index}/id", f"{one.statement_id} {objection}"))
    if not problems:
        return None
    return StatementConflict("a statement id is already taken by a statement with other content", problems)


def _objection(
    one: Prepared, own: Collection[str], accepted: Mapping[str, Prepared], known: Mapping[str, bytes | None]
) -> str:
    """Return what is wrong with a statement's id; nothing for a new one, or where the same statement has it."""
    if one.statement_id in own:
        return "stands twice in this request; give each statement its own id"
    if _is_new(one, accepted, known):
        return ""
    other = accepted[one.statement_id].body if one.statement_id in accepted else known[one.statement_id]
    if other is None:
        return "is the id of a statement that was erased; send this one with a new id"
    if is_equal(stored_statement(unpacked(other)), stored_statement(unpacked(one.body))):
        return ""
    return "is the id of another statement already stored; send this one with a new id"


def _forbidden_void(
    request: Request, accepted: Mapping[str, Prepared], look: Look, stored_acts: frozenset[str]
) -> CairnError | None:
    """Refuse to void a registrar's act without its scope, before or after the act itself is stored."""
    voids = {one.keys.target for one in request.statements if one.keys.is_voiding}
    if voids and not request.may_act:
        fresh = {one.statement_id for one in (*accepted.values(), *request.statements) if one.is_act}
        if voids & (stored_acts | fresh):
            return Forbidden("only a credential with the scope registrar may void a registrar's act")
    own_acts = {one.statement_id for one in request.statements if one.is_act and one.statement_id not in look.known}
    if own_acts:
        voided_before = {one.target for one in look.pointing if one.voids}
        voided_before |= {one.keys.target for one in accepted.values() if one.keys.is_voiding and one.keys.target}
        if taken := sorted(own_acts & voided_before):
            return StatementConflict(f"{taken[0]} is voided in advance by another statement; send it with a new id")
    return None


def _acts_among_targets(
    connection: Connection, log_id: int, requests: Iterable[Request], act_verbs: str
) -> frozenset[str]:
    """Return which of the statements that the requests would void are registrar's acts already stored.

    Of an erased one nobody can tell, so it counts as an act.
    """
    targets = {one.keys.target for request in requests for one in request.statements if one.keys.is_voiding}
    if not targets:
        return frozenset()
    bodies = bodies_with_ids(connection, log_id, [one for one in targets if one])
    return frozenset(
        name
        for name, body in bodies.items()
        if body is None or stored_statement(body)["verb"]["id"].startswith(act_verbs)
    )


def bodies_with_ids(connection: Connection, log_id: int, ids: Sequence[str]) -> dict[str, bytes | None]:
    """Return the bodies of the stored statements with these ids; None is that of an erased one."""
    query = (
        select(statement.c.statement_id, statement_body.c.body)
        .join_from(statement, statement_body, _same_row())
        .where(statement.c.log_id == log_id, statement.c.statement_id.in_(ids))
        .order_by(statement.c.position)
    )
    return {name: body for name, body in connection.execute(query)}  # noqa: C416


def _rows(connection: Connection, log_id: int, accepted: Sequence[Prepared], look: Look) -> Rows:
    first_stored = max(look.now, look.last_stored + 1)
    statements, bodies, postings = [], [], []
    for index, one in enumerate(accepted):
        position, stored, keys = look.size + 1 + index, first_stored + index, one.keys
        statements.append(
            StatementRow(
                log_id, position, one.statement_id, stored, stored if one.timestamp is None else one.timestamp,
                keys.verb, keys.actor, keys.activity, keys.registration, keys.authority, keys.target, keys.is_voiding,
                one.commitment,
            )
        )  # fmt: skip
        bodies.append(BodyRow(log_id, position, one.body, one.salt))
        for key in keys.postings():
            postings.append(PostingRow(log_id, key, position, position))
    fresh = _fresh_nodes(accepted, statements, look.pointing)
    more_postings, voided = lent(connection, log_id, fresh, look.pointing) if fresh else ([], [])
    return Rows(statements, bodies, postings, more_postings, voided)


def _fresh_nodes(
    accepted: Sequence[Prepared], rows: Sequence[StatementRow], pointing: Sequence[Pointing]
) -> dict[str, Node]:
    """Return the new statements as nodes when any of them refers or is referred to; nothing otherwise."""
    if not pointing and not any(one.keys.target for one in accepted):
        return {}
    return {
        one.statement_id: Node(one.statement_id, row.position, one.keys, one.keys.target, one.keys.is_voiding)
        for one, row in zip(accepted, rows, strict=True)
    }


def erase_body(connection: Connection, log_id: int, position: int) -> None:
    """Erase the text and the salt of one statement, the names in it, and the data of attachments that no other has.

    Its row and its commitment stay, so that the tree still verifies. The one way to change what was stored; database
    triggers admit this change and no other. Raises NotFound.
    """
    erased = connection.execute(
        update(statement_body)
        .where(statement_body.c.log_id == log_id, statement_body.c.position == position)
        .values(body=None, salt=None)
    )
    if erased.rowcount == 0:
        raise NotFound(f"the log has no statement at position {position}")
    attachments.erase(connection, log_id, position)
    canonical.erase_names(connection, log_id, position)


def count(connection: Connection, log_id: int) -> int:
    """Return how many statements a log holds, counted row by row (the head's size is the quick answer)."""
    return connection.scalar(select(func.count()).select_from(statement).where(statement.c.log_id == log_id)) or 0


def _same_row() -> ColumnElement[bool]:
    return (statement.c.log_id == statement_body.c.log_id) & (statement.c.position == statement_body.c.position)
