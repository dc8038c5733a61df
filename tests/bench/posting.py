"""POST over HTTP: batches against raw COPY of the same rows, single statements against an empty view."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import chain
from statistics import median
from typing import Any, Final
from urllib.parse import urlencode

from lrs.memory import settle_memory
from lrs.xapi.decode import statements_of
from lrs.xapi.statement import problems
from tests.bench.apart import apart
from tests.bench.clients import Load, get_request, post_request, put_request, sent
from tests.bench.copying import Packed, RowMaker, copied, together
from tests.bench.figures import Bench, Tell, spread
from tests.bench.filling import settle
from tests.bench.statements import TOOL, batches, encoded, learner, learnings, statement_id
from tests.bench.stores import Store, WebServer, postgresql_store, sqlite_store, verify, web_server

BATCH: Final = 200
BATCH_CLIENTS: Final = 4
SINGLE_CLIENTS: Final = 8
CROWD: Final = 16
CROWD_BATCHES: Final = (50, 200)
VALIDATED: Final = 10_000

Side = Callable[[], float]


def batch(bench: Bench) -> None:
    """Measure POST in batches, and COPY of the same rows into databases of the same schema, in turns."""
    with ExitStack() as stack:
        store, small, whole = (stack.enter_context(postgresql_store(bench, f"bench{place}")) for place in range(3))
        server = stack.enter_context(web_server(store.settings))
        maker, before = RowMaker(store), store.size()
        raw = [stack.enter_context(one.desk.engine.connect()).connection.driver_connection for one in (small, whole)]
        rates = []
        for place in range(bench.scale.rounds + 1):
            bench.tell("POST batches", place, bench.scale.rounds + 1)
            bodies = _bodies(bench, place)
            requests = [post_request(store.lines, body) for body in bodies]
            parts = maker.packed(bodies)
            rates.append(_in_turns(place, _batch_sides(server, requests, raw, parts), BATCH * len(bodies)))
            settle(store)
        verify(store, server, before + BATCH * bench.scale.batches * len(rates), _ids(bench, len(rates)))
        bench.tell("POST batches", len(rates), len(rates))
    _record_batch(bench, rates[1:])


def _bodies(bench: Bench, place: int) -> list[bytes]:
    count = bench.scale.batches * BATCH
    return list(batches(learnings(place * count, count), BATCH))


def _ids(bench: Bench, rounds: int) -> list[str]:
    return [statement_id(number) for number in range(rounds * bench.scale.batches * BATCH)]


def _batch_sides(server: WebServer, requests: Sequence[bytes], raw: Sequence[Any], parts: list[Packed]) -> list[Side]:
    whole = together(parts)
    return [
        lambda: sent(server.port, requests, BATCH_CLIENTS).wall,
        lambda: copied(raw[0], parts),
        lambda: copied(raw[1], whole),
    ]


def _in_turns(place: int, sides: Sequence[Side], count: int) -> list[float]:
    """Return the rates of the sides, each round beginning with another of them."""
    rates = [0.0] * len(sides)
    for turn in range(len(sides)):
        side = (place + turn) % len(sides)
        rates[side] = count / sides[side]()
    return rates


def _record_batch(bench: Bench, rates: Sequence[Sequence[float]]) -> None:
    posts, small, whole = (list(side) for side in zip(*rates, strict=True))
    size = sum(map(len, map(encoded, learnings(0, BATCH)))) // BATCH
    told = f"HTTP POST, {BATCH_CLIENTS} clients, a round of {bench.scale.batches} batches of {BATCH} of {size} bytes"
    for key, copies, durable in (
        ("post_batch_ratio_to_copy", small, "as durable: a transaction per 200 rows"),
        ("post_batch_ratio_to_one_copy", whole, "in one transaction for all"),
    ):
        ratios = [post / copy for post, copy in zip(posts, copies, strict=True)]
        of = f"{told} / raw COPY of the same rows on one connection, {durable}; {spread(ratios)}"
        bench.record(key, median(ratios), "", of)
    bench.record("post_batch_statements_per_second", median(posts), "statements/s", f"{told}; {spread(posts)}")
    for key, side in (("copy_of_200_rows_per_second", small), ("copy_of_all_rows_per_second", whole)):
        bench.record(key, median(side), "statements/s", f"raw COPY with 3 tables and all indexes; {spread(side)}")


def single(bench: Bench) -> None:
    """Measure POST of single statements, and of the same requests to an empty view, in turns."""
    rounds = bench.scale.rounds + 1
    with ExitStack() as stack:
        store = stack.enter_context(postgresql_store(bench))
        server = stack.enter_context(web_server(store.settings))
        empty = stack.enter_context(web_server(store.settings, "tests.bench.empty:app"))
        before, rates = store.size(), []
        loads: list[Load] = []
        for place in range(rounds):
            bench.tell("POST single", place, rounds)
            requests = _singles(bench, store, place)
            sides = [
                lambda asked=requests: _kept(loads, sent(server.port, asked, SINGLE_CLIENTS)),
                lambda asked=requests: sent(empty.port, asked, SINGLE_CLIENTS).wall,
            ]
            rates.append(_in_turns(place, sides, len(requests)))
            settle(store)
        verify(store, server, before + rounds * bench.scale.singles, _single_ids(bench, rounds))
        bench.tell("POST single", rounds, rounds)
    _record_single(bench, rates[1:], loads[1:])


def crowd(bench: Bench) -> None:
    """Measure batches from 16 clients against those from 4, all of them about the same few activities, in turns."""
    with postgresql_store(bench) as store, web_server(store.settings) as server:
        first = before = store.size()
        for size in CROWD_BATCHES:
            rates, count = [], bench.scale.batches * BATCH // size
            for place in range(bench.scale.rounds + 1):
                bench.tell(f"POST batches of {size}", place, bench.scale.rounds + 1)
                sides = []
                for clients in (BATCH_CLIENTS, CROWD):
                    made = learnings(before - first, count * size)
                    requests = [post_request(store.lines, body) for body in batches(made, size)]
                    before += count * size
                    sides.append(lambda asked=requests, most=clients: sent(server.port, asked, most).wall)
                rates.append(_in_turns(place, sides, count * size))
                settle(store)
            verify(store, server, before, [statement_id(number) for number in range(before - first)])
            few, many = (list(side) for side in zip(*rates[1:], strict=True))
            ratios = [one / other for one, other in zip(many, few, strict=True)]
            of = f"POST of batches of {size}, {CROWD} clients / {BATCH_CLIENTS} clients, no error; {spread(ratios)}"
            bench.record(f"post_batch_{size}_crowd_ratio", median(ratios), "", of)
            bench.record(f"post_batch_{size}_crowd_statements_per_second", median(many), "statements/s", spread(many))


def documents(bench: Bench) -> None:
    """Measure PUT and GET of a state, each learner with one of its own."""
    count = 4 * bench.scale.singles
    with postgresql_store(bench) as store, web_server(store.settings) as server:
        paths = [_state_path(number) for number in range(count)]
        written, read = [], []
        for place in range(bench.scale.rounds + 1):
            bench.tell("PUT and GET states", place, bench.scale.rounds + 1)
            puts = [put_request(store.lines, path, b'{"page":%d}' % place) for path in paths]
            written.append(count / sent(server.port, puts, SINGLE_CLIENTS).wall)
            gets = [get_request(store.lines, path) for path in paths]
            read.append(count / sent(server.port, gets, SINGLE_CLIENTS).wall)
    for key, rates in (("state_put_per_second", written[1:]), ("state_get_per_second", read[1:])):
        of = f"{SINGLE_CLIENTS} clients, {count} a round over as many documents; {spread(rates)}"
        bench.record(key, median(rates), "requests/s", of)


def _state_path(number: int) -> str:
    asked = {"activityId": f"{TOOL}/courses/01", "agent": encoded(learner(number)).decode(), "stateId": "bookmark"}
    return f"/xapi/activities/state?{urlencode(asked)}"


def _kept(loads: list[Load], load: Load) -> float:
    loads.append(load)
    return load.wall


def _singles(bench: Bench, store: Store, place: int) -> list[bytes]:
    count = bench.scale.singles
    return [post_request(store.lines, encoded(one)) for one in learnings(place * count, count)]


def _single_ids(bench: Bench, rounds: int) -> list[str]:
    return [statement_id(number) for number in range(rounds * bench.scale.singles)]


def _record_single(bench: Bench, rates: Sequence[Sequence[float]], loads: Sequence[Load]) -> None:
    posts, empties = (list(side) for side in zip(*rates, strict=True))
    ratios = [post / empty for post, empty in zip(posts, empties, strict=True)]
    told = f"HTTP POST of single statements, {SINGLE_CLIENTS} clients, {bench.scale.singles} a round"
    of = f"{told} / the same requests to an empty Flask view that reads them, behind the same server; {spread(ratios)}"
    bench.record("post_single_ratio_to_empty_view", median(ratios), "", of)
    bench.record("post_single_statements_per_second", median(posts), "statements/s", f"{told}; {spread(posts)}")
    bench.record("empty_view_requests_per_second", median(empties), "requests/s", f"the empty view; {spread(empties)}")
    seconds = Load(0.0, list(chain.from_iterable(load.seconds for load in loads)))
    for key, share in (("post_single_p50_ms", 0.5), ("post_single_p99_ms", 0.99)):
        bench.record(key, 1_000 * seconds.percentile(share), "ms", f"{told}, all rounds")


def sqlite(bench: Bench) -> None:
    """Measure POST on SQLite, where one web process serves."""
    with ExitStack() as stack:
        store = stack.enter_context(sqlite_store(bench))
        server = stack.enter_context(web_server(store.settings))
        before, rounds = store.size(), max(2, bench.scale.rounds // 2)
        first = rounds * bench.scale.batches * BATCH
        batched, single_rates = [], []
        for place in range(rounds):
            bench.tell("SQLite", place, rounds)
            bodies = _bodies(bench, place)
            requests = [post_request(store.lines, body) for body in bodies]
            batched.append(BATCH * len(bodies) / sent(server.port, requests, BATCH_CLIENTS).wall)
            begin = first + place * bench.scale.singles
            alone = [post_request(store.lines, encoded(one)) for one in learnings(begin, bench.scale.singles)]
            single_rates.append(len(alone) / sent(server.port, alone, SINGLE_CLIENTS).wall)
        verify(store, server, before + first + rounds * bench.scale.singles, _ids(bench, rounds))
        bench.tell("SQLite", rounds, rounds)
    told = f"SQLite, WAL, synchronous=FULL, batches of {BATCH}, {BATCH_CLIENTS} clients; {spread(batched)}"
    bench.record("sqlite_post_batch_statements_per_second", median(batched), "statements/s", told)
    told = f"SQLite, WAL, synchronous=FULL, single statements, {SINGLE_CLIENTS} clients; {spread(single_rates)}"
    bench.record("sqlite_post_single_statements_per_second", median(single_rates), "statements/s", told)


def validation(bench: Bench) -> None:
    """Measure decoding and validating alone, in a process set up as a web worker is."""
    bench.tell("validation", 0, 1)
    found, _ = apart(bench.tell, _validated)
    bench.tell("validation", 1, 1)
    of = f"statements_of and problems, batches of {BATCH} never seen before, in process; {spread(found)}"
    bench.record("validation_us_per_statement", median(found), "µs", of)


def _validated(_: Tell) -> list[float]:
    """Return the microseconds a statement of each batch; the first batches warm up."""
    bodies = list(batches(learnings(0, VALIDATED), BATCH))
    settle_memory()
    found = []
    for body in bodies:
        begun = time.perf_counter()
        refused = [one for _, statement in statements_of(body) for one in problems(statement, "1.0.3")]
        found.append((time.perf_counter() - begun) / BATCH * 1e6)
        if refused:
            raise ValueError(f"the bench's own statements are not valid: {refused[0]}")
    return found[5:]
