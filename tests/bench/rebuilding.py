"""Rebuilds of the mastery projection by learner, digests, the pause of a swap, and reading as of a position."""

from __future__ import annotations

import os
import time
from itertools import count
from random import Random
from statistics import median, quantiles
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select

from lrs.cli import Desk
from lrs.memory import settle_memory
from lrs.settings import Settings
from lrs.store.log import head
from projections.building.comparing import sums_of
from projections.building.crew import Crew
from projections.building.digest import Span
from projections.building.folding import silent
from projections.building.rebuilding import rebuild
from projections.building.runtime import Runtime
from projections.evidence.tables import evidence, learner
from projections.mastery.reading import competency_map
from projections.mastery.tables import decision
from projections.view import view_of
from tests.bench.apart import Apart
from tests.bench.figures import Bench, Tell
from tests.bench.filling import fill, settle
from tests.bench.folding import caught_up, opened, publish_acts
from tests.bench.statements import DISTRICT_LEARNERS, scores
from tests.bench.stores import postgresql_store

ASKED: Final = 300
ARRIVING: Final = 50
ARRIVALS_APART: Final = 0.05
MIX: Final = f"{DISTRICT_LEARNERS:,} learners, 12 competencies, the default rule and another, PostgreSQL"


class Rebuilt(NamedTuple):
    """A rebuild of what stands on evidence: seconds of the mastery units, and of the pause at the swap."""

    seconds: float
    pause: float
    statements: int


def rebuilding(bench: Bench) -> None:
    """Measure rebuilds with one process and two, one with statements coming in, digests, and reading in the past."""
    settle_memory()
    size, cores = bench.scale.evidence, os.cpu_count() or 1
    with postgresql_store(bench, "rebuilding") as store:
        publish_acts(store)
        fill(bench, store, scores, 0, size)
        settle(store)
        where = store.settings, store.log.slug
        caught_up(bench.tell, *where)
        settle(store)
        rows = _counted(store.desk, store.log.log_id, evidence)
        runs = {processes: _rebuilt(bench.tell, *where, processes) for processes in (1, 2)}
        digested = {processes: _digested(bench.tell, *where, processes) for processes in (1, cores)}
        asked = _asked(bench.tell, *where)
        busy = _rebuilt_while_busy(bench.tell, *where, size)
    _record(bench, rows, runs, digested, cores)
    bench.record("as_of_ms", median(asked), "ms", f"a learner's map as of a position, median of {_about(asked, size)}")
    bench.record("as_of_p95_ms", quantiles(asked, n=20)[-1], "ms", f"95th percentile of {_about(asked, size)}")
    of = (
        f"folding stood still while four builds were swapped, {busy.statements:,} statements came in during the rebuild"
    )
    bench.record("swap_pause_ms", busy.pause * 1000, "ms", f"{of}; nobody who reads waits; {MIX}")


def _about(asked: list[float], size: int) -> str:
    return f"{len(asked)} random learners and positions in {size:,} statements; {MIX}"


def _record(
    bench: Bench, rows: int, runs: dict[int, Rebuilt], digested: dict[int, tuple[int, float]], cores: int
) -> None:
    one, two = runs[1].seconds, runs[2].seconds
    of = f"{rows:,} evidence rows read, decided and written by one process in {one:.1f} s; {MIX}"
    bench.record("rebuild_mastery_per_core", rows / one, "rows/s", of)
    of = f"the same units by two processes in {two:.1f} s; {cores} cores, which the server needs too"
    bench.record("rebuild_processes_speedup", one / two, "times", of)
    for key, processes in (("digest_rows_per_s", cores), ("digest_rows_per_s_one_process", 1)):
        decisions, seconds = digested[processes]
        of = f"{decisions:,} decisions read and hashed in {seconds:.2f} s by {processes} process(es); {MIX}"
        bench.record(key, decisions / seconds, "rows/s", of)


