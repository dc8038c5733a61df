"""What the worker does beside folding: each piece of work once at a time, none holds up another, none stops it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from lrs.exchange.commands.desk import carrier_of, puller_of
from lrs.exchange.jobs import Crew, jobs
from lrs.exchange.sealing import Seal
from lrs.store.engine import open_engine
from tests.district import District, ids
from tests.lrs.exchange.receiver import posted, ran, receiving


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most ten seconds."""
    until = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < until, "it did not come to be so"
        time.sleep(0.01)


def test_work_that_somebody_is_at_is_not_begun_again() -> None:
    crew, begun, go = Crew("test"), list[int](), threading.Event()

    def work() -> None:
        begun.append(1)
        go.wait(10)

    crew.begin(1, work)
    wait_until(lambda: len(begun) == 1)
    crew.begin(1, work)
    crew.begin(2, work)
    wait_until(lambda: len(begun) == 2)
    go.set()
    wait_until(partial(_has_begun_again, crew, work, begun, 2))


def test_work_that_fails_may_be_begun_again() -> None:
    crew, begun = Crew("test"), list[int]()

    def work() -> None:
        begun.append(1)
        raise ValueError("no")

    wait_until(partial(_has_begun_again, crew, work, begun, 1))


def _has_begun_again(crew: Crew, work: Callable[[], None], begun: list[int], count: int) -> bool:
    """Begin it, and tell whether it was begun more often than that."""
    crew.begin(1, work)
    return len(begun) > count


def test_the_jobs_send_what_is_new_and_leave_what_is_paused(district: District) -> None:
    with receiving() as receiver:
        for name in ("one", "two"):
            ran(district, "webhooks", "create", district.log.slug, "--url", receiver.url, "--name", name)
        ran(district, "webhooks", "pause", district.log.slug, "two")
        sent = ids(posted(district, 3))
        (forward, _), (pull, _) = jobs(carrier_of(district.desk), puller_of(district.desk), lambda: False)
        forward()
        pull()
        wait_until(lambda: len(receiver.taken) == 3)
        assert receiver.taken == sent


def test_a_database_that_is_away_ends_no_job(district: District) -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:9/none")
    carrier, puller = (replace(one(district.desk), engine=engine) for one in (carrier_of, puller_of))
    for job, _ in jobs(carrier, puller, partial(bool, 0)):  # type: ignore[arg-type]
        job()


def test_a_secret_is_never_sealed_twice_alike_and_opens_under_its_own_key_alone() -> None:
    seal = Seal("key")
    assert seal.seal("s") != seal.seal("s")
    assert seal.open(seal.seal("s")) == "s"
    with pytest.raises(Exception, match="CAIRN_SECRET_KEY"):
        Seal("other").open(seal.seal("s"))
