"""The pages of evidence: the quarantine chosen and turned, a learner's evidence, the registry, linked accounts."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from click.testing import CliRunner

import wsgi
from projections import acts
from projections.evidence.producers import SHIPPED
from tests.district import District
from tests.projections.scenes import (
    ORIGIN,
    REGISTRAR,
    TOOL,
    Json,
    act,
    address_of,
    did,
    first_acts,
    folded,
    learner,
    told,
    views,
    waiting,
)
from tests.web.browser import Browser, faults, signed_in

HOSTILE = "<script>alert(1)</script>"
SETS = [did("ada", f"unknown/{number}", 0.9, number / 10) for number in range(30)]


def registered(**more: Any) -> Json:
    """Return the registration of the exam."""
    document = {"id": f"{TOOL}/exam", "version": 1, "title": HOSTILE, "kind": "local_summative", **more}
    return act(acts.publish("assessment", document, REGISTRAR), -5, "exam registered")


def linked(who: str, name: str) -> Json:
    """Return a link of ben's account to a learner."""
    document = {
        "id": f"{ORIGIN}/identities/{name}", "learner": learner(who), "accounts": [learner("ben")], "reason": HOSTILE,
    }  # fmt: skip
    return act(acts.link(document, REGISTRAR), -4, name)


@pytest.fixture(scope="module")
def term(shared_district: District) -> District:
    """A log with evidence of every colour."""
    valid = {"by": "The board", "on": "2026-08-01", "report": f"{ORIGIN}/reports/7"}
    work = [did("ada", "essay", 0.9, 1), did("ben", "exam", 0.4, 2), did("ada", "quiz", 1, 3, revision=2)]
    excusal = act(acts.excuse(work[0]["id"], HOSTILE, REGISTRAR), 9, "excused")
    one = registered(validated=valid, max_attempts=1, contexts=["hall"], course={"code": "M1", "title": "Math"})
    return folded(
        shared_district, [*first_acts(), one, linked("ada", "a"), linked("cleo", "b"), *work, *SETS, excusal], 100
    )


@pytest.fixture(scope="module")
def reader(term: District) -> Browser:
    """A browser signed in as an auditor."""
    return signed_in(term.client("all/read"))


def flat(page: str) -> str:
    """Return the words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_page_is_well_formed_and_escapes_what_others_wrote(reader: Browser) -> None:
    paths = ["/quarantine", "/quarantine?reason=unaligned", "/assessments", "/identities"]
    paths.append(f"/learners/{address_of('ada')}/evidence")
    pages = [reader.page(path) for path in paths]
    assert [faults(page) for page in pages] == [[]] * len(pages)
    assert not [page for page in pages if HOSTILE in page]


def test_the_quarantine_is_turned_page_by_page(reader: Browser) -> None:
    first = reader.page("/quarantine")
    older = re.search(r'rel="next" href="([^"]*before=[^"]*)"', first)
    assert older is not None
    assert flat(first).count("#") > flat(reader.page(older[1].replace("&amp;", "&"))).count("#") > 1
    assert "None" not in older[1]


def test_the_quarantine_can_be_asked_for_one_reason_or_credential(term: District, reader: Browser) -> None:
    page = reader.page("/quarantine?reason=completion")
    assert "Only some are shown" in page
    assert f"{TOOL}/unknown/29" not in flat(page).split("The newest")[1]
    credential = re.search(r'href="(/quarantine\?credential=[^"]*)"', page)
    assert credential is not None
    assert f"{TOOL}/unknown/29" in reader.page(credential[1])


def test_a_place_that_is_no_position_is_refused(reader: Browser) -> None:
    assert reader.get("/quarantine?before=x").status_code == 400
    assert reader.get(f"/learners/{address_of('ada')}/evidence?page=0").status_code == 400


def test_a_learners_evidence_says_what_made_it_so(reader: Browser) -> None:
    words = flat(reader.page(f"/learners/{address_of('ada')}/evidence"))
    for told_ in (
        "alignment table; generic",
        "revision 2.",
        "validated assessment.",
        "through a linked account.",
        "context: hall.",
    ):
        assert told_ in words
    assert "excused: &lt;script&gt;" in words


def test_the_registry_says_who_validated_what(reader: Browser) -> None:
    words = flat(reader.page("/assessments"))
    assert "Validated by The board on 2026-08-01" in words
    assert "At most 1 attempt counts" in words
    assert "M1 Math" in words


def test_a_link_without_effect_says_so(reader: Browser) -> None:
    words = flat(reader.page("/identities"))
    assert words.count("Without effect.") == 1
    assert f"{ORIGIN}/identities/a" in words


def run(district: District, *words: str) -> Any:
    """Return what a command comes to."""
    return CliRunner().invoke(wsgi.cairn, words, obj=district.desk)


def test_the_command_excuses_a_statement_of_the_log(shared_district: District, monkeypatch: pytest.MonkeyPatch) -> None:
    essay = did("ada", "essay", 0.9, 1)
    district = folded(shared_district, [*first_acts(), essay])
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: district.desk)
    slug = district.log.slug
    assert run(district, "excuse", slug, SETS[0]["id"], "--reason", "Ill").exit_code == 1
    assert run(district, "excuse", slug, "x", "--reason", "Ill").exit_code == 1
    assert run(district, "excuse", slug, essay["id"].upper(), "--reason", "Ill").exit_code == 0
    district.fold()
    path = f"/api/v1/learners/{address_of('ada')}/evidence"
    assert [one["excused"] for one in district.client("all/read").get(path).get_json()["evidence"]] == [True]


def test_the_command_publishes_the_shipped_normalisers_once_and_they_take_up_what_waits(
    shared_district: District, monkeypatch: pytest.MonkeyPatch
) -> None:
    negative = did("ada", "essay", 0, 1, result={"score": {"scaled": -0.5}}, context={"platform": "Moodle"})
    district = folded(shared_district, [*first_acts(), negative])
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: district.desk)
    assert [reason for reason, _ in waiting(district)] == ["unknown_producer"]
    assert len(run(district, "normalisers", district.log.slug).output.splitlines()) == len(SHIPPED)
    told(district)
    assert waiting(district) == []
    assert run(district, "normalisers", district.log.slug).output == "nothing is missing\n"


def test_the_command_tells_the_quarantine_as_the_resource_does(term: District, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: term.desk)
    auditor = term.client("all/read")
    told_ = run(term, "quarantine", term.log.slug, "--reason", "unaligned", "--json").output
    answer = auditor.get("/api/v1/quarantine", {"reason": "unaligned", "limit": 200})
    assert json.loads(told_) == answer.get_json()
    lines = run(term, "quarantine", term.log.slug).output.splitlines()
    assert lines[0].split() == ["30", "unaligned"]
    assert len(lines) == 1 + 1 + len(SETS)


def test_a_new_log_begins_with_the_shipped_normalisers(district: District) -> None:
    told(district)
    for view in views(district):
        known = [one.document.id for one in view.acts().published("normaliser")]
    assert sorted(known) == sorted(one["id"] for one in SHIPPED)
