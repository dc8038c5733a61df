"""The most memory that a web worker holds, whatever batch within the limits is posted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any, Final

from tests.bench.clients import Client, post_request, sent
from tests.bench.figures import Bench
from tests.bench.statements import encoded, learnings, statement_id
from tests.bench.stores import Store, postgresql_store, verify, web_server

TURNS: Final = 2
AT_ONCE: Final = 4
MARGIN: Final = 1_000
PAD: Final = "https://lms.bench.example/x/pad"


def memory(bench: Bench) -> None:
    """Measure a web worker's peak after batches up to the limits, one after another and then four at once."""
    with postgresql_store(bench) as store, web_server(store.settings) as server:
        before, first = store.size(), server.peak_mb()
        limit, most = store.settings.body_limit_bytes, store.settings.batch_limit
        shapes = {most: limit, 1: limit, 200: limit, most - 1: 0}
        numbers, posted = iter(range(1 << 40)), []
        with closing(Client(server.port)) as client:
            for place, (count, size) in enumerate(list(shapes.items()) * TURNS):
                bench.tell("web memory", place, len(shapes) * TURNS)
                posted += [next(numbers) for _ in range(count)]
                client.take(post_request(store.lines, _body(posted[-count:], size)))
            client.send(post_request(store.lines, _wrong(most)))
        alone = server.peak_mb()
        posted += _at_once(store, server.port, numbers)
        bench.tell("web memory", len(shapes) * TURNS, len(shapes) * TURNS)
        verify(store, server, before + len(posted), [statement_id(number) for number in posted])
        _record(bench, first, alone, server.peak_mb(), limit)


def _at_once(store: Store, port: int, numbers: Iterator[int]) -> list[int]:
    count = store.settings.batch_limit
    parts = [[next(numbers) for _ in range(count)] for _ in range(AT_ONCE)]
    bodies = [_body(part, store.settings.body_limit_bytes) for part in parts]
    sent(port, [post_request(store.lines, body) for body in bodies], AT_ONCE)
    return [number for part in parts for number in part]


def _body(numbers: Sequence[int], size: int) -> bytes:
    """Return a batch with these numbers, padded in an extension of each to about so many bytes."""
    made = list(learnings(numbers[0], len(numbers)))
    spare = max(0, size - MARGIN - len(encoded(made)) - len(made) * (len(PAD) + 8)) // len(made)
    for one in made:
        one["context"]["extensions"][PAD] = "x" * spare
    return encoded(made)


def _wrong(count: int) -> bytes:
    """Return a batch of statements with a dozen problems each."""
    wrong: dict[str, Any] = {f"wrong{place}": None for place in range(10)}
    return encoded([{"id": "none", "actor": {}, "verb": 1, **wrong} for _ in range(count)])


def _record(bench: Bench, first: float, alone: float, together: float, limit: int) -> None:
    of = f"peak resident memory of the larger of two web workers; {first:.0f} MB after its start"
    bench.record(
        "web_worker_mb", alone, "MB", f"{of}; batches up to {limit / 1e6:g} MB and 5,000 statements, one at a time"
    )
    bench.record(
        "web_worker_four_at_once_mb", together, "MB", f"{of}; then {AT_ONCE} batches of {limit / 1e6:g} MB at once"
    )
