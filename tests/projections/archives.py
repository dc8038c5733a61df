"""Archives of invented learners, written without a database: as many rows as are wanted, always the same."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from random import Random
from typing import Any, Final

import msgspec

from lrs.xapi.values import key64
from projections.archive.buckets import Bucket, buckets_of
from projections.archive.columns import table_of, write_tables
from projections.archive.export import COMPETENCIES
from projections.archive.laws import named_competencies
from projections.archive.manifest import FORMAT, LeftOut, Manifest, Part, Source, keep
from projections.archive.reading import ACTS, EVIDENCE, LEARNERS
from projections.archive.storage import place_at
from projections.evidence.evidence import KINDS
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from projections.mastery.scales import DEFAULT_SCALE_DOCUMENT

Row = tuple[Any, ...]

ORIGIN: Final = "https://synthetic.example.org"
FRAMEWORK: Final = f"{ORIGIN}/frameworks/mathematics"
COMPETENCY_COUNT: Final = 12
IN_A_KEY: Final = 10
OF_A_LEARNER: Final = COMPETENCY_COUNT * IN_A_KEY
TASKS: Final = 60
FIRST_MOMENT: Final = 1_788_000_000_000_000
SECOND: Final = 1_000_000
KIND: Final = KINDS.index("performance_task")
LATE: Final = 0.05


def competencies() -> list[str]:
    """Return the IRIs of the competencies."""
    return [f"{ORIGIN}/competencies/{number:02}" for number in range(COMPETENCY_COUNT)]


def documents() -> list[tuple[str, dict[str, Any]]]:
    """Return what is published, each with its kind: a scale, a rule, and a framework that names the scale."""
    members = [{"uri": one, "name": one[-2:], "statement": f"Can do {one[-2:]}."} for one in competencies()]
    scale = {"id": DEFAULT_SCALE_DOCUMENT["id"], "version": 1}
    framework = {"uri": FRAMEWORK, "title": "Mathematics", "version": "1", "scale": scale, "competencies": members}
    return [("scale", dict(DEFAULT_SCALE_DOCUMENT)), ("rule", dict(DEFAULT_RULE_DOCUMENT)), ("framework", framework)]


def synthetic(url: str, learners: int, bits: int, processes: int = 1) -> Manifest:
    """Write an archive of about so many learners with 120 pieces of evidence each; its `mastery` is left empty."""
    place = place_at(url)
    acts = table_of(list(_acts()), ACTS)
    names = table_of(named_competencies(acts), COMPETENCIES)
    write = partial(_evidence, url, max(learners >> bits, 1))
    manifest = Manifest(
        FORMAT,
        Source("synthetic", "Synthetic County", ORIGIN, _through(learners, bits)),
        bits,
        "",
        LeftOut(),
        write_tables(place, "acts.parquet", ACTS, [acts]),
        write_tables(place, "learners.parquet", LEARNERS, []),
        write_tables(place, "competencies.parquet", COMPETENCIES, [names]),
        tuple(_each(write, buckets_of(bits), processes)),
        (),
    )
    keep(place, manifest)
    return manifest


def _through(learners: int, bits: int) -> int:
    return len(documents()) + (max(learners >> bits, 1) << bits) * OF_A_LEARNER


def _acts() -> Iterator[Row]:
    for position, (kind, document) in enumerate(documents(), 1):
        moment = FIRST_MOMENT - SECOND * (10 - position)
        yield position, position, 1, kind, moment, _statement_id(Random(position)), msgspec.json.encode(document)


def _each(write: Callable[[Bucket], Part], buckets: list[Bucket], processes: int) -> Iterator[Part]:
    if processes == 1:
        yield from map(write, buckets)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        yield from pool.map(write, buckets)


def _evidence(url: str, learners: int, bucket: Bucket) -> Part:
    place = place_at(url)
    tables = [table_of(list(_bucket_rows(bucket, learners)), EVIDENCE)]
    return write_tables(place, f"evidence/{bucket.name}", EVIDENCE, tables)


def _bucket_rows(bucket: Bucket, learners: int) -> Iterator[Row]:
    random = Random(bucket.number)
    width = (bucket.last - bucket.first + 1) // learners
    keys = sorted(key64("competency", one) for one in competencies())
    tasks = [key64("activity", f"{ORIGIN}/tasks/{number}") for number in range(TASKS)]
    for place in range(learners):
        learner = bucket.first + place * width + random.randrange(width)
        position = len(documents()) + (bucket.number * learners + place) * OF_A_LEARNER
        for competency in keys:
            yield from _key_rows(random, learner, competency, position, tasks)
            position += IN_A_KEY


def _key_rows(random: Random, learner: int, competency: int, position: int, tasks: list[int]) -> Iterator[Row]:
    named: dict[str, Any] = dict.fromkeys(EVIDENCE.names, 0)
    named |= {"change": 1, "learner": learner, "competency": competency, "kind": KIND, "score_den": 100, "reason": ""}
    named["success"] = None
    for number in range(1, IN_A_KEY + 1):
        moment = FIRST_MOMENT + (position + number) * SECOND
        if random.random() < LATE:
            moment -= 5 * SECOND * random.randrange(1, 5)
        named["cause"] = named["position"] = position + number
        named["statement_id"] = _statement_id(random)
        named["timestamp"], named["task"] = moment, random.choice(tasks)
        named["score_num"], named["fingerprint"] = random.randrange(101), random.getrandbits(62)
        yield tuple(named.values())


def _statement_id(random: Random) -> str:
    return str(uuid.UUID(int=random.getrandbits(128), version=4))
