"""A few inputs of every family, the same ones each time; `python -m tests.fuzz` sends very many."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lrs.resources import refusals
from tests.district import District
from tests.fuzz.asked import Asked, Judge
from tests.fuzz.strategies import FAMILIES, variants

FOUND = sorted((Path(__file__).parent / "found").glob("*.json"))


@pytest.mark.parametrize("family", FAMILIES)
def test_no_input_is_answered_with_a_5xx_or_half_stored(
    district: District, family: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge.of(district)
    monkeypatch.setattr(refusals, "MOST_LISTED_A_MINUTE", sys.maxsize)

    @settings(max_examples=30, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=st.deferred(lambda: FAMILIES[family]))
    def sent(asked: Asked) -> None:
        for one in variants(asked):
            assert (one, judge.outcome(one)[1]) == (one, [])

    sent()
    assert judge.contiguity() == []
    assert judge.reading_of_refusals() == []


@pytest.mark.parametrize("path", FOUND, ids=lambda one: one.stem)
def test_what_once_failed_does_so_no_more(district: District, path: Path) -> None:
    judge = Judge.of(district)
    assert judge.outcome(Asked.of_text(path.read_text()))[1] == []
    assert judge.reading_of_refusals() == []


@pytest.mark.parametrize("family", FAMILIES)
def test_a_request_that_is_kept_is_the_same_when_it_is_sent_again(family: str) -> None:
    @settings(max_examples=10, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck))
    @given(asked=FAMILIES[family])
    def kept(asked: Asked) -> None:
        again = Asked.of_text(asked.text())
        assert (again, again.sent) == (asked, asked.sent)

    kept()
