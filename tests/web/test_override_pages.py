"""What a person decided beside the rule is marked wherever it is shown, with what the evidence alone would say."""

from __future__ import annotations

import pytest

from projections.mastery.timeline import CAUSES
from projections.wording import CAUSE_WORDS
from tests.district import District
from tests.projections.overriding import NUMBERS, cleared, overridden, parts, rolled_up
from tests.projections.scenes import (
    ALGEBRA,
    address_of,
    decided,
    did,
    first_acts,
    fixed_id,
    folded,
    rule,
    scale,
    shown,
    standings,
)
from tests.web.browser import Browser, faults, signed_in
from tests.web.test_rule_pages import flat

INTERVIEW = {**did("ada", "interview", 0.1, 1), "id": fixed_id("interview")}


@pytest.fixture(scope="module")
def term(shared_district: District) -> District:
    """A log where ada was set to be proficient, and ben was until that was cleared."""
    work = [did("ada", "essay", 0.4, 2), did("ben", "essay", 0.4, 2), INTERVIEW]
    acts = [overridden("ada", 4), overridden("ben", 4), cleared("ben", 5)]
    return folded(shared_district, [*first_acts(), *work, *acts])


@pytest.fixture(scope="module")
def reader(term: District) -> Browser:
    """An auditor with a browser."""
    return signed_in(term.client("all/read"))


def decision_page(term: District, reader: Browser, who: str, competency: str = "algebra") -> str:
    """Return the page of the decision in force."""
    return reader.page(f"/decisions/{standings(term, who)[competency]['decision']}")


def test_the_map_and_the_decision_mark_what_a_person_set(term: District, reader: Browser) -> None:
    page = reader.page(f"/learners/{address_of('ada')}")
    assert faults(page) == []
    assert "Overridden by a person: Proficient, set by Teacher." in flat(page)
    page = decision_page(term, reader, "ada")
    assert faults(page) == []
    words = flat(page)
    assert "Overridden by a person." in words
    assert "The reason: Shown in an interview." in words
    assert "Computed from the evidence: " in words


def test_what_was_cleared_is_marked_no_more(term: District, reader: Browser) -> None:
    for page in (reader.page(f"/learners/{address_of('ben')}"), decision_page(term, reader, "ben")):
        assert "Overridden by a person" not in page


def test_the_decision_before_stays_as_it_was(term: District, reader: Browser) -> None:
    first = decided(term, "ada", "algebra")[0]["decision_id"]
    assert "Overridden by a person" not in reader.page(f"/decisions/{first}")


def test_a_whole_shows_its_parts(shared_district: District) -> None:
    rules = [rule(1, method={"name": "highest"}), rolled_up(ALGEBRA, {"name": "all_children"})]
    work = shown("ada", NUMBERS, "sums", 0.9, 1)
    district = folded(shared_district, [scale(), *rules, parts(), work])
    reader = signed_in(district.client("all/read"))
    page = decision_page(district, reader, "ada")
    assert faults(page) == []
    assert "The parts that it is made of" in page


def test_every_cause_has_words() -> None:
    assert set(CAUSES) <= set(CAUSE_WORDS)
