"""kill -9 of the real worker in the middle of its deliveries: whatever the log has arrives, in the log's order."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path

import pytest

from lrs.settings import Settings
from lrs.store.exchange import forward_named
from tests.district import District, ids, open_district, statement
from tests.lrs.exchange.receiver import CUT, Receiver, ran, receiving

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
KILLS = 10
BATCH = 7
WAIT_SECONDS = 60.0


@contextmanager
def working(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    """Start `cairn work`; whatever is left of it at the end is killed."""
    environment = {f"CAIRN_{one.name.upper()}": str(getattr(settings, one.name)) for one in fields(settings)}
    process = subprocess.Popen(
        [sys.executable, "-m", "wsgi", "work"], cwd=ROOT, env={**os.environ, **environment}, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, at most a minute."""
    until = time.monotonic() + WAIT_SECONDS
    while not is_so():
        assert time.monotonic() < until, "it did not come to be so"
        time.sleep(0.005)


def position(district: District) -> int:
    """Return how far the forward has come."""
    with district.engine.connect() as connection:
        return forward_named(connection, district.log.log_id, "lrs", "there").position


def heard_more_than(receiver: Receiver, count: int) -> bool:
    """Whether more requests than that have come."""
    return len(receiver.heard) > count


def test_what_a_killed_worker_has_not_noted_is_sent_again_and_nothing_is_lost(own_settings: Settings) -> None:
    chance = random.Random(5)
    settings = replace(own_settings, forward_batch=BATCH)
    with open_district(settings) as empty, receiving() as receiver:
        district = empty.with_new_log("crashing")
        passed = "http://adlnet.gov/expapi/verbs/passed"
        options = "--key", "k", "--secret", "s", "--name", "there", "--verb", passed
        ran(district, "forwards", "create", "crashing", "--url", receiver.url, *options)

        def slowly(_statements: object) -> int:
            time.sleep(chance.uniform(0, 0.03))
            return 200 if chance.random() > 0.1 else CUT

        receiver.judge = slowly
        sent = []
        for _ in range(KILLS):
            more = [statement(verb=chance.choice(["passed", "passed", "failed"])) for _ in range(60)]
            assert district.someone.post(more).status_code == 200
            sent += [one["id"] for one in more if one["verb"]["id"] == passed]
            with working(settings) as worker:
                count = len(receiver.heard)
                wait_until(lambda count=count: heard_more_than(receiver, count))  # type: ignore[misc]
                time.sleep(chance.uniform(0, 0.15))
                assert worker.poll() is None
        receiver.judge = lambda _: 200
        assert position(district) < district.size()
        with working(settings):
            wait_until(lambda: position(district) == district.size())
        assert set(receiver.taken) == set(sent)
        assert list(dict.fromkeys(receiver.taken)) == sent
        cut = sum(one.status == CUT for one in receiver.heard)
        assert len(receiver.taken) - len(sent) <= (KILLS + cut) * BATCH


def test_two_workers_send_nothing_twice(own_settings: Settings) -> None:
    settings = replace(own_settings, forward_batch=BATCH)
    with open_district(settings) as empty, receiving() as receiver:
        district = empty.with_new_log("shared")
        options = "--key", "k", "--secret", "s", "--name", "there"
        ran(district, "forwards", "create", "shared", "--url", receiver.url, *options)
        sent = []
        with working(settings), working(settings):
            for _ in range(20):
                more = [statement() for _ in range(10)]
                assert district.someone.post(more).status_code == 200
                sent += ids(more)
                time.sleep(0.05)
            wait_until(lambda: position(district) == district.size())
        assert receiver.taken == sent
