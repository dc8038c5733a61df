"""Replay: every bucket's decisions derived again, a task for each, and one digest held against the database's own.

A task needs nothing but the archive and says nothing but its result; any engine may run it, anywhere, twice if it must.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

import msgspec
import pyarrow.parquet as pq

from projections.archive.buckets import Bucket, buckets_of
from projections.archive.candidate import (
    DIFFERENCES,
    Counts,
    candidate_laws,
    compared,
    count,
    read_candidate,
    rows_of,
    totals,
)
from projections.archive.columns import parquet_file, read_table, schema_of, table_of, write_tables
from projections.archive.folding import Folded, Row, decisions_in
from projections.archive.laws import laws_of
from projections.archive.manifest import NAME as MANIFEST
from projections.archive.manifest import Manifest, manifest_of
from projections.archive.storage import Place, place_at
from projections.building.digest import add_rows, digest_of, no_rows
from projections.mastery.laws import Laws
from projections.mastery.tables import decision

DECISIONS: Final = schema_of(decision)
ROWS_AT_ONCE: Final = 20_000
"""So many decisions are turned into columns at once."""
TOLD: Final = b"cairn"
"""The key under which a file of decisions tells its task's result, in its footer."""


@dataclass(frozen=True, slots=True)
class Job:
    """What every task is told: where the archive lies, where results go, and a candidate's rules as JSON texts."""

    source: str
    target: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What a task came to: `sums` are those of the digest, in hex; `counts` and `differences` what a candidate changes.

    `job` is the fingerprint of archive and candidate, so that results of another job are never taken for these;
    `differences` is the digest of the rows that differ, "" without a candidate.
    """

    job: str
    bucket: int
    evidence: int
    learners: int
    decisions: int
    sums: tuple[str, ...]
    differences: str = ""
    counts: Counts = field(default_factory=dict)


def job_of(source: str, target: str | None, rules: Iterable[str] = ()) -> Job:
    """Return a job with addresses that hold from anywhere; without a target the results lie in the archive itself."""
    archive, texts = place_at(source).url, tuple(rules)
    if target is not None:
        return Job(archive, place_at(target).url, texts)
    name = hashlib.sha256("\0".join(texts).encode()).hexdigest()[:12] if texts else "decisions"
    return Job(archive, f"{archive}/replays/{name}", texts)


class Opened(NamedTuple):
    """An archive ready for its tasks."""

    source: Place
    target: Place
    manifest: Manifest
    laws: Laws
    candidate: Laws | None
    fingerprint: str


@lru_cache(maxsize=1)
def opened(job: Job) -> Opened:
    """Return the archive of a job, read once in each process; raises InvalidRequest with a candidate's problems."""
    source = place_at(job.source)
    manifest = manifest_of(source)
    acts, through = read_table(source, manifest.acts), manifest.log.position
    laws = laws_of(acts, through)
    documents = [read_candidate(one) for one in job.rules]
    candidate = candidate_laws(acts, documents, laws.overrides, through) if documents else None
    told = msgspec.json.encode((hashlib.sha256(source.read(MANIFEST)).hexdigest(), job.rules))
    return Opened(source, place_at(job.target), manifest, laws, candidate, hashlib.sha256(told).hexdigest())


def replay_bucket(job: Job, number: int) -> Result:
    """Derive the decisions of one bucket's learners anew, write them to one file, and return what they come to.

    Rows by the hundred thousand and no circles among them: the garbage collector would only look for what is not there.
    """
    one = opened(job)
    with _uncollected():
        return _replayed(one, number)