def _rebuilt(tell: Tell, settings: Settings, slug: str, processes: int) -> Rebuilt:
    """Rebuild what stands on evidence; the seconds are those from the first unit's beginning to the last one's end."""
    desk, log_id = opened(settings, slug)
    runtime, times = Runtime(desk.engine, desk.derived, settings.worker_batch), list[float]()

    def watched(name: str, done: int, total: int) -> None:
        if name == "mastery":
            times.append(time.perf_counter())
        tell(f"{processes}: {name}", done, total)

    with Crew(runtime, processes) as crew:
        for one in crew.begin():
            one.result()
        found = rebuild(runtime, crew, log_id, ["mastery"], watched, fresh=True)
    return Rebuilt(times[-1] - times[0], found.pause_seconds, 0)


def _digested(tell: Tell, settings: Settings, slug: str, processes: int) -> tuple[int, float]:
    """Return how many decisions were hashed, and in how many seconds."""
    desk, log_id = opened(settings, slug)
    runtime = Runtime(desk.engine, desk.derived, settings.worker_batch)
    build = runtime.live(log_id)["mastery"]
    with Crew(runtime, processes) as crew:
        for one in crew.begin():
            one.result()
        began = time.perf_counter()
        sums_of(crew, [build], Span(0, build.position), silent)
        seconds = time.perf_counter() - began
    tell("digest", processes, processes)
    return _counted(desk, log_id, decision), seconds


def _counted(desk: Desk, log_id: int, table: Any) -> int:
    name = {evidence: "evidence", decision: "mastery"}[table]
    with desk.derived.connect() as connection:
        build_id = Runtime(desk.engine, desk.derived, 1).live(log_id)[name].build_id
        return connection.scalar(select(func.count()).select_from(table).where(table.c.build_id == build_id)) or 0


def _asked(tell: Tell, settings: Settings, slug: str) -> list[float]:
    """Return the milliseconds that it took to tell where a learner stood at a position, for many of both."""
    desk, _ = opened(settings, slug)
    log, rng = desk.log_named(slug), Random(1)
    found: list[float] = []
    with desk.derived.connect() as connection, desk.engine.connect() as log_connection:
        view = view_of(connection, log_connection, log, None)
        known = select(learner.c.learner, learner.c.position).where(learner.c.build_id == view.build("evidence"))
        keys = connection.execute(known.order_by(learner.c.learner)).all()
        for place in range(ASKED):
            key, first = rng.choice(keys)
            position = rng.randrange(first, view.position + 1)
            began = time.perf_counter()
            competency_map(view_of(connection, log_connection, log, str(position)), key)
            found.append((time.perf_counter() - began) * 1000)
            tell("as of", place + 1, ASKED)
    return found[ASKED // 10 :]


def _rebuilt_while_busy(tell: Tell, settings: Settings, slug: str, first: int) -> Rebuilt:
    """Rebuild what stands on evidence while statements come in and a worker folds them, in processes of their own."""
    with Apart(_nobody, _arriving, settings, slug, first), Apart(_nobody, _working, settings, slug):
        before = _size(settings, slug)
        found = _rebuilt(tell, settings, slug, 2)
        return found._replace(statements=_size(settings, slug) - before)


def _nobody(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def _size(settings: Settings, slug: str) -> int:
    desk, log_id = opened(settings, slug)
    with desk.engine.connect() as connection:
        return head(connection, log_id)[0]


def _arriving(_tell: Tell, settings: Settings, slug: str, first: int) -> None:
    """Append a few statements every now and then, without end."""
    desk, _ = opened(settings, slug)
    log = desk.log_named(slug)
    for place in count():
        desk.append(log, list(scores(first + place * ARRIVING, ARRIVING)))
        time.sleep(ARRIVALS_APART)


def _working(_tell: Tell, settings: Settings, slug: str) -> None:
    """Fold what comes in, without end."""
    desk, log_id = opened(settings, slug)
    worker = Runtime(desk.engine, desk.derived, settings.worker_batch)
    while True:
        worker.catch_up(log_id)
        time.sleep(ARRIVALS_APART)
