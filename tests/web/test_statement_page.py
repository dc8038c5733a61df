"""One statement as people read it."""

from __future__ import annotations

import pytest

from lrs.store.log import erase_body
from tests.district import statement
from tests.web.browser import browser, faults, signed_in
from tests.web.school import HOSTILE, School, scored


@pytest.fixture
def mark() -> dict[str, object]:
    """A statement with hostile words wherever words may stand."""
    hostile = {"en": HOSTILE}
    return scored(
        "five",
        "count-1",
        9,
        HOSTILE,
        verb={"id": "https://verbs.example/did", "display": hostile},
        object={"id": "https://tool.example/x", "definition": {"name": hostile}},
        result={"response": HOSTILE, "score": {"scaled": 0.50}},
        context={"platform": HOSTILE},
    )


def test_a_statement_is_told_in_words_with_what_the_log_knows(own_school: School) -> None:
    sent = scored("one", "add-1", 7)
    own_school.send(sent)
    page = own_school.reader.page(f"/statements/{sent['id']}")
    assert faults(page) == []
    for words in ("Learner one", "scored", "The work add-1", "7 of 10", "1 Sep 2026, 10:00 UTC", "In force"):
        assert words in page
    assert own_school.district.someone.key in page
    assert f"position {own_school.district.size():,}" in page


def test_the_commitment_is_shown_and_holds(own_school: School) -> None:
    sent = scored("one", "add-1", 7)
    own_school.send(sent)
    assert "Verified:" in own_school.reader.page(f"/statements/{sent['id']}")


def test_the_text_keeps_its_digits(own_school: School) -> None:
    own_school.district.someone.post(
        b'{"id":"0a0a0a0a-0000-4000-8000-000000000001","actor":{"mbox":"mailto:a@example.org"},'
        b'"verb":{"id":"https://verbs.example/did"},"object":{"id":"https://tool.example/x"},'
        b'"result":{"score":{"scaled":0.50}}}'
    )
    assert ": 0.50" in own_school.reader.page("/statements/0a0a0a0a-0000-4000-8000-000000000001")


def test_hostile_words_stay_words(own_school: School, mark: dict[str, object]) -> None:
    own_school.send(mark)
    page = own_school.reader.page(f"/statements/{mark['id']}")
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert faults(page) == []


def test_a_voided_statement_says_by_which(own_school: School) -> None:
    sent = scored("one", "add-1", 7)
    void = statement("one", "voided", object={"objectType": "StatementRef", "id": sent["id"]})
    own_school.send(sent)
    own_school.send(void)
    page = own_school.reader.page(f"/statements/{sent['id']}")
    assert "Voided." in page
    assert f'href="/statements/{void["id"]}"' in page
    assert f'href="/statements/{sent["id"]}"' in own_school.reader.page(f"/statements/{void['id']}")


def test_an_erased_statement_still_shows_its_place(own_school: School) -> None:
    sent = scored("one", "add-1", 7)
    own_school.send(sent)
    decision = own_school.decision("one", 1)
    with own_school.district.engine.begin() as connection:
        erase_body(connection, own_school.district.log.log_id, own_school.district.size())
    page = own_school.reader.page(f"/statements/{sent['id']}")
    assert "erased" in page
    assert "The work add-1" not in page
    assert faults(page) == []
    assert "whose text was erased" in own_school.reader.page(decision)


def test_a_statement_of_another_district_is_not_there(own_school: School, school: School) -> None:
    sent = scored("one", "add-1", 7)
    own_school.send(sent)
    assert school.reader.get(f"/statements/{sent['id']}").status_code == 404


@pytest.mark.parametrize("name", ["00000000-0000-4000-8000-000000000001", "no-id", "%00"])
def test_an_unknown_statement_is_not_there(school: School, name: str) -> None:
    assert school.reader.get(f"/statements/{name}").status_code == 404


def test_a_stranger_sees_no_statement(own_school: School) -> None:
    sent = scored("one", "add-1", 7)
    own_school.send(sent)
    assert browser(own_school.district.app).get(f"/statements/{sent['id']}").status_code == 303
    assert signed_in(own_school.district.client("statements/read")).get(f"/statements/{sent['id']}").status_code == 200
