"""The pages of analysts, for who may see learners and for who may not."""

from __future__ import annotations

import pytest

from tests.district import District
from tests.projections.scenes import ALGEBRA, address_of, aligned, first_acts, folded
from tests.projections.test_insight_studies import SCHOOLS, ask, grown, pupils
from tests.web.browser import signed_in

PAGES = ("/cohorts", "/studies", "/studies/one task")


@pytest.fixture(scope="module")
def county(shared_district: District) -> District:
    one = folded(shared_district, [*first_acts(), aligned("poster", ALGEBRA), *grown(SCHOOLS)], batch=500)
    ask(one.client("all/read"), "one task")
    return one


def test_who_may_see_learners_finds_them_on_the_page_of_a_study(county: District) -> None:
    browser = signed_in(county.client("all/read"))
    assert address_of("north0") in browser.page("/studies/one task")


def test_who_may_not_see_learners_finds_none_on_any_page(county: District) -> None:
    browser = signed_in(county.client("aggregates/read"))
    for page in PAGES:
        text = browser.page(page)
        assert not any(address_of(who) in text for who in pupils("North", 40))
    assert "withheld" in browser.page("/cohorts")


def test_who_may_not_see_learners_is_sent_to_the_cohorts_and_to_no_learner(county: District) -> None:
    browser = signed_in(county.client("aggregates/read"))
    assert browser.get("/").status_code == 403
    assert browser.get("/cohorts?school=North").status_code == 403
    assert 'href="/quarantine"' not in browser.page("/cohorts")
