"""What one process of the long run does: batches of every family, each from a seed of its own."""

from __future__ import annotations

import itertools
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hypothesis import HealthCheck, Phase, given, seed, settings

from lrs.resources import refusals
from lrs.settings import Settings
from tests.databases import migrate, new_database, postgresql_server
from tests.district import District, open_district
from tests.fuzz import described
from tests.fuzz.asked import Asked, Judge, Outcome
from tests.fuzz.strategies import FAMILIES, variants

BATCH = 250
FROM_THE_DOCUMENT = 0.01
"""The share of inputs that schemathesis makes of the OpenAPI document."""


@dataclass
class Tally:
    """What one process sent: how many of each family were answered with each status, and what was wrong."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    """Sentence, where it came from, and the request as text."""

    def note(self, family: str, status: int, wrong: list[str], origin: str, asked: Asked) -> None:
        """Count one answer."""
        self.counts[family, status] += 1
        self.wrong += [(sentence, origin, asked.text()) for sentence in wrong]


def run(dialect: str, inputs: int, first_seed: int, deadline: float) -> Tally:
    """Send inputs to an application of this process's own."""
    tally, begun = Tally(), time.time()
    refusals.MOST_LISTED_A_MINUTE = sys.maxsize
    with _district(dialect) as district:
        judge = Judge.of(district)
        described.run(judge, int(inputs * FROM_THE_DOCUMENT), first_seed, tally, deadline)
        for number, family in zip(itertools.count(first_seed), itertools.cycle(FAMILIES), strict=False):
            if tally.counts.total() >= inputs or time.time() > deadline:
                break
            batch(judge, family, number, tally)
            if number % 10 == 0:
                rate = tally.counts.total() / (time.time() - begun)
                print(f"{dialect}: {tally.counts.total()} inputs, {rate:.0f}/s, {len(tally.wrong)} wrong", flush=True)
        tally.wrong += [(sentence, dialect, "") for sentence in _at_the_end(judge)]
    return tally


def batch(judge: Judge, family: str, number: int, tally: Tally) -> None:
    """Send one batch of a family, made from its seed."""

    @seed(number)
    @settings(
        max_examples=BATCH,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(asked=FAMILIES[family])
    def sent(asked: Asked) -> None:
        for one in variants(asked):
            status, wrong = _outcome(judge, one)
            tally.note(family, status, wrong, f"{family} seed {number}", one)

    sent()


def _outcome(judge: Judge, asked: Asked) -> Outcome:
    """Return what a judge says; one who cannot read an answer shall not end the run."""
    try:
        return judge.outcome(asked)
    except Exception as error:
        return 0, [f"the answer cannot be judged: {type(error).__name__}: {error}"]


def _at_the_end(judge: Judge) -> Iterator[str]:
    yield from judge.contiguity()
    yield from judge.reading_of_refusals()


@contextmanager
def _district(dialect: str) -> Iterator[District]:
    with tempfile.TemporaryDirectory() as folder, _settings(dialect, folder) as chosen:
        migrate(chosen)
        with open_district(chosen) as found:
            yield found.with_new_log("fuzz")


@contextmanager
def _settings(dialect: str, folder: str) -> Iterator[Settings]:
    if dialect == "sqlite":
        yield Settings(data_dir=folder)
        return
    server = postgresql_server()
    with new_database(server, "fuzz") as url:
        yield Settings(data_dir=folder, database_url=url)
    server.dispose()
