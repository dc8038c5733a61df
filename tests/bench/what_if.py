"""What another rule would have said of a district's evidence, learner by learner."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any, Final

from sqlalchemy import text

from adapters.demo import district as demo
from lrs.store.bulk import insert_rows
from lrs.store.engine import immediate
from lrs.xapi.values import key64
from projections.building.builds import live_builds
from projections.evidence.evidence import KINDS
from projections.evidence.tables import evidence
from projections.insight.findings import findings, names_of
from projections.insight.people import People
from projections.insight.suppression import LEAST
from projections.insight.what_if import Question, answer
from tests.bench.figures import Bench
from tests.bench.folding import caught_up, publish_acts
from tests.bench.stores import Store, postgresql_store

EACH: Final = 10
"""So many pieces of evidence for each learner and competency."""

CHUNK: Final = 20_000
YEAR_US: Final = 31_536_000_000_000
BEGIN_US: Final = 1_780_000_000_000_000


def what_if(bench: Bench) -> None:
    """Measure a candidate rule over evidence rows that are written as the fold would write them."""
    count, cores = bench.scale.evidence, os.cpu_count() or 1
    with postgresql_store(bench, "what-if") as store:
        publish_acts(store)
        caught_up(bench.tell, store.settings, store.log.slug)
        builds = _builds(store)
        through = _fill(bench, store, builds["evidence"], count)
        candidate, names = _candidate()
        urls = store.settings.log_url, store.settings.derived_url
        question = Question(*urls, store.log.log_id, builds, candidate, 0, through)
        began = time.perf_counter()
        found = answer(question, cores, lambda done, of: bench.tell("what if", done, of))
        compared = time.perf_counter()
        everybody = tuple(sorted({one for one, _ in found.unchanged} | {one.learner for one in found.differences}))
        told = findings(found, People(everybody, {}, (1 << len(everybody)) - 1), names_of(names), LEAST)
        took = time.perf_counter() - began
    totals = told["totals"]
    of = (
        f"{count:,} rows of evidence, {totals['learners']:,} learners, {totals['compared']:,} standings, {cores} "
        f"processes, three tasks where two were asked: {totals['lost']:,} lost, {totals['changed_level']:,} "
        f"at another level; {took - (compared - began):.1f} s of it to group the findings"
    )
    bench.record("what_if_seconds", took, "s", of)


def _builds(store: Store) -> Mapping[str, int]:
    with store.desk.derived.connect() as connection:
        return {name: one.build_id for name, one in live_builds(connection, store.log.log_id).items()}


def _candidate() -> tuple[dict[str, Any], dict[str, str]]:
    """Return the sample district's rule with another number of tasks, and the names of its competencies."""
    documents = demo.acts()
    frame = next(document for kind, document in documents if kind == "framework")
    rule = next(document for kind, document in documents if kind == "rule")
    names = {one["uri"]: one["name"] for one in frame["competencies"]}
    return {**rule, "method": {"name": "independent_tasks", "n": 3}}, names


def _fill(bench: Bench, store: Store, build: int, count: int) -> int:
    """Write so many rows of evidence into a live build, and return the last of their positions."""
    first, rows = 1_000, _rows(build, 1_000, count)
    done = 0
    while done < count:
        chunk = [row for _, row in zip(range(min(CHUNK, count - done)), rows, strict=False)]
        with immediate(store.desk.derived).begin() as connection:
            insert_rows(connection, evidence, chunk)
        done += len(chunk)
        bench.tell("writing evidence", done, count)
    with store.desk.derived.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("VACUUM ANALYZE evidence"))
    return first + count


def _rows(build: int, first: int, count: int) -> Iterator[tuple[Any, ...]]:
    chance = Random(2026)
    competencies = [key64("competency", uri) for uri in _candidate()[1]]
    learners = [key64("agent", f"bench {number}") for number in range(-(-count // (EACH * len(competencies))))]
    kinds = [KINDS.index(kind) for kind in ("performance_task", "local_summative", "formative")]
    for place in range(count):
        key = place % (len(learners) * len(competencies))
        told = {
            "build_id": build, "cause": first + place, "seq": 0, "change": 1, "learner": learners[key % len(learners)],
            "competency": competencies[key // len(learners)], "position": first + place,
            "statement_id": f"00000000-0000-4000-8000-{place:012d}", "timestamp": BEGIN_US + chance.randrange(YEAR_US),
            "kind": chance.choice(kinds), "task": chance.randrange(60), "revision": 0,
            "score_num": chance.randrange(3, 11), "score_den": 10, "success": None, "fingerprint": place, "matched": 4,
            "reason": "",
        }  # fmt: skip
        yield tuple(told.get(column.name, 0) for column in evidence.columns)
