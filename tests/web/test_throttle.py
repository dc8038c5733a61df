from __future__ import annotations

from lrs.web.throttle import MOST_ADDRESSES, MOST_FAILURES, WINDOW_SECONDS, Throttle


def failed(times: int, now: float = 0.0) -> Throttle:
    throttle = Throttle()
    for _ in range(times):
        throttle.note_failure("here", now)
    return throttle


def test_an_address_may_fail_some_times() -> None:
    assert failed(MOST_FAILURES - 1).wait_seconds("here", 1.0) == 0


def test_one_failure_more_and_it_has_to_wait() -> None:
    assert failed(MOST_FAILURES).wait_seconds("here", 1.0) == WINDOW_SECONDS


def test_other_addresses_do_not_wait() -> None:
    assert failed(MOST_FAILURES).wait_seconds("there", 1.0) == 0


def test_the_wait_ends_with_the_window() -> None:
    assert failed(MOST_FAILURES).wait_seconds("here", WINDOW_SECONDS) == 0


def test_whoever_signs_in_begins_anew() -> None:
    throttle = failed(MOST_FAILURES)
    throttle.forget("here")
    assert throttle.wait_seconds("here", 1.0) == 0


def test_many_addresses_do_not_fill_the_memory() -> None:
    throttle = failed(MOST_FAILURES, now=2.0)
    for number in range(MOST_ADDRESSES):
        throttle.note_failure(f"address {number}", 1.0)
    assert len(throttle.failures) <= MOST_ADDRESSES
    assert throttle.wait_seconds("here", 2.0) > 0
