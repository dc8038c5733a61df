"""GET over HTTP, from a short log and from a long one: what should not grow with the log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import closing
from random import Random
from statistics import median
from typing import Final
from urllib.parse import urlencode

from sqlalchemy import text

from tests.bench.clients import Client, get_request
from tests.bench.figures import Bench
from tests.bench.filling import fill, settle
from tests.bench.statements import VERBS, encoded, learner, learnings, statement_id, verb_iri
from tests.bench.stores import Missing, Store, WebServer, postgresql_store, verify, web_server

SHORT: Final = 10_000
PER_LEARNER: Final = 50
WARMING: Final = 20

TABLES: Final = ("statement", "statement_body", "posting", "voided")


def reading(bench: Bench) -> None:
    """Measure the same questions at 10,000 statements and at many more; every learner has about 50 in both."""
    long = bench.scale.log
    with postgresql_store(bench) as store, web_server(store.settings) as server:
        first = store.size()
        fill(bench, store, learnings, 0, SHORT, range(SHORT // PER_LEARNER))
        settle(store)
        short_times = _times(bench, store, server, SHORT)
        fill(bench, store, learnings, SHORT, long - SHORT, range(SHORT // PER_LEARNER, long // PER_LEARNER))
        settle(store)
        long_times = _times(bench, store, server, long)
        verify(store, server, first + long, [statement_id(number) for number in range(0, long, 997)])
        _record_size(bench, store)
    for key in short_times:
        _record_growth(bench, key, short_times[key], long_times[key])


def _times(bench: Bench, store: Store, server: WebServer, size: int) -> dict[str, float]:
    """Return the median seconds of each kind of question."""
    rng = Random(size)
    numbers = [rng.randrange(size) for _ in range(bench.scale.gets + WARMING)]
    learners = [rng.randrange(size // PER_LEARNER) for _ in numbers]
    return {
        "get_by_id": _median(store, server, (_by_id(one) for one in numbers), _has_one),
        "agent_verb": _median(store, server, (_by_agent_and_verb(one) for one in learners), _has_some),
    }


def _by_id(number: int) -> str:
    return f"/xapi/statements?statementId={statement_id(number)}"


def _by_agent_and_verb(number: int) -> str:
    asked = {"agent": encoded(learner(number)).decode(), "verb": verb_iri(VERBS[0]), "limit": 50}
    return f"/xapi/statements?{urlencode(asked)}"


def _has_one(body: bytes) -> bool:
    return body.startswith(b'{"') and b'"stored"' in body


def _has_some(body: bytes) -> bool:
    return body.count(b'"stored"') > 1


def _median(store: Store, server: WebServer, paths: Iterable[str], is_right: Callable[[bytes], bool]) -> float:
    seconds = []
    with closing(Client(server.port)) as client:
        for request in [get_request(store.lines, path) for path in paths]:
            begun = time.perf_counter()
            body = client.take(request)
            seconds.append(time.perf_counter() - begun)
            if not is_right(body):
                raise Missing(f"not the answer to {request[:200]!r}: {body[:200]!r}")
    return median(seconds[WARMING:])


def _record_growth(bench: Bench, key: str, short: float, long: float) -> None:
    told = f"median of {bench.scale.gets} HTTP GETs by one client at {bench.scale.log:,} statements"
    of = f"{told} over that at {SHORT:,}; equal answers (about 50 statements a learner), statistics up to date"
    bench.record(f"{key}_growth", long / short, "", of)
    bench.record(f"{key}_ms", 1_000 * long, "ms", f"{told}; {1_000 * short:.3g} ms at {SHORT:,}")


def _record_size(bench: Bench, store: Store) -> None:
    with store.desk.engine.connect() as connection:
        sizes = [connection.scalar(text(f"SELECT pg_total_relation_size('{name}')")) or 0 for name in TABLES]
    parts = ", ".join(f"{name} {size / store.size():.0f}" for name, size in zip(TABLES, sizes, strict=True))
    of = f"tables and all their indexes at {bench.scale.log:,} statements of 1.36 KB: {parts}"
    bench.record("bytes_per_statement_on_disk", sum(sizes) / store.size(), "bytes", of)
