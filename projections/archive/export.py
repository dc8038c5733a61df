"""A log's archive, written: one file for each bucket of learners, and last of all the manifest that makes it one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
from sqlalchemy import Connection, Engine

from lrs.errors import InvalidRequest, NotFound
from lrs.store.log import Log
from projections.archive import reading
from projections.archive.buckets import buckets_of, fitting_bits
from projections.archive.columns import read_table, table_of, write_tables
from projections.archive.laws import named_competencies
from projections.archive.manifest import FORMAT, LeftOut, Manifest, Part, Source, keep
from projections.archive.manifest import NAME as MANIFEST
from projections.archive.storage import Place, write
from projections.building.builds import live_builds
from projections.building.catalogue import tables_of
from projections.building.digest import Span, buckets, digest_of
from projections.building.folding import run_of

UNFINISHED: Final = "unfinished"
"""The name of a file that says that an export has begun and not ended; the next one may write over what it left."""

COMPETENCIES: Final = pa.schema(
    [
        pa.field("competency", pa.int64()),
        pa.field("iri", pa.string()),
        pa.field("name", pa.string()),
        pa.field("framework", pa.string()),
    ]
)

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Extract:
    """What is archived: a log as of a position that its live builds reached, in 2 ** `bits` buckets of learners."""

    log: Log
    evidence: int
    mastery: int
    position: int
    bits: int
    with_statements: bool = True


def silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody how far an export is."""


def extract_of(derived: Engine, log: Log, bits: int | None = None, *, with_statements: bool = True) -> Extract:
    """Return all of a log that is folded by now; raises NotFound while nothing is."""
    with derived.connect() as connection:
        live = live_builds(connection, log.log_id)
        if not live.keys() >= {"evidence", "mastery"}:
            raise NotFound(f"nothing of {log.slug} is folded yet; run `cairn work`, or `cairn start`")
        one, other = live["evidence"], live["mastery"]
        position = min(one.position, other.position)
        if bits is None:
            rows = reading.evidence_count(connection, one.build_id, position)
            bits = fitting_bits(rows, position if with_statements else 0)
    return Extract(log, one.build_id, other.build_id, position, bits, with_statements)


def export(engine: Engine, derived: Engine, extract: Extract, place: Place, tell: Progress = silent) -> Manifest:
    """Write an archive to a place that holds none, and return its manifest.

    Rows only ever begin, so each bucket is read by itself as of the position. Raises InvalidRequest when the place is
    taken, or when the builds were replaced meanwhile.
    """
    _begin(place)
    with derived.connect() as connection:
        evidence = tuple(_evidence(connection, extract, place, tell))
        acts, learners, competencies = _documents(connection, extract, place)
    with engine.connect() as connection:
        statements = tuple(_statements(connection, extract, place, tell))
    with derived.connect() as connection:
        _refuse_replaced(connection, extract)
        mastery, left = mastery_digest(connection, extract), left_out(connection, extract)
    log = extract.log
    source = Source(log.slug, log.name, log.origin, extract.position)
    manifest = Manifest(
        FORMAT, source, extract.bits, mastery, left, acts, learners, competencies, evidence, statements
    )  # fmt: skip
    keep(place, manifest)
    place.remove(UNFINISHED)
    return manifest


def _begin(place: Place) -> None:
    """Mark a place as being written; refuse one where somebody else's files are, or a whole archive."""
    there = place.names("")
    if MANIFEST in there:
        raise InvalidRequest(
            f"{place.url} holds an archive already; an archive is never written over: name a new folder"
        )
    if there and UNFINISHED not in there:
        raise InvalidRequest(f"{place.url} is not empty; name a new folder, or an empty one")
    write(
        place,
        UNFINISHED,
        b"An export began here. Without manifest.json it is no archive; export again to begin anew.\n",
    )


def _evidence(connection: Connection, extract: Extract, place: Place, tell: Progress) -> Iterator[Part]:
    buckets = buckets_of(extract.bits)
    for one in buckets:
        tables = reading.evidence_in(connection, extract.evidence, one, extract.position)
        yield write_tables(place, f"evidence/{one.name}", reading.EVIDENCE, tables)
        tell("evidence", one.number + 1, len(buckets))


def _statements(connection: Connection, extract: Extract, place: Place, tell: Progress) -> Iterator[Part]:
    buckets = buckets_of(extract.bits) if extract.with_statements else []
    for one in buckets:
        tables = reading.statements_in(connection, extract.log.log_id, one, extract.position)
        yield write_tables(place, f"statements/{one.name}", reading.STATEMENTS, tables)
        tell("statements", one.number + 1, len(buckets))


def _documents(connection: Connection, extract: Extract, place: Place) -> tuple[Part, Part, Part]:
    """Write what the rows stand under and what their keys stand for: acts, learners, competencies."""
    build_id, position = extract.evidence, extract.position
    acts = write_tables(place, "acts.parquet", reading.ACTS, reading.acts_of(connection, build_id, position))
    people = reading.learners_of(connection, build_id, position)
    learners = write_tables(place, "learners.parquet", reading.LEARNERS, people)
    names = [table_of(named_competencies(read_table(place, acts)), COMPETENCIES)]
    return acts, learners, write_tables(place, "competencies.parquet", COMPETENCIES, names)


def mastery_digest(connection: Connection, extract: Extract) -> str:
    """Return the digest of the database's own decisions up to the position."""
    sums = buckets(connection, extract.mastery, tables_of("mastery"), Span(0, extract.position))
    return digest_of(sums)


def left_out(connection: Connection, extract: Extract) -> LeftOut:
    """Return what the database's own decisions leave out, up to the position."""
    live = live_builds(connection, extract.log.log_id)
    run = run_of(connection, connection, live["mastery"], {"evidence": extract.evidence}, {})
    return LeftOut(tuple(sorted(run.parked)), tuple(sorted(run.stale.items())))


def _refuse_replaced(connection: Connection, extract: Extract) -> None:
    live = live_builds(connection, extract.log.log_id)
    if (live["evidence"].build_id, live["mastery"].build_id) != (extract.evidence, extract.mastery):
        raise InvalidRequest(f"the projections of {extract.log.slug} were rebuilt meanwhile; export again")
