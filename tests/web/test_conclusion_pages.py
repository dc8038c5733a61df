"""The pages of the conclusions: the district, a learner, decisions, the quarantine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine, event, update

from projections.credit.pages import tree
from projections.credit.tables import credit_decision
from projections.mastery.tables import decision
from projections.wording import Mark, mark, named
from tests.district import District, statement
from tests.web.browser import browser, faults, signed_in
from tests.web.school import HOSTILE, School, actor, school_in, scored

LEVELS = ("Beginning", "Developing", "Secure")
ESCAPED = "&lt;script&gt;"


def paths(school: School) -> dict[str, str]:
    """Return the address of one page of each view."""
    return {
        "overview": "/",
        "search": "/?q=one",
        "learner": school.address("one"),
        "hostile learner": school.address("three"),
        "decision": school.decision("one"),
        "open decision": school.decision("two"),
        "credit decision": school.credit("one"),
        "quarantine": "/quarantine",
    }


@contextmanager
def counted(*engines: Engine) -> Iterator[list[str]]:
    """Collect the statements that are executed on some engines."""
    found: list[str] = []

    def note(_c: object, _cursor: object, sql: str, *_: object) -> None:
        found.append(sql)

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield found
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def flat(page: str) -> str:
    """Return the words of a page without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_page_is_well_formed_and_labelled(school: School) -> None:
    assert {name: faults(school.reader.page(path)) for name, path in paths(school).items()} == {
        name: [] for name in paths(school)
    }


def test_a_stranger_is_sent_to_sign_in_from_every_page(school: School) -> None:
    stranger = browser(school.district.app)
    for path in paths(school).values():
        assert stranger.get(path).location.startswith("/sign-in")


def test_a_credential_without_the_scope_is_refused_on_every_page(school: School) -> None:
    reader, tool = browser(school.district.app), school.district.client("statements/write", "statements/read/mine")
    with reader.client.session_transaction() as session:
        session["credential"] = tool.key
    assert {reader.get(path).status_code for path in paths(school).values()} == {403}


def test_what_belongs_to_another_district_is_not_there(school: School, district: District) -> None:
    district.fold()
    stranger = signed_in(district.client("all/read"))
    for name in ("learner", "decision", "credit decision"):
        assert stranger.get(paths(school)[name]).status_code == 404
    assert "Learner one" not in stranger.page("/")


@pytest.mark.parametrize("path", ["/learners/x", "/learners/0000000000000000", "/decisions/x", "/decisions/m.0.0.1"])
def test_an_address_that_names_nothing_is_not_there(school: School, path: str) -> None:
    answer = school.reader.get(path)
    assert answer.status_code == 404
    assert faults(answer.text) == []


def test_the_overview_lists_learners_with_a_strip_in_words(school: School) -> None:
    page = school.reader.page("/")
    assert "District " in page
    assert 'aria-label="N.1 Counting: Secure"' in page
    assert 'aria-label="N.1 Counting: Not enough evidence yet"' in page
    assert 'aria-label="N.3 Taking away: No evidence"' in page
    assert "Eligible: Numbers 1" in page
    assert "3 learners with evidence" in flat(page)


def test_the_quarantine_stands_out_on_the_overview(school: School) -> None:
    assert "2 statements in quarantine" in flat(school.reader.page("/"))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("ONE", {"one"}),
        ("learner t", {"two"}),
        ("three", {"three"}),
        ("school.example", set()),
        ("%", set()),
        ("_", set()),
    ],
)
def test_a_search_finds_names_and_accounts(school: School, wanted: str, found: set[str]) -> None:
    page = school.reader.client.get("/", query_string={"q": wanted}).text
    assert {name for name in ("one", "two", "three") if school.address(name) in page} == found


