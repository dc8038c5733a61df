from __future__ import annotations

import pytest

from lrs.web.wording import did, result_words, what, when, who


@pytest.mark.parametrize(
    ("moment", "shown"),
    [
        ("2026-09-18T15:34:46.000000Z", "18 Sep 2026, 15:34 UTC"),
        ("2026-09-18T15:34:46+00:00", "18 Sep 2026, 15:34 UTC"),
        ("2026-09-18T15:34:46-05:00", "18 Sep 2026, 15:34 -0500"),
    ],
)
def test_a_moment_is_readable_and_keeps_its_exact_value(moment: str, shown: str) -> None:
    assert str(when(moment)) == f'<time datetime="{moment}">{shown}</time>'


def test_a_moment_that_cannot_be_read_is_escaped() -> None:
    assert str(when("<b>")) == "<span>&lt;b&gt;</span>"


def test_no_moment_is_unknown() -> None:
    assert str(when(None)) == "unknown"


@pytest.mark.parametrize(
    ("agent", "shown"),
    [
        ({"mbox": "mailto:a@example.org"}, ("a@example.org", "")),
        ({"name": "A", "mbox": "mailto:a@example.org"}, ("A", "a@example.org")),
        ({"account": {"homePage": "https://sis.example", "name": "S-1"}}, ("S-1", "S-1 at https://sis.example")),
        ({"objectType": "Group", "member": [{}, {}]}, ("A group", "2 members")),
    ],
)
def test_everybody_has_a_name(agent: dict[str, object], shown: tuple[str, str]) -> None:
    assert who(agent) == shown


def test_a_verb_without_words_is_named_by_its_iri() -> None:
    assert did({"verb": {"id": "https://verbs.example/did"}}) == ("did", "https://verbs.example/did")


@pytest.mark.parametrize(
    ("about", "words"),
    [
        ({"id": "https://a.example", "definition": {"name": {"de": "Aufgabe"}}}, "Aufgabe"),
        ({"id": "https://a.example"}, "https://a.example"),
        ({"objectType": "StatementRef", "id": "x"}, "another statement"),
        ({"objectType": "Agent", "name": "A", "mbox": "mailto:a@example.org"}, "A"),
        (
            {
                "objectType": "SubStatement",
                "actor": {"name": "A", "mbox": "mailto:a@example.org"},
                "verb": {"id": "https://verbs.example/did"},
                "object": {"id": "https://a.example"},
            },
            "that A did https://a.example",
        ),
    ],
)
def test_everything_that_a_statement_is_about_has_words(about: dict[str, object], words: str) -> None:
    assert what(about)[0] == words


def test_a_result_is_told_in_full() -> None:
    result = {"score": {"raw": 7, "min": 1, "max": 10, "scaled": 0.5}, "success": False, "completion": True}
    assert dict(result_words(result)) == {
        "Points": "7 of 10, lowest 1", "Scaled score": "0.5", "Passed": "no", "Completed": "yes",
    }  # fmt: skip
