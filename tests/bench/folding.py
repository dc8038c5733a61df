"""The projections: live, as statements come in, and rebuilt from the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Table, func, select

import wsgi
from adapters.demo import district as demo
from lrs.cli import Desk
from lrs.settings import Settings
from projections import acts
from projections.building.builds import live_builds
from projections.building.catalogue import NAMES, PROJECTIONS
from projections.building.runtime import Runtime
from projections.commands import runtime_of
from projections.credit.tables import credit_decision
from projections.evidence.tables import evidence
from projections.mastery.tables import decision
from tests.bench.apart import Cost, apart
from tests.bench.figures import Bench, Tell
from tests.bench.filling import fill, settle
from tests.bench.statements import DISTRICT_LEARNERS, district
from tests.bench.stores import Store, postgresql_store

ARRIVING: Final = 5_000
MIX: Final = (
    f"{DISTRICT_LEARNERS:,} learners, 12 competencies, 60 activities, 2 rules, a scale, a credit policy; 40 % scores "
    "of three tools (5 % late), a void per 1,000, the rest interactions without a result"
)


class Spent(NamedTuple):
    """Seconds on the clock and of CPU that a projection took."""

    wall: float
    cpu: float

    def plus(self, wall: float, cpu: float) -> Spent:
        """Return the sum."""
        return Spent(self.wall + wall, self.cpu + cpu)

    @property
    def core_seconds(self) -> float:
        """What a rate per core is divided by: the CPU used, and at least the time that passed."""
        return max(self.wall, self.cpu)


class Watch:
    """Adds up what each projection takes, from one word of progress to the next, and passes the word on."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self.spent: dict[str, Spent] = {}
        self.begin()

    def begin(self) -> None:
        """Count from now on."""
        self._last = time.perf_counter(), time.process_time()

    def __call__(self, projection: str, position: int, through: int) -> None:
        """Take note of how far a projection is."""
        now = time.perf_counter(), time.process_time()
        known = self.spent.get(projection, Spent(0.0, 0.0))
        self.spent[projection] = known.plus(now[0] - self._last[0], now[1] - self._last[1])
        self._last = now
        self._tell(projection, position, through)


def folding(bench: Bench) -> None:
    """Measure the worker on statements that come to a log already folded, then a rebuild of everything."""
    scale = bench.scale
    with postgresql_store(bench) as store:
        publish_acts(store)
        fill(bench, store, district, 0, scale.folded)
        settle(store)
        where, folded = (store.settings, store.log.slug), store.size()
        _, first = apart(bench.tell, caught_up, *where)
        fill(bench, store, district, scale.folded, (scale.arrivals + 1) * ARRIVING)
        settle(store)
        live, _ = apart(bench.tell, _live, *where, folded, scale.arrivals)
        rebuilt, cost = apart(bench.tell, _rebuilt, *where)
        _record_live(bench, live)
        _record_rebuilt(bench, rebuilt, cost, store.size(), _rows(store))
    bench.record("first_fold_mb", first.peak_mb, "MB", f"peak of a worker that folds {folded:,} statements at first")


def publish_acts(store: Store) -> None:
    """Publish the rules, the policy and the alignments that the district's statements are folded by."""
    actor = msgspec.json.decode(store.credential().authority)
    store.desk.append(store.log, [_act(kind, document, actor) for kind, document in demo.acts()])


