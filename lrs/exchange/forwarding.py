"""Forwards at work: the log is the queue, a forward is a place in it, and the place moves once statements are taken.

So nothing is lost when a process dies: what was sent and not yet noted is sent again, and receivers know statements by
their ids. Only what a receiver refuses for ever is kept aside, as a dead letter.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

import requests
import structlog
from sqlalchemy import Connection, Engine

from lrs.errors import CairnError
from lrs.exchange.delivery import Answer, Delivery, Parcel, Send, deliver, pause_seconds
from lrs.exchange.enclosed import enclosing, refusals
from lrs.exchange.receivers import Post, record_store, webhook
from lrs.exchange.sealing import Seal
from lrs.exchange.selection import selection_of, step
from lrs.retrieval import text_of
from lrs.store.claims import Writing, claimed_forward
from lrs.store.exchange import (
    DeadLetter,
    Forward,
    Settled,
    dead_letters,
    forward_with_id,
    note_refusal,
    revive,
    rows_at,
    settle,
)
from lrs.store.log import head, logs
from lrs.store.search import Found, at
from lrs.store.sqlite import clock_us
from lrs.xapi.query import Query

logger = structlog.get_logger()
SPANS_AT_ONCE = 50
"""So many stretches of the log are looked through, at most, before the place is noted, where little is selected."""
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Carrier:
    """What forwards work with; `clock` tells microseconds, `chance` a number from 0 to 1."""

    engine: Engine
    seal: Seal
    act_verbs: str
    batch: int
    timeout_seconds: float
    clock: Callable[[], int] = clock_us
    chance: Callable[[], float] = field(default=random.random)


def run_forward(carrier: Carrier, forward_id: int, is_stopped: Callable[[], bool] = lambda: False) -> int:
    """Send what a forward has not sent yet, batch after batch, until nothing is left or its receiver is in trouble.

    Returns by how many positions it moved: 0 too when it is paused, not due yet, or at work in another process.
    """
    moved = 0
    with closing(requests.Session()) as session:
        post = Post(session, carrier.timeout_seconds)
        while not is_stopped():
            by = _turn(carrier, forward_id, post)
            moved += by
            if not by:
                break
    return moved


def _turn(carrier: Carrier, forward_id: int, post: Post) -> int:
    """Settle a forward's next statements; return by how many positions it moved."""
    with claimed_forward(carrier.engine, forward_id) as writing:
        forward = None if writing is None else _due_forward(carrier, forward_id)
        if forward is None or writing is None:
            return 0
        parcels, through = _next_parcels(carrier, forward)
        if through == forward.position:
            return 0
        try:
            delivery = deliver(parcels, _send(carrier, forward, post), forward.position)
        except CairnError as error:
            delivery = Delivery(forward.position, trouble=Answer(0, error.message))
        if delivery.trouble is None:
            delivery.position = through
        return _note(carrier, forward, delivery, writing)


def _due_forward(carrier: Carrier, forward_id: int) -> Forward | None:
    with carrier.engine.connect() as connection:
        forward = forward_with_id(connection, forward_id)
    is_due = forward is not None and not forward.is_paused and forward.due <= carrier.clock()
    return forward if is_due else None


def _next_parcels(carrier: Carrier, forward: Forward) -> tuple[list[Parcel], int]:
    """Return the next statements to send, at most a batch of them, and the position that is settled with them."""
    selection = selection_of(forward.filters, carrier.act_verbs)
    chosen: list[Found] = []
    with carrier.engine.connect() as connection:
        size, _ = head(connection, forward.log_id)
        through = forward.position
        for _ in range(SPANS_AT_ONCE):
            if through >= size or len(chosen) >= carrier.batch:
                break
            stretch = step(connection, forward.log_id, selection, (through, min(size, through + carrier.batch)))
            chosen += stretch.found
            through = stretch.through
        if len(chosen) > carrier.batch:
            chosen = chosen[: carrier.batch]
            through = chosen[-1].position
        return _parcels(connection, forward, chosen), through


