"""Communication 2.1.3: the parameters of GET /statements, and which statements meet them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lrs.errors import InvalidRequest
from lrs.xapi.query import LARGEST_LIMIT, Query, matches, parse
from tests.lrs.xapi.examples import ANN, BEN, CLASS, COURSE, PAIR, QUIZ, REFERENCE, full, least, nested

ANN_IFI = "account:https://sis.example.org|s-1042"
BEN_IFI = "mbox:mailto:ben@school.example.org"
CLASS_IFI = "openid:https://id.example.org/7b"
UUID = "6B1D7C52-0F0E-4F5C-9D0B-2F4F6A1C3E58"
ALL = {
    "agent": json.dumps(BEN),
    "verb": "http://adlnet.gov/expapi/verbs/answered",
    "activity": "https://learn.example.org/quizzes/fractions-3",
    "registration": UUID,
    "related_agents": "true",
    "related_activities": "false",
    "since": "2026-11-21T08:00:00Z",
    "until": "2026-11-21T09:00:00.000001+01:00",
    "limit": "25",
    "ascending": "true",
    "format": "canonical",
    "attachments": "true",
}
WRONG: list[tuple[str, str]] = [
    *[("statementId", text) for text in ("", "x", UUID + "0")],
    *[("voidedStatementId", text) for text in ("", "x")],
    *[("registration", text) for text in ("", "x")],
    *[("verb", text) for text in ("", "answered", "a=b://x")],
    *[("activity", text) for text in ("", "quiz")],
    *[("related_agents", text) for text in ("", "True", "1", "yes")],
    *[("related_activities", text) for text in ("", "FALSE", "0")],
    *[("ascending", text) for text in ("", "asc")],
    *[("attachments", text) for text in ("", "1")],
    *[("since", text) for text in ("", "yesterday", "2026-11-21", "2026-11-21T08:00:00-00:00")],
    *[("until", text) for text in ("", "now")],
    *[("limit", text) for text in ("", "-1", "1.5", "ten", "+1", " 1", "1e3", "٣")],
    *[("format", text) for text in ("", "Exact", "full")],
    *[("agent", text) for text in ("", "ann", "{", "[]", "5", "null", json.dumps([ANN]), json.dumps({"name": "Ann"}))],
    *[
        ("agent", json.dumps({**ANN, "x": 1})),
        ("agent", json.dumps(PAIR)),
        ("agent", '{"mbox":"mailto:a@b","mbox":"mailto:c@d"}'),
    ],
]


def args(**texts: str) -> dict[str, list[str]]:
    return {name: [text] for name, text in texts.items()}


def refused(given: dict[str, list[str]]) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        parse(given, "1.0.3")
    return [str(problem) for problem in caught.value.problems]


def test_no_parameters_ask_for_everything_newest_first() -> None:
    assert parse({}, "1.0.3") == Query()


def test_every_parameter_is_read_into_its_value() -> None:
    assert parse(args(**ALL), "2.0.0") == Query(
        agent=BEN_IFI,
        verb="http://adlnet.gov/expapi/verbs/answered",
        activity="https://learn.example.org/quizzes/fractions-3",
        registration=UUID.lower(),
        related_agents=True,
        related_activities=False,
        since_us=1_795_248_000_000_000,
        until_us=1_795_248_000_000_001,
        limit=25,
        ascending=True,
        format="canonical",
        attachments=True,
        in_utc=True,
    )


@pytest.mark.parametrize(
    ("name", "field"), [("statementId", "statement_id"), ("voidedStatementId", "voided_statement_id")]
)
def test_the_id_of_one_statement_goes_with_format_and_attachments_only(name: str, field: str) -> None:
    query = parse(args(**{name: UUID, "format": "ids", "attachments": "true"}), "1.0.3")
    assert (getattr(query, field), query.format, query.attachments) == (UUID.lower(), "ids", True)
    for other, text in ALL.items():
        if other not in ("format", "attachments"):
            assert refused(args(**{name: UUID, other: text})) == [f"?{other}: must not be given together with {name}"]


def test_two_ids_exclude_each_other() -> None:
    problems = refused(args(statementId=UUID, voidedStatementId=UUID))
    assert problems == ["?voidedStatementId: must not be given together with statementId"]


@pytest.mark.parametrize(("name", "text"), WRONG)
def test_a_malformed_value_is_refused(name: str, text: str) -> None:
    problems = refused(args(**{name: text}))
    assert problems
    assert all(problem.startswith(f"?{name}: ") for problem in problems)


@pytest.mark.parametrize("name", [*ALL, "statementId", "voidedStatementId"])
def test_a_miscased_name_is_refused_with_the_right_one(name: str) -> None:
    assert refused(args(**{name.swapcase(): "x"})) == [f'?{name.swapcase()}: unknown: did you mean "{name}"?']


def test_an_unknown_name_is_refused() -> None:
    assert refused(args(foo="bar")) == ["?foo: unknown: remove it"]


def test_a_repeated_parameter_is_refused() -> None:
    assert refused({"limit": ["1", "1"]}) == ["?limit: must be given once, not 2 times"]


def test_all_problems_are_reported_at_once() -> None:
    problems = refused({**args(foo="1", limit="x", verb="y", statementId=UUID), "since": ["a", "b"]})
    assert {problem.split(":")[0] for problem in problems} == {"?foo", "?limit", "?verb", "?since"}


def test_an_agent_is_told_what_is_wrong_inside_of_it() -> None:
    assert refused(args(agent='{"mbox":"ann","Name":"Ann"}')) == [
        '?agent: /mbox: must be mailto: and an e-mail address, such as mailto:ann@example.org, not "ann"',
        '?agent: /Name: unknown: did you mean "name"?',
    ]


@pytest.mark.parametrize(
    ("agent", "identifier"),
    [(ANN, ANN_IFI), (CLASS, CLASS_IFI), ({"mbox": "mailto:Ben@SCHOOL.org"}, "mbox:mailto:Ben@school.org")],
)
def test_an_agent_or_an_identified_group_is_looked_for_by_its_identifier(
    agent: dict[str, Any], identifier: str
) -> None:
    assert parse(args(agent=json.dumps(agent)), "1.0.3").agent == identifier


@pytest.mark.parametrize("text", ["9" * 15, "9" * 100_000])
def test_a_limit_beyond_any_use_is_the_largest(text: str) -> None:
    assert parse(args(limit=text), "1.0.3").limit == LARGEST_LIMIT


NO_ONE = {"mbox": "mailto:no-one@example.org"}
VOIDED_REF = {**least(), "object": REFERENCE}
IN_CONTEXT = {"instructor": BEN, "team": PAIR}


def statement(**parts: Any) -> dict[str, Any]:
    return {**least(), "actor": NO_ONE, "authority": NO_ONE, **parts}


def inside(**parts: Any) -> dict[str, Any]:
    inner = {key: value for key, value in statement(**parts).items() if key != "authority"}
    return statement(object={"objectType": "SubStatement", **inner})


PLAIN_AGENTS = [
    statement(actor=BEN),
    statement(actor=CLASS),
    statement(actor=PAIR),
    statement(object=BEN),
    statement(object=CLASS),
]
RELATED_AGENTS = [
    statement(authority=BEN),
    statement(authority=PAIR),
    statement(context={"instructor": BEN}),
    statement(context={"instructor": CLASS}),
    statement(context={"team": PAIR}),
    statement(context={"contextAgents": [{"objectType": "contextAgent", "agent": BEN}]}),
    statement(context={"contextGroups": [{"objectType": "contextGroup", "group": CLASS}]}),
    inside(actor=BEN),
    inside(actor=PAIR),
    inside(object=BEN),
    inside(context={"instructor": BEN}),
    inside(context={"team": CLASS}),
    inside(context={"contextAgents": [{"objectType": "contextAgent", "agent": BEN}]}),
]


@pytest.mark.parametrize("found", PLAIN_AGENTS)
def test_the_agent_filter_finds_actor_and_object_and_members_of_either(found: dict[str, Any]) -> None:
    assert matches(found, Query(agent=BEN_IFI))
    assert matches(found, Query(agent=BEN_IFI, related_agents=True))
    assert not matches(found, Query(agent="mbox:mailto:stranger@example.org", related_agents=True))


@pytest.mark.parametrize("found", RELATED_AGENTS)
def test_related_agents_finds_every_other_place_too(found: dict[str, Any]) -> None:
    assert not matches(found, Query(agent=BEN_IFI))
    assert matches(found, Query(agent=BEN_IFI, related_agents=True))


def test_a_group_is_found_by_its_own_identifier() -> None:
    assert matches(statement(actor=CLASS), Query(agent=CLASS_IFI))
    assert not matches(statement(actor=PAIR), Query(agent=CLASS_IFI))


def test_the_activity_filter_finds_the_object_only() -> None:
    quiz = Query(activity=QUIZ["id"])
    assert matches(statement(object=QUIZ), quiz)
    assert matches(statement(object={"id": QUIZ["id"]}), quiz)
    assert not matches(statement(object=COURSE), quiz)
    assert not matches(inside(object=QUIZ), quiz)
    assert not matches(statement(object=COURSE, context={"contextActivities": {"parent": [QUIZ]}}), quiz)


@pytest.mark.parametrize("kind", ["parent", "grouping", "category", "other"])
def test_related_activities_finds_context_and_sub_statement_too(kind: str) -> None:
    quiz = Query(activity=QUIZ["id"], related_activities=True)
    assert matches(statement(object=QUIZ), quiz)
    assert matches(statement(object=COURSE, context={"contextActivities": {kind: [COURSE, QUIZ]}}), quiz)
    assert matches(statement(object=COURSE, context={"contextActivities": {kind: QUIZ}}), quiz)
    assert matches(inside(object=QUIZ), quiz)
    assert matches(inside(object=COURSE, context={"contextActivities": {kind: QUIZ}}), quiz)
    assert not matches(statement(object=COURSE), quiz)


def test_an_agent_or_a_reference_with_an_iri_is_no_activity() -> None:
    openid = {"objectType": "Agent", "openid": "https://example.org/x"}
    assert not matches(statement(object=openid), Query(activity="https://example.org/x", related_activities=True))
    assert not matches(VOIDED_REF, Query(activity=REFERENCE["id"]))


def test_verb_and_registration_are_those_of_the_statement_itself() -> None:
    assert matches(full(), Query(verb="http://adlnet.gov/expapi/verbs/answered"))
    assert not matches(full(), Query(verb="http://adlnet.gov/expapi/verbs/Answered"))
    assert not matches(nested(), Query(verb="http://adlnet.gov/expapi/verbs/answered"))
    assert matches(full(), Query(registration=full()["context"]["registration"].lower()))
    assert not matches(nested(), Query(registration=full()["context"]["registration"].lower()))
    assert not matches(least(), Query(registration=UUID.lower()))


def test_all_filters_must_be_met() -> None:
    query = Query(agent=ANN_IFI, verb=full()["verb"]["id"], activity=full()["object"]["id"])
    assert matches(full(), query)
    assert not matches({**full(), "actor": NO_ONE}, query)


def test_an_empty_query_is_met_by_any_statement() -> None:
    assert all(matches(found, Query()) for found in (least(), full(), nested()))