@contextmanager
def _uncollected() -> Iterator[None]:
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _replayed(one: Opened, number: int) -> Result:
    bucket, through = buckets_of(one.manifest.bits)[number], one.manifest.log.position
    evidence = read_table(one.source, one.manifest.evidence[number])
    tally = Tally(through, one.candidate)
    learners = decisions_in(evidence, bucket, one.laws, one.manifest.left_out, through)
    with parquet_file(one.target, decisions_name(bucket), DECISIONS) as writer:
        for rows in _lots(map(tally.taken, learners)):
            add_rows(tally.sums, decision.name, rows)
            writer.write_table(table_of(rows, DECISIONS))
        result = tally.result(one.fingerprint, number, evidence.num_rows, _written_differences(one, bucket, tally))
        writer.add_key_value_metadata({TOLD: msgspec.json.encode(result)})
    return result


def decisions_name(bucket: Bucket) -> str:
    """Return the path of the file of a bucket's decisions."""
    return f"decisions/{bucket.name}"


@dataclass(slots=True)
class Tally:
    """What a task adds up while it folds one learner after the other."""

    through: int
    candidate: Laws | None
    sums: list[int] = field(default_factory=no_rows)
    learners: int = 0
    decisions: int = 0
    counts: Counts = field(default_factory=dict)
    differing: list[Row] = field(default_factory=list)

    def taken(self, one: Folded) -> list[Row]:
        """Count a learner, hold the candidate against what holds, and return the learner's decisions."""
        self.learners += 1
        self.decisions += len(one.rows)
        if self.candidate is not None:
            found = compared(one, self.candidate, self.through)
            count(found, self.counts)
            self.differing += rows_of(found)
        return one.rows

    def result(self, job: str, bucket: int, evidence: int, differences: str) -> Result:
        """Return what the task came to."""
        sums = tuple(f"{one:x}" for one in self.sums)
        return Result(job, bucket, evidence, self.learners, self.decisions, sums, differences, self.counts)


def _lots(learners: Iterable[list[Row]]) -> Iterator[list[Row]]:
    """Yield the rows of several learners together: columns of a few rows cost as much as those of thousands."""
    lot: list[Row] = []
    for rows in learners:
        lot += rows
        if len(lot) >= ROWS_AT_ONCE:
            yield lot
            lot = []
    if lot:
        yield lot


def _written_differences(one: Opened, bucket: Bucket, tally: Tally) -> str:
    """Write what a candidate changes to a file of its own and return the digest of its rows; "" without one."""
    if one.candidate is None:
        return ""
    rows = table_of(tally.differing, DIFFERENCES)
    return write_tables(one.target, f"differences/{bucket.name}", DIFFERENCES, [rows]).rows_sha256


class Replayed(NamedTuple):
    """All tasks' results together; `agrees` is whether the decisions are those of the database, to the byte."""

    evidence: int
    learners: int
    decisions: int
    digest: str
    agrees: bool
    differences: str
    counts: Counts


def together(manifest: Manifest, results: Iterable[Result]) -> Replayed:
    """Return what the results of all buckets come to."""
    found = sorted(results, key=lambda one: one.bucket)
    sums = [sum(int(one, 16) for one in place) for place in zip(*(one.sums for one in found), strict=True)]
    differences = hashlib.sha256("".join(one.differences for one in found).encode()).hexdigest()
    digest = digest_of(sums)
    return Replayed(
        sum(one.evidence for one in found), sum(one.learners for one in found), sum(one.decisions for one in found),
        digest, digest == manifest.mastery, differences if any(one.differences for one in found) else "",
        totals(one.counts for one in found),
    )  # fmt: skip


def finished_files(job: Job) -> list[str]:
    """Return the names of the files of decisions that lie, whole, at a job's target."""
    return [name for name in place_at(job.target).names("decisions") if not name.startswith(".")]


def finished(job: Job) -> list[Result]:
    """Return the results of this very job that already lie at its target."""
    one = opened(job)
    found = []
    for name in finished_files(job):
        result = _told(one.target, f"decisions/{name}")
        if result is not None and result.job == one.fingerprint:
            found.append(result)
    return found


def _told(place: Place, name: str) -> Result | None:
    with place.system.open(place.path(name), "rb") as file:
        told = (pq.read_metadata(file).metadata or {}).get(TOLD)
    return None if told is None else msgspec.json.decode(told, type=Result)