def _parcels(connection: Connection, forward: Forward, chosen: Sequence[Found]) -> list[Parcel]:
    rows = rows_at(connection, forward.log_id, [one.position for one in chosen])
    whole = Query(in_utc=forward.version == "2.0.0")
    texts = [(rows[one.position][0], text_of(one, whole, ())) for one in chosen]
    wrong = refusals(connection, forward.log_id, texts) if forward.kind == "lrs" else {}
    return [
        Parcel(one.position, name, text, wrong.get(name, "")) for one, (name, text) in zip(chosen, texts, strict=True)
    ]


def _send(carrier: Carrier, forward: Forward, post: Post) -> Send:
    secret = carrier.seal.open(forward.sealed_secret)
    if forward.kind == "lrs":
        return record_store(forward, secret, post, enclosing(carrier.engine, forward.log_id))
    with carrier.engine.connect() as connection:
        slug = next(one.slug for one in logs(connection) if one.log_id == forward.log_id)
    return webhook(forward, secret, post, slug, lambda: carrier.clock() / SECOND_US)


def _note(carrier: Carrier, forward: Forward, delivery: Delivery, writing: Writing) -> int:
    settled = _settled(carrier, forward, delivery)
    with writing() as connection:
        holds = settle(connection, forward, settled)
    if delivery.trouble or delivery.dead or delivery.conflicts:
        logger.warning(
            "a forward met trouble", forward=forward.name, position=settled.position, dead=len(delivery.dead),
            conflicts=delivery.conflicts, trouble=settled.trouble,
        )  # fmt: skip
    moved = settled.position - forward.position
    return moved if holds and delivery.trouble is None else 0


def _settled(carrier: Carrier, forward: Forward, delivery: Delivery) -> Settled:
    now, trouble = carrier.clock(), delivery.trouble
    dead = [
        DeadLetter(parcel.position, parcel.statement_id, answer.status, answer.text, now)
        for parcel, answer in delivery.dead
    ]
    if trouble is None:
        return Settled(delivery.position, delivery.conflicts, dead, 0, 0, "")
    failures = 1 if delivery.position > forward.position else forward.failures + 1
    due = now + int(pause_seconds(failures, trouble.retry_after, carrier.chance()) * SECOND_US)
    return Settled(delivery.position, delivery.conflicts, dead, failures, due, told(trouble))


def told(answer: Answer) -> str:
    """Return an answer in one line."""
    return f"{answer.status or 'no status'}: {' '.join(answer.text.split())}"[:500]


def retry_dead_letters(carrier: Carrier, forward: Forward, positions: Sequence[int] = ()) -> tuple[int, int]:
    """Send a forward's dead letters again, one by one; return how many were taken, and how many are still dead."""
    with carrier.engine.connect() as connection:
        letters = dead_letters(connection, forward.forward_id)
    taken = 0
    wanted = [one for one in letters if not positions or one.position in positions]
    with closing(requests.Session()) as session:
        send = _send(carrier, forward, Post(session, carrier.timeout_seconds))
        for letter in wanted:
            taken += _retried(carrier, forward, letter, send)
    return taken, len(wanted) - taken


def _retried(carrier: Carrier, forward: Forward, letter: DeadLetter, send: Send) -> bool:
    with carrier.engine.connect() as connection:
        found = [one for one in at(connection, forward.log_id, [letter.position]) if one.body is not None]
        parcels = _parcels(connection, forward, found)
    delivery = deliver(parcels, send, letter.position - 1)
    answer = delivery.trouble or next((answer for _, answer in delivery.dead), None)
    with carrier.engine.execution_options(immediate=True).begin() as connection:
        if answer is None:
            revive(connection, forward.forward_id, letter.position)
        else:
            again = letter._replace(status=answer.status, answer=answer.text, failed=carrier.clock())
            note_refusal(connection, forward.forward_id, again)
    return answer is None
