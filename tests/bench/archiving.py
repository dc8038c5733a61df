"""The archive: how quickly it is written, and replayed from, by processes of this machine and by Spark."""

from __future__ import annotations

import importlib.util
import os
import shutil
import time
from pathlib import Path
from typing import Final, NamedTuple

from lrs.settings import Settings
from projections.archive import local, replay, spark
from projections.archive.commands import LOCAL, SPARK
from projections.archive.export import export, extract_of
from projections.archive.replay import job_of, together
from projections.archive.storage import place_at
from tests.bench.apart import apart
from tests.bench.figures import Bench, Tell
from tests.bench.filling import fill, settle
from tests.bench.folding import caught_up, opened, publish_acts
from tests.bench.statements import DISTRICT_LEARNERS, scores
from tests.bench.stores import Missing, Store, postgresql_store
from tests.projections.archives import OF_A_LEARNER, synthetic

PROCESSES: Final = 2
MIX: Final = "keys of 10 pieces, 12 competencies a learner, the default rule"
MASTER: Final = f"local[{PROCESSES}]"


class Run(NamedTuple):
    """A replay: rows of evidence, seconds without start-up, seconds of start-up, and the digest."""

    rows: int
    seconds: float
    start: float
    digest: str

    @property
    def rate(self) -> float:
        """Rows a second."""
        return self.rows / self.seconds


def archiving(bench: Bench) -> None:
    """Measure exports of a district's log, then replays of a larger archive of invented learners."""
    with postgresql_store(bench, "archiving") as store:
        _measure_export(bench, store)
    large, small = str(bench.folder / "large"), str(bench.folder / "small")
    learners = bench.scale.archived // OF_A_LEARNER
    for url, count, bits in ((small, PROCESSES, 1), (large, learners, max((learners // 800).bit_length(), 4))):
        bench.tell("inventing", 0, count)
        synthetic(url, count, bits, PROCESSES)
        bench.tell("inventing", count, count)
    alone, _ = apart(bench.tell, _replayed, large, small, 1)
    shared = _replayed(bench.tell, large, small, PROCESSES)
    of = f"{alone.rows:,} rows of evidence read, decided and written, {MIX}"
    bench.record("replay_local_per_core", alone.rate, "rows/s", f"{of}; one process, {alone.seconds:.1f} s")
    of = f"{of}; {PROCESSES} processes, {shared.seconds:.1f} s behind {shared.start:.1f} s of start-up"
    bench.record("replay_local_two_processes", shared.rate, "rows/s", of)
    _measure_spark(bench, large, small, shared)
    shutil.rmtree(large)


def _measure_export(bench: Bench, store: Store) -> None:
    count, where = bench.scale.evidence, (store.settings, store.log.slug)
    publish_acts(store)
    fill(bench, store, scores, 0, count)
    caught_up(bench.tell, *where)
    settle(store)
    for key, folder, with_statements in (
        ("export_evidence_per_second", "evidence", False),
        ("export_statements_per_second", "whole", True),
    ):
        found, cost = apart(bench.tell, _exported, *where, str(bench.folder / folder), with_statements)
        rows, seconds, size = found
        what = "statements with all their evidence" if with_statements else "rows of evidence"
        of = f"{rows:,} {what} from PostgreSQL to Parquet in {seconds:.1f} s, {size / rows:.0f} bytes each"
        told = f"{of}; peak {cost.peak_mb:.0f} MB; {DISTRICT_LEARNERS:,} learners"
        bench.record(key, rows / seconds, "rows/s", told)


def _exported(tell: Tell, settings: Settings, slug: str, url: str, with_statements: bool) -> tuple[int, float, int]:
    """Return how many rows an export wrote, in how many seconds, and their files' bytes."""
    desk, _ = opened(settings, slug)
    began = time.perf_counter()
    extract = extract_of(desk.derived, desk.log_named(slug), with_statements=with_statements)
    manifest = export(desk.engine, desk.derived, extract, place_at(url), tell)
    seconds = time.perf_counter() - began
    parts = manifest.statements if with_statements else manifest.evidence
    return sum(one.rows for one in parts), seconds, sum(one.size for one in parts)


def _replayed(tell: Tell, large: str, small: str, processes: int) -> Run:
    """Return a local replay; what a replay of next to nothing takes is start-up."""
    start = _timed(tell, small, processes)[0] if processes > 1 else 0.0
    seconds, rows, digest = _timed(tell, large, processes)
    return Run(rows, seconds - start, start, digest)


def _timed(tell: Tell, url: str, processes: int) -> tuple[float, int, str]:
    job = job_of(url, f"{url}-out-{processes}")
    manifest = replay.opened(job).manifest
    began, found = time.perf_counter(), []
    for result in local.run(job, range(len(manifest.evidence)), processes):
        found.append(result)
        tell(f"{LOCAL} {processes}", len(found), len(manifest.evidence))
    replayed = together(manifest, found)
    seconds = time.perf_counter() - began
    shutil.rmtree(Path(f"{url}-out-{processes}"))
    return seconds, replayed.evidence, replayed.digest


def _measure_spark(bench: Bench, large: str, small: str, shared: Run) -> None:
    if not shutil.which("java") or importlib.util.find_spec("pyspark") is None:
        raise Missing("the Spark engine cannot be measured: install Java 17 and the extra `spark`")
    one, cost = apart(bench.tell, _replayed_by_spark, large, small)
    if one.digest != shared.digest:
        raise Missing(f"Spark came to the digest {one.digest}, the local engine to {shared.digest}")
    of = f"{one.rows:,} rows of evidence, {MASTER}, {one.seconds:.1f} s behind {one.start:.1f} s of start-up; {MIX}"
    bench.record("replay_spark", one.rate, "rows/s", f"{of}; its driver's peak {cost.peak_mb:.0f} MB")
    of = f"of the local engine's rate with {PROCESSES} processes, on {one.rows:,} rows, start-up apart, the same digest"
    bench.record("spark_to_local_ratio", one.rate / shared.rate, "times", of)


def _replayed_by_spark(tell: Tell, large: str, small: str) -> Run:
    """Return a replay on a Spark session that has done a small one before."""
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    began = time.perf_counter()
    with spark.session(MASTER) as session:
        spark.run(session, job_of(small, f"{small}-out-spark"), range(PROCESSES), lambda _: None)
        start = time.perf_counter() - began
        job = job_of(large, f"{large}-out-spark")
        manifest, began = replay.opened(job).manifest, time.perf_counter()
        count = len(manifest.evidence)
        found = together(manifest, spark.run(session, job, range(count), lambda done: tell(SPARK, done, count)))
        return Run(found.evidence, time.perf_counter() - began, start, found.digest)
