"""GET over HTTP, from a short log and from a long one: what should not grow with the log."""

from __future__ import annotations

import time
from contextlib import closing
from random import Random
from statistics import median
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import text

from lrs.retrieval import statement_with_id, statements_page
from lrs.store.search import Window
from lrs.xapi.query import parse
from tests.bench.clients import Client, get_request
from tests.bench.figures import Bench
from tests.bench.filling import fill, settle
from tests.bench.questions import LIMIT, PER_LEARNER, QUESTIONS, Question, accesses, explained, path, read_whole
from tests.bench.statements import learnings, statement_id, taken_back
from tests.bench.stores import Missing, Store, WebServer, postgresql_store, verify, web_server

SHORT: Final = 10_000
WARMING: Final = 20
EXPORTED: Final = 100_000
PAGE: Final = 500
FEW_PAGES: Final = 50
"""So short a table is read as quickly from end to end as through an index."""
TAKEN_BACK: Final = 1_000_000_000
"""The number of the first statement among those that are voided, and PER_VOID: one in so many is, or voids one."""
PER_VOID: Final = 500

TABLES: Final = ("statement", "statement_body", "posting", "voided", "told")


class Times(NamedTuple):
    """Seconds of one kind of question: half of them took at most `middle`, all but a twentieth at most `late`."""

    middle: float
    late: float


def reading(bench: Bench) -> None:
    """Measure the same questions at 10,000 statements and at many more; every learner has about 50 in both."""
    long = bench.scale.log
    with postgresql_store(bench) as store, web_server(store.settings) as server:
        first = store.size()
        fill(bench, store, learnings, 0, SHORT, range(SHORT // PER_LEARNER))
        fill(bench, store, taken_back, TAKEN_BACK, SHORT // PER_VOID)
        settle(store)
        short_times = _times(bench, store, server, SHORT)
        fill(bench, store, learnings, SHORT, long - SHORT, range(SHORT // PER_LEARNER, long // PER_LEARNER))
        fill(bench, store, taken_back, TAKEN_BACK + SHORT, long // PER_VOID)
        settle(store)
        long_times = _times(bench, store, server, long)
        expected = first + long + SHORT // PER_VOID + long // PER_VOID
        verify(store, server, expected, [statement_id(number) for number in range(0, long, 997)])
        _record_size(bench, store)
        _record_export(bench, store, server)
        plans = {name: _plan(store, one, long) for name, one in QUESTIONS.items()}
    for name in QUESTIONS:
        _record_question(bench, name, short_times[name], long_times[name], plans[name])


def _times(bench: Bench, store: Store, server: WebServer, size: int) -> dict[str, Times]:
    """Return how long each kind of question took."""
    rng, found = Random(size), {}
    for place, (name, question) in enumerate(QUESTIONS.items()):
        bench.tell(f"asking {size:,} statements", place, len(QUESTIONS))
        paths = [path(question, rng, size) for _ in range(bench.scale.gets + WARMING)]
        found[name] = _asked(store, server, paths, finds_some=question.finds_some)
    bench.tell(f"asking {size:,} statements", len(QUESTIONS), len(QUESTIONS))
    return found


def _asked(store: Store, server: WebServer, paths: list[str], *, finds_some: bool) -> Times:
    seconds = []
    with closing(Client(server.port)) as client:
        for request in [get_request(store.lines, one) for one in paths]:
            begun = time.perf_counter()
            body = client.take(request)
            seconds.append(time.perf_counter() - begun)
            if finds_some and b'"stored"' not in body:
                raise Missing(f"not the answer to {request[:200]!r}: {body[:200]!r}")
    seconds = sorted(seconds[WARMING:])
    return Times(median(seconds), seconds[int(0.95 * (len(seconds) - 1))])


def _plan(store: Store, question: Question, size: int) -> str:
    """Return what the plan of a question reads; raises Missing when that is a long table from end to end."""
    query = parse({name: [str(value)] for name, value in question.ask(Random(size), size).items()}, "1.0.3")
    with explained(store.desk.engine) as plans, store.desk.engine.connect() as connection:
        if query.statement_id:
            statement_with_id(connection, store.log.log_id, query, [], None)
        else:
            statements_page(connection, store.log.log_id, query, Window(ascending=query.ascending), LIMIT, [])
    large = {name for one in plans for name in read_whole(one) if _pages(store, name) > FEW_PAGES}
    if large or not plans:
        raise Missing(f"a question reads {sorted(large)} from end to end:\n" + "\n".join(plans))
    return "; ".join(map(accesses, plans))


def _pages(store: Store, table: str) -> int:
    with store.desk.engine.connect() as connection:
        return connection.scalar(text("SELECT relpages FROM pg_class WHERE relname = :name"), {"name": table}) or 0


def _record_question(bench: Bench, key: str, short: Times, long: Times, plan: str) -> None:
    told = f"of {bench.scale.gets} HTTP GETs by one client, limit {LIMIT}, at {bench.scale.log:,} statements"
    of = f"median {told} over that at {SHORT:,}, every learner with about {PER_LEARNER} in both, statistics up to date"
    bench.record(f"{key}_growth", long.middle / short.middle, "", of)
    of = f"95 % {told}; median {1_000 * long.middle:.3g} ms, {1_000 * short.middle:.3g} ms at {SHORT:,}; reads {plan}"
    bench.record(f"{key}_p95_ms", 1_000 * long.late, "ms", of)


def _record_export(bench: Bench, store: Store, server: WebServer) -> None:
    """Follow `more` from the newest statement on, as another system would that takes over the whole log."""
    link, count, begun = f"/xapi/statements?limit={PAGE}", 0, time.perf_counter()
    with closing(Client(server.port)) as client:
        while link and count < EXPORTED:
            bench.tell("following more", count, EXPORTED)
            page = client.take(get_request(store.lines, link))
            link, count = _more(page), count + page.count(b'"stored":"')
    rate = count / (time.perf_counter() - begun)
    of = f"{count:,} statements of {store.size():,} through `more`, {PAGE} a page, one client"
    bench.record("export_through_more_statements_per_second", rate, "statements/s", of)


def _more(page: bytes) -> str:
    """Return the link to the next page, which stands at the end of a page."""
    return str(msgspec.json.decode(b"{" + page[page.rindex(b'"more":') :])["more"])


def _record_size(bench: Bench, store: Store) -> None:
    with store.desk.engine.connect() as connection:
        sizes = [connection.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0 for name in TABLES]
    parts = ", ".join(f"{name} {size / store.size():.0f}" for name, size in zip(TABLES, sizes, strict=True))
    of = f"tables and all their indexes at {bench.scale.log:,} statements of 1.36 KB: {parts}"
    bench.record("bytes_per_statement_on_disk", sum(sizes) / store.size(), "bytes", of)