def test_pages_of_learners_lead_on_and_back(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("projections.pages", "projections.evidence.pages"):
        monkeypatch.setattr(f"{module}.PAGE", 2)
    first, second = school.reader.page("/?q=e"), school.reader.page("/?q=e&page=2")
    assert 'rel="next" href="/?q=e&amp;page=2"' in first
    assert 'rel="prev" href="/?q=e&amp;page=1"' in second
    assert sum(school.address(name) in first for name in ("one", "two", "three")) == 2
    assert sum(school.address(name) in second for name in ("one", "two", "three")) == 1


@pytest.mark.parametrize("page", ["0", "x", "-1", "99999999999999999999"])
def test_a_page_that_is_no_number_is_refused(school: School, page: str) -> None:
    assert school.reader.get(f"/?page={page}").status_code == 400


def test_more_learners_take_no_more_queries(school: School) -> None:
    app = school.district.app
    with counted(app.extensions["lrs"].engine, app.extensions["projections"]) as for_one:
        school.reader.page("/?q=one")
    with counted(app.extensions["lrs"].engine, app.extensions["projections"]) as for_all:
        school.reader.page("/")
    assert len(for_one) == len(for_all)


def test_the_map_shows_every_competency_with_its_level_and_what_comes_next(school: School) -> None:
    page = school.reader.page(school.address("one"))
    words = flat(page)
    assert "1 of 3 secure" in words
    assert 'aria-label="Level in Counting: Secure"' in page
    assert "Proficient · Secure" in words
    following, missing, mastered = (words.index(f"What {part}") for part in ("comes next", "is missing", "is mastered"))
    assert "N.2 Adding : Show it 2 more times" in words[following:missing]
    assert [words[missing:mastered].count(name) for name in ("N.1 Counting", "N.2 Next in line Adding")] == [0, 1]
    assert "N.1 Counting" in words[mastered:]
    assert words.count("Next in line") == 1
    assert "How this is judged" in words
    assert "Builds on N.1 , Secure" in words
    assert "Show it 2 more times" in words
    assert school.decision("one") in page


def test_credit_is_shown_with_names_and_what_is_there(school: School) -> None:
    words = flat(school.reader.page(school.address("two")))
    assert "N.1 Counting is at Secure or above" in words
    assert "has Not enough evidence yet , needs Secure" in words
    assert "At least one of these not yet" in words
    assert "https://school.example.org" not in words


def test_hostile_names_stay_words(school: School) -> None:
    for path in ("/", school.address("three"), school.decision("three"), school.credit("three")):
        page = school.reader.page(path)
        assert HOSTILE not in page
        assert ESCAPED in page


def test_a_decision_shows_everything_that_proves_it(school: School) -> None:
    page = school.reader.page(school.decision("one"))
    words = flat(page)
    assert "Secure Proficient" in words
    assert "Learner one has shown “Counting” as fully as the rule asks." in words
    assert "Verified. This page was derived again" in words
    assert "Two independent tasks , version 1" in words
    assert "The work count-1" in words
    assert "Performance task" in words
    assert "9/10 of 4 = 3.6" in words
    assert "This kind of evidence guides learning. The rule does not count it." in words
    assert "Evidence came in: The work count-2" in words
    assert 'datetime="2026-09-01T10:00:00.000000Z">1 Sep 2026, 10:00 UTC' in page
    assert re.search(r'href="/statements/[0-9a-f-]{36}"', page)
    assert school.district.someone.key in page
    assert re.search(r"<code class=\"digest\">[0-9a-f]{64}</code>", page)


def test_too_little_evidence_is_no_failing_mark(school: School) -> None:
    words = flat(school.reader.page(school.decision("two")))
    assert "Not enough evidence yet" in words
    assert "This is no failing mark." in words
    assert "Show it once more" in words


def test_a_void_supersedes_and_both_decisions_stay_readable(own_school: School) -> None:
    before = own_school.decision("one")
    sent = own_school.district.someone.found(activity="https://school.example.org/count-2", agent=actor("one"))[0]
    own_school.send(statement("one", "voided", object={"objectType": "StatementRef", "id": sent["id"]}))
    after = own_school.decision("one")
    assert "because a statement was voided" in flat(own_school.reader.page(after))
    assert before in own_school.reader.page(after)
    assert f'href="{after}">See the decision that replaced it' in own_school.reader.page(before)


def test_a_credit_decision_shows_have_and_need_and_is_verified(school: School) -> None:
    words = flat(school.reader.page(school.credit("one")))
    assert "Eligible 2 of 3 requirements met" in words
    assert "Verified. This page was derived again" in words
    assert "has 2 , needs 2" in words
    assert "It gives 1 unit of credit for Numbers 1 (NUM-1), however long it took, when:" in words
    assert "Published: policy Numbers by demonstrated mastery, version 1" in words


@pytest.mark.parametrize("table", [decision, credit_decision], ids=["mastery", "credit"])
def test_a_decision_that_cannot_be_derived_again_warns_loudly(own_school: School, table: object) -> None:
    address = own_school.decision("one") if table is decision else own_school.credit("one")
    with own_school.district.desk.derived.begin() as connection:
        connection.execute(update(table).values(digest=bytes(32)))  # type: ignore[arg-type]
    page = own_school.reader.page(address)
    assert "Not verified." in page
    assert "Verified.</strong> This page" not in page
    assert faults(page) == []


def test_the_quarantine_tells_why_and_how_to_mend_it(school: School) -> None:
    words = flat(school.reader.page("/quarantine"))
    assert "2 statements could be evidence" in words
    assert "Aligned to no competency 1" in words
    assert "Completion, not demonstration 1" in words
    assert "cairn align" in words
    assert "https://school.example.org/unknown" in words


def test_an_empty_district_has_pages_too(district: District) -> None:
    district.fold()
    reader = signed_in(district.client("all/read"))
    for path in ("/", "/quarantine"):
        assert faults(reader.page(path)) == []
    assert "No learner has any evidence yet." in reader.page("/")


def test_before_the_worker_has_begun_the_page_says_so(district: District) -> None:
    answer = signed_in(district.client("all/read")).get("/")
    assert answer.status_code == 404
    assert "start the worker" in answer.text


def test_the_moment_looked_at_is_kept_through_links(school: School) -> None:
    position = int(school.decision("one").rpartition(".")[2]) - 2
    address = f"{school.address('one')}?as_of={position}"
    page = school.reader.page(address)
    assert faults(page) == []
    assert f"As it stood at position {position}" in flat(page)
    assert "Not enough evidence yet" in page
    assert f'href="{school.address("one")}">Back to now' in page
    inner = re.findall(r'href="(/[^"#]*)"', page)
    kept = [one for one in inner if not one.startswith("/static/") and one != school.address("one")]
    assert kept
    assert [one for one in kept if f"as_of={position}" not in one] == []
    assert f'href="{school.decision("one", as_of=str(position))}?as_of={position}"' in page


def test_a_search_keeps_the_moment_and_the_moment_keeps_the_search(school: School) -> None:
    position = school.district.size()
    page = school.reader.page(f"/?q=one&as_of={position}")
    assert f'<input type="hidden" name="as_of" value="{position}">' in page
    assert '<input type="hidden" name="q" value="one">' in page


def test_a_time_is_a_moment_too(own_school: School) -> None:
    assert own_school.reader.get("/?as_of=2100-01-01T00:00").status_code == 200
    assert own_school.reader.get("/?as_of=").status_code == 200


def test_a_competency_without_a_rule_says_so(own_school: School) -> None:
    published = own_school.district.someone.found(verb="https://w3id.org/xapi/cairn/verbs/published")
    rule = next(one for one in published if "rules" in one["object"]["id"])
    own_school.send(statement("one", "voided", object={"objectType": "StatementRef", "id": rule["id"]}))
    page = own_school.reader.page(own_school.address("one"))
    assert "No mastery rule is published for this competency" in page
    assert faults(page) == []
    assert faults(own_school.reader.page(own_school.decision("one"))) == []
    assert faults(own_school.reader.page("/")) == []


def test_a_policy_that_was_taken_back_says_so(own_school: School) -> None:
    address = own_school.credit("one")
    policy = own_school.district.someone.found(activity="https://school.example.org/policy")[0]
    own_school.send(statement("one", "voided", object={"objectType": "StatementRef", "id": policy["id"]}))
    page = own_school.reader.page(own_school.address("one"))
    assert "No credit policy is published yet." in page
    before = own_school.reader.page(address)
    after = re.search(r'href="([^"]+)">See the decision that replaced it', before)
    assert after
    withdrawn = own_school.reader.page(after[1])
    assert "Policy withdrawn" in withdrawn
    assert faults(withdrawn) == []


@pytest.mark.parametrize(
    ("status", "level", "drawn"),
    [
        ("proficient", "Secure", Mark("high", "Secure", 3, 3)),
        ("not_yet", "Developing", Mark("mid", "Developing", 2, 3)),
        ("not_yet", "Beginning", Mark("low", "Beginning", 1, 3)),
        ("not_yet", None, Mark("open", "Not yet", 0, 3)),
        ("insufficient_evidence", None, Mark("open", "Not enough evidence yet", 0, 3)),
        ("no_evidence", None, Mark("none", "No evidence", 0, 3)),
    ],
)
def test_every_standing_has_words_and_a_height_of_its_own(status: str, level: str | None, drawn: Mark) -> None:
    assert mark(status, level, LEVELS, "Secure") == drawn


def test_the_longest_iri_is_named_first() -> None:
    assert named(
        "https://a.example/1 and https://a.example/11", {"https://a.example/1": "one", "https://a.example/11": "eleven"}
    ) == ("one and eleven")


def test_requirements_nest_as_in_the_policy() -> None:
    leaves = [{"path": "/require/all_of/0", "met": True}, {"path": "/require/all_of/1/any_of/0", "met": False}]
    found = tree([*leaves, {"path": "/require/all_of/1/any_of/1", "met": True}])
    assert found is not None
    assert (found["kind"], found["met"]) == ("all_of", True)
    assert [part.get("kind", "leaf") for part in found["parts"]] == ["leaf", "any_of"]
    assert len(found["parts"][1]["parts"]) == 2


def test_a_policy_with_one_requirement_is_that_requirement() -> None:
    assert tree([{"path": "/require", "met": True}]) == {"path": "/require", "met": True}
    assert tree([]) is None


def test_a_school_can_be_built_twice(school: School, district: District) -> None:
    other = school_in(district)
    other.send(scored("one", "add-1", 9))
    assert "Learner one" in other.reader.page("/")