def _act(kind: str, document: Mapping[str, Any], actor: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "framework":
        return acts.adopt(document, actor)
    return acts.align(document, actor) if kind == "alignment" else acts.publish(kind, document, actor)


def opened(settings: Settings, slug: str) -> tuple[Desk, int]:
    """Return the desk of a process of its own, and the log's number."""
    desk = wsgi.desk_of(settings)
    return desk, desk.log_named(slug).log_id


def caught_up(tell: Tell, settings: Settings, slug: str) -> None:
    """Fold a log that nobody has folded."""
    desk, log_id = opened(settings, slug)
    runtime_of(desk).catch_up(log_id, lambda name, done, through: tell(f"first {name}", done, through))


def _live(tell: Tell, settings: Settings, slug: str, folded: int, arrivals: int) -> dict[str, Spent]:
    """Return what each projection took for statements that came in 5,000 at a time; the first time warms up."""
    desk, log_id = opened(settings, slug)
    runtime, watch = runtime_of(desk), Watch(tell)
    for place in range(1, arrivals + 2):
        watch.begin()
        _fold_to(runtime, log_id, folded + place * ARRIVING, watch)
        if place == 1:
            watch.spent.clear()
    return watch.spent


def _fold_to(runtime: Runtime, log_id: int, size: int, watch: Watch) -> None:
    """Do what the worker does when a log has reached this size."""
    live = runtime.ensure(log_id)
    for one in PROJECTIONS:
        upstream = {name: live[name].build_id for name in one.upstream}
        through: int | None = 0
        while through is not None and through < size:
            through = runtime.step(one, live[one.name].build_id, upstream, size)
            watch(one.name, through or size, size)


def _rebuilt(tell: Tell, settings: Settings, slug: str) -> dict[str, Spent]:
    """Return what each projection took; under "comparing", what followed until the swap."""
    desk, log_id = opened(settings, slug)
    watch = Watch(tell)
    runtime_of(desk).rebuild(log_id, NAMES, watch)
    watch("comparing", 1, 1)
    return watch.spent


def _rows(store: Store) -> dict[str, int]:
    """Return how many rows the live builds hold."""
    tables = {"evidence": evidence, "mastery": decision, "credit": credit_decision}
    with store.desk.derived.connect() as connection:
        builds = live_builds(connection, store.log.log_id)
        return {name: _counted(connection, table, builds[name].build_id) for name, table in tables.items()}


def _counted(connection: Connection, table: Table, build_id: int) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(table.c.build_id == build_id)) or 0


def _record_live(bench: Bench, spent: dict[str, Spent]) -> None:
    count = bench.scale.arrivals * ARRIVING
    parts = ", ".join(f"{name} {one.wall / count * 1e6:.0f}" for name, one in spent.items())
    told = f"{count:,} statements, {ARRIVING:,} at a time, onto {bench.scale.folded:,} folded ones, one worker; {MIX}"
    everything = sum(one.wall for one in spent.values())
    of = f"evidence, mastery, credit and audit: {told}; µs a statement: {parts}"
    bench.record("live_projection_statements_per_second", count / everything, "statements/s", of)
    two = spent["evidence"].wall + spent["mastery"].wall
    bench.record(
        "live_evidence_mastery_statements_per_second", count / two, "statements/s", f"evidence and mastery: {told}"
    )


def _record_rebuilt(bench: Bench, spent: dict[str, Spent], cost: Cost, size: int, rows: dict[str, int]) -> None:
    for key, name, count, what in (
        ("rebuild_from_bodies_per_second_per_core", "evidence", size, "evidence from statement bodies"),
        ("rebuild_from_evidence_per_second_per_core", "mastery", rows["evidence"], "mastery from evidence rows"),
    ):
        one = spent[name]
        of = f"{what}, {count:,} of them; {one.wall:.1f} s, {one.cpu:.1f} s of CPU in Python; by the greater"
        bench.record(key, count / one.core_seconds, f"{'statements' if name == 'evidence' else 'rows'}/s", of)
    parts = ", ".join(f"{name} {one.wall:.0f}" for name, one in spent.items())
    made = ", ".join(f"{count:,} {name}" for name, count in rows.items())
    of = f"{size:,} statements, all four projections, compared and swapped: {parts} s; rows: {made}"
    bench.record("rebuild_statements_per_second", size / cost.wall, "statements/s", of)
    bench.record(
        "rebuild_mb", cost.peak_mb, "MB", f"peak resident memory of a rebuild of {size:,} statements, all four"
    )
