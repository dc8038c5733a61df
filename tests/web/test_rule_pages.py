"""The pages of rules and policies, and the rule wherever a learner is judged by it."""

from __future__ import annotations

import re

import pytest

from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from projections.progress_pages import notes
from projections.rulebook import document_key
from projections.wording import OBJECTION_WORDS
from tests.web.browser import browser, faults
from tests.web.school import POLICY, School

RULE = f"/rules/{document_key('rule', DEFAULT_RULE_DOCUMENT['id'])}"
CREDIT = f"/policies/{document_key('policy', POLICY['id'])}"


OVERRIDE = {
    "status": "proficient", "level": "Secure", "by": {"name": "Ada"}, "approved_by": None, "expires": None,
    "objection": "",
}  # fmt: skip


def flat(page: str) -> str:
    """Return the words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.mark.parametrize("path", ["/rules", RULE, CREDIT, "/rules?as_of=3"])
def test_every_page_is_well_formed_and_labelled(school: School, path: str) -> None:
    assert faults(school.reader.page(path)) == []


@pytest.mark.parametrize("path", ["/rules", RULE, CREDIT])
def test_a_stranger_is_sent_to_sign_in(school: School, path: str) -> None:
    assert browser(school.district.app).get(path).status_code == 303


def test_the_rules_are_told_in_plain_words_with_approver_and_competencies(school: School) -> None:
    words = flat(school.reader.page(RULE))
    assert "The learner shows it in at least 2 different tasks" in words
    assert "Approved by" in words
    assert all(name in words for name in ("Counting", "Adding", "Taking away"))


def test_a_policy_names_competencies_and_no_addresses(school: School) -> None:
    words = flat(school.reader.page(CREDIT))
    assert "N.1 Counting is at Secure or above" in words
    assert "At least one of these" in words


def test_the_rule_stands_beside_the_map_and_the_decision_and_leads_to_its_page(school: School) -> None:
    for path in (school.address("one"), school.decision("one")):
        page = school.reader.page(path)
        assert "different tasks" in flat(page)
        assert f'href="{RULE}"' in page
    assert f'href="{CREDIT}"' in school.reader.page(school.credit("one"))


def test_an_address_that_names_no_rule_is_not_there(school: School) -> None:
    for path in (f"/rules/{'0' * 16}", f"/policies/{'0' * 16}"):
        assert school.reader.get(path).status_code == 404


def test_a_decision_says_that_it_was_not_published(school: School) -> None:
    assert "Published as not published" in flat(school.reader.page(school.decision("one")))


def test_a_learner_who_has_shown_little_is_told_nothing_negative(school: School) -> None:
    words = flat(school.reader.page(school.address("two"))).lower()
    assert not {"failed", "failure", "deficient", "below basic"} & set(words.split())


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({}, []),
        (
            {"override": OVERRIDE, "overridden": True},
            [f"Overridden by a person: Secure, set by Ada. {OBJECTION_WORDS['']} By the evidence: not yet."],
        ),
        ({"lapsed": True}, ["Time has changed this since it was decided: proficient, Secure then."]),
        (
            {"status": "proficient", "lapses": "2027-01-02T00:00:00Z"},
            ["Without new evidence it holds until 2027-01-02."],
        ),
    ],
)
def test_what_a_person_or_time_did_to_a_standing_is_said(changed: dict[str, object], words: list[str]) -> None:
    standing = {
        "status": "not_yet", "override": None, "overridden": False, "lapsed": False, "lapses": None,
        "computed": {"status": "not_yet", "level": None},
        "decided": {"status": "proficient", "level": "Secure"},
    }  # fmt: skip
    assert notes({**standing, **changed}) == words
