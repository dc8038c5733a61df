"""Long logs, filled by the product's own write path in process: what a POST does, without HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Final

from sqlalchemy import create_engine, text

import wsgi
from lrs.memory import settle_memory
from lrs.recording import record
from lrs.store.credentials import Credential
from lrs.store.writer import Writer
from tests.bench.apart import Apart
from tests.bench.figures import Bench, Tell
from tests.bench.statements import batches
from tests.bench.stores import Missing, Store

BATCH: Final = 2_000
PROCESSES: Final = 2

Source = Callable[..., Iterator[dict[str, Any]]]


def fill(bench: Bench, store: Store, source: Source, first: int, count: int, *more: Any) -> None:
    """Append `source(first, count, *more)` from two processes at once; raises Missing unless the log grows so."""
    before = store.size()
    told: dict[str, int] = {}

    def tell(process: str, done: int, _: int) -> None:
        told[process] = done
        bench.tell("filling the log", sum(told.values()), count)

    with ExitStack() as stack:
        works = [
            stack.enter_context(
                Apart(tell, _fill, str(place), store.settings, store.credential(), source, *part, *more)
            )
            for place, part in enumerate(_parts(first, count))
        ]
        for work in works:
            work.result()
    if store.size() != before + count:
        raise Missing(f"{count} statements were appended, but the log grew by {store.size() - before}")


def _parts(first: int, count: int) -> Sequence[tuple[int, int]]:
    half = count // PROCESSES
    return [(first, half), (first + half, count - half)]


def _fill(tell: Tell, name: str, settings: Any, credential: Credential, source: Source, *numbers: Any) -> None:
    desk = wsgi.desk_of(settings)
    settle_memory()
    writer = Writer(desk.engine, desk.gate.act_verbs, settings.append_queue_limit)
    for place, body in enumerate(batches(source(*numbers), BATCH), 1):
        record(writer, desk.gate, credential, "1.0.3", body, BATCH)
        tell(name, min(place * BATCH, numbers[1]), numbers[1])


def settle(store: Store) -> None:
    """Do what autovacuum does in time: gather statistics, so that plans are those of a log of this size."""
    engine = create_engine(store.desk.engine.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("VACUUM ANALYZE"))
    engine.dispose()
