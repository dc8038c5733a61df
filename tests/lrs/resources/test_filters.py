"""The parameters of GET /statements: xAPI 1.0.3 Communication 2.1.3."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from lrs.xapi.values import iso, timestamp_us
from tests.district import District, ids, said, statement

ACCOUNT = "https://sis.example.org"
VERBS = "http://adlnet.gov/expapi/verbs/"
TOOL = "https://tool.example.org/"
REGISTRATION = "2C6B2A1E-7F53-4C8E-9D43-0A4D9B1C5E77"


def agent(name: str) -> dict[str, Any]:
    return {"objectType": "Agent", "account": {"homePage": ACCOUNT, "name": name}}


def group(*names: str, **more: Any) -> dict[str, Any]:
    return {"objectType": "Group", "member": [agent(name) for name in names], **more}


def sub_statement(**more: Any) -> dict[str, Any]:
    inner = statement("inner", about="inner", **more)
    del inner["id"]
    return {**inner, "objectType": "SubStatement"}


def about(**parents: Any) -> dict[str, Any]:
    return {"contextActivities": parents}


AGENT_PLACES: dict[str, dict[str, Any]] = {
    "actor": {"actor": agent("ann")},
    "member of the actor": {"actor": group("ben", "ann")},
    "member of an identified actor": {"actor": group("ben", "ann", mbox="mailto:class@example.org")},
    "object": {"object": agent("ann")},
    "member of the object": {"object": group("ann", "ben")},
}
RELATED_AGENT_PLACES: dict[str, dict[str, Any]] = {
    "instructor": {"context": {"instructor": agent("ann")}},
    "member of the instructor": {"context": {"instructor": group("ann", "ben")}},
    "member of the team": {"context": {"team": group("ben", "ann")}},
    "actor of the SubStatement": {"object": sub_statement() | {"actor": agent("ann")}},
    "member in the SubStatement": {"object": sub_statement() | {"actor": group("ann")}},
    "object of the SubStatement": {"object": sub_statement() | {"object": agent("ann")}},
    "instructor of the SubStatement": {"object": sub_statement(context={"instructor": agent("ann")})},
    "team of the SubStatement": {"object": sub_statement(context={"team": group("ann")})},
}
ACTIVITY = {"id": TOOL + "fractions"}
RELATED_ACTIVITY_PLACES: dict[str, dict[str, Any]] = {
    **{kind: {"context": about(**{kind: [ACTIVITY]})} for kind in ("parent", "grouping", "category", "other")},
    "a parent that stands alone": {"context": about(parent=ACTIVITY)},
    "object of the SubStatement": {"object": sub_statement() | {"object": ACTIVITY}},
    "context of the SubStatement": {"object": sub_statement(context=about(other=[ACTIVITY]))},
}


@pytest.mark.parametrize("place", AGENT_PLACES.values(), ids=AGENT_PLACES)
def test_agent_finds_actor_and_object_and_the_members_of_either(district: District, place: dict[str, Any]) -> None:
    sent = statement(**place)
    district.someone.post([statement(), sent, statement()])
    assert ids(district.someone.found(agent=agent("ann"))) == [sent["id"]]
    assert ids(district.someone.found(agent=agent("ann"), related_agents="true")) == [sent["id"]]
    assert district.someone.found(agent=agent("nobody")) == []


@pytest.mark.parametrize("place", RELATED_AGENT_PLACES.values(), ids=RELATED_AGENT_PLACES)
def test_related_agents_finds_every_other_place_and_agent_alone_does_not(
    district: District, place: dict[str, Any]
) -> None:
    sent = statement(**place)
    district.someone.post([statement(), sent, statement()])
    assert district.someone.found(agent=agent("ann")) == []
    assert district.someone.found(agent=agent("ann"), related_agents="false") == []
    assert ids(district.someone.found(agent=agent("ann"), related_agents="true")) == [sent["id"]]


def test_related_agents_finds_the_authority(district: District) -> None:
    tool = district.client("statements/write")
    sent = statement()
    tool.post(sent)
    authority = {"account": {"homePage": district.log.origin, "name": tool.key}}
    assert district.someone.found(agent=authority) == []
    assert ids(district.someone.found(agent=authority, related_agents="true")) == [sent["id"]]


@pytest.mark.parametrize(
    ("sent_as", "asked_as"),
    [
        ({"mbox": "mailto:ann@School.example.org"}, {"mbox": "mailto:ann@school.EXAMPLE.org", "name": "Ann"}),
        ({"mbox_sha1sum": "AB" * 20}, {"mbox_sha1sum": "ab" * 20}),
        ({"openid": "https://id.example.org/ann"}, {"objectType": "Agent", "openid": "https://id.example.org/ann"}),
        ({"objectType": "Group", "openid": "https://id.example.org/7b"}, {"openid": "https://id.example.org/7b"}),
    ],
)
def test_agents_are_equal_by_their_identifier_alone(
    district: District, sent_as: dict[str, Any], asked_as: dict[str, Any]
) -> None:
    sent = statement(actor=sent_as)
    district.someone.post([sent, statement()])
    assert ids(district.someone.found(agent=asked_as)) == [sent["id"]]


def test_verb_finds_its_very_id(district: District) -> None:
    sent = [statement(verb="passed"), statement(verb="passed"), statement(verb="passed/twice")]
    district.someone.post(sent)
    assert ids(district.someone.found(verb=f"{VERBS}passed")) == ids([sent[1], sent[0]])
    assert district.someone.found(verb=f"{VERBS}PASSED") == []


def test_activity_finds_the_object_only(district: District) -> None:
    direct = statement(about="fractions")
    around = [statement(**place) for place in RELATED_ACTIVITY_PLACES.values()]
    district.someone.post([direct, *around])
    assert ids(district.someone.found(activity=ACTIVITY["id"])) == [direct["id"]]
    assert ids(district.someone.found(activity=ACTIVITY["id"], related_activities="true")) == [
        *reversed(ids(around)),
        direct["id"],
    ]


@pytest.mark.parametrize("place", RELATED_ACTIVITY_PLACES.values(), ids=RELATED_ACTIVITY_PLACES)
def test_related_activities_finds_every_other_place(district: District, place: dict[str, Any]) -> None:
    sent = statement(**place)
    district.someone.post([statement(), sent, statement()])
    assert ids(district.someone.found(activity=ACTIVITY["id"], related_activities="true")) == [sent["id"]]


def test_registration_is_found_in_either_case(district: District) -> None:
    sent = statement(context={"registration": REGISTRATION})
    district.someone.post([sent, statement(context={"registration": str(uuid.uuid4())}), statement()])
    for asked in (REGISTRATION, REGISTRATION.lower()):
        assert ids(district.someone.found(registration=asked)) == [sent["id"]]


def test_filters_given_together_must_all_be_met(district: District) -> None:
    context = {"registration": REGISTRATION, **about(parent=[{"id": TOOL + "course"}])}
    wanted = statement("ann", "passed", "fractions", context=context)
    near = [
        statement("ben", "passed", "fractions", context=context),
        statement("ann", "failed", "fractions", context=context),
        statement("ann", "passed", "decimals", context=about(parent=[{"id": TOOL + "course"}])),
        statement("ann", "passed", "fractions", context={"registration": str(uuid.uuid4())}),
    ]
    district.someone.post([*near[:2], wanted, *near[2:]])
    asked = {"agent": agent("ann"), "verb": f"{VERBS}passed", "registration": REGISTRATION}
    assert ids(district.someone.found(**asked, activity=TOOL + "fractions")) == [wanted["id"]]
    assert ids(district.someone.found(**asked, activity=TOOL + "course", related_activities="true")) == [wanted["id"]]
    assert ids(
        district.someone.found(**asked, activity=TOOL + "fractions", related_agents="true", related_activities="true")
    ) == [wanted["id"]]


def test_no_match_is_200_with_an_empty_array(district: District) -> None:
    answer = district.someone.get(query={"verb": f"{VERBS}unheard"})
    assert (answer.status_code, said(answer)) == (200, {"statements": [], "more": ""})


def test_since_is_exclusive_and_until_is_inclusive(district: District) -> None:
    """To the microsecond, of the time at which a statement was stored."""
    sent = [statement(verb="timed") for _ in range(5)]
    district.someone.post(sent)
    third = district.someone.found(verb=f"{VERBS}timed")[2]["stored"]
    before, after = iso(timestamp_us(third) - 1), iso(timestamp_us(third) + 1)
    newest_first = ids(reversed(sent))

    def found(**window: str) -> list[str]:
        return ids(district.someone.found(verb=f"{VERBS}timed", **window))

    assert found(since=third) == newest_first[:2]
    assert found(until=third) == newest_first[2:]
    assert found(since=before, until=third) == newest_first[2:3]
    assert found(since=third, until=third) == []
    assert found(since=before, until=before) == []
    assert found(since=third, until=after, ascending="true") in ([], [newest_first[1]])
    assert found(since="2999-01-01T00:00:00Z") == []
    assert found(until="1999-01-01T00:00:00Z") == []
    assert found(since="1999-01-01T00:00:00Z", until="2999-01-01T00:00:00Z") == newest_first


def test_times_in_another_zone_are_the_same_instants(district: District) -> None:
    sent = [statement(verb="timed") for _ in range(2)]
    district.someone.post(sent)
    first = district.someone.found(verb=f"{VERBS}timed")[1]["stored"]
    hour = 3_600_000_000
    shifted = iso(timestamp_us(first) + 2 * hour).replace("Z", "+02:00")
    assert ids(district.someone.found(verb=f"{VERBS}timed", since=shifted)) == [sent[1]["id"]]
    assert ids(district.someone.found(verb=f"{VERBS}timed", until=shifted)) == [sent[0]["id"]]


@pytest.mark.parametrize("ascending", ["true", "false"])
def test_statements_come_in_the_order_in_which_they_were_stored(district: District, ascending: str) -> None:
    sent = [statement(verb="ordered", timestamp=f"2026-01-{20 - day}T00:00:00Z") for day in range(10)]
    district.someone.post(sent)
    found = ids(district.someone.found(verb=f"{VERBS}ordered", ascending=ascending))
    assert found == (ids(sent) if ascending == "true" else ids(reversed(sent)))


BAD_QUERIES = [
    {"foo": "bar"},
    {"Agent": "{}"},
    {"StatementId": "00000000-0000-4000-8000-000000000001"},
    {"agent": "ann"},
    {"agent": '{"name":"Ann"}'},
    {"agent": '{"mbox":"mailto:ann@example.org","name":"\\u0000"}'},
    {"agent": '{"mbox":"mailto:ann@example.org","name":"\\ud800"}'},
    {"agent": '{"mbox":' * 200},
    {"verb": "passed"},
    {"verb": "http://example.org/\0"},
    {"activity": "fractions"},
    {"registration": "1234"},
    {"statementId": "1234"},
    {"voidedStatementId": "1234"},
    {"since": "yesterday"},
    {"until": "2026-13-01T00:00:00Z"},
    {"limit": "-1"},
    {"limit": "ten"},
    {"limit": "1.5"},
    {"ascending": "yes"},
    {"ascending": "True"},
    {"related_agents": "1"},
    {"related_activities": ""},
    {"format": "EXACT"},
    {"attachments": "maybe"},
    {"limit": ["1", "2"]},
    {
        "statementId": "00000000-0000-4000-8000-000000000001",
        "voidedStatementId": "00000000-0000-4000-8000-000000000002",
    },
    *(
        {"statementId": "00000000-0000-4000-8000-000000000001", name: value}
        for name, value in [("limit", "1"), ("ascending", "true")]
    ),
    *(
        {"voidedStatementId": "00000000-0000-4000-8000-000000000001", name: value}
        for name, value in [("limit", "1"), ("since", "2026")]
    ),
    {"statementId": "00000000-0000-4000-8000-000000000001", "more": "1"},
]


@pytest.mark.parametrize("query", BAD_QUERIES, ids=str)
def test_a_query_that_cannot_be_used_is_400_and_names_the_parameter(district: District, query: dict[str, Any]) -> None:
    """Communication 2.1.3 and 3.2: unknown, miscased and malformed parameters, and those that exclude each other."""
    answer = district.someone.get(query=query)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    named = {one["pointer"].removeprefix("?") for one in said(answer)["problems"]}
    assert named & query.keys()
    assert "X-Experience-API-Consistent-Through" in answer.headers


def test_parameters_are_judged_before_a_statement_is_looked_for(district: District) -> None:
    answer = district.someone.get(query={"statementId": str(uuid.uuid4()), "verb": f"{VERBS}passed"})
    assert answer.status_code == 400


def test_one_statement_comes_alone_and_says_when_it_was_stored(district: District) -> None:
    """Communication 2.1.3: Last-Modified SHOULD match stored."""
    sent = statement()
    district.someone.post(sent)
    answer = district.someone.get(query={"statementId": sent["id"].upper(), "format": "exact", "attachments": "false"})
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert said(answer)["id"] == sent["id"]
    assert answer.last_modified is not None
    assert int(answer.last_modified.timestamp()) == timestamp_us(said(answer)["stored"]) // 1_000_000


def test_an_unknown_id_is_404(district: District) -> None:
    for name in ("statementId", "voidedStatementId"):
        assert district.someone.get(query={name: str(uuid.uuid4())}).status_code == 404


def test_two_districts_do_not_see_each_others_statements(district: District) -> None:
    other = district.with_new_log(uuid.uuid4().hex[:12])
    sent = statement("shared", "shared")
    district.someone.post(sent)
    assert other.someone.get(query={"statementId": sent["id"]}).status_code == 404
    assert other.someone.found(agent=sent["actor"]) == []
    assert other.someone.found(verb=sent["verb"]["id"]) == []
    assert sent["id"] not in ids(other.someone.found())
    twin = {**sent, "actor": agent("another")}
    assert other.someone.post(twin).status_code == 200
    assert ids(district.someone.found(agent=twin["actor"])) == []
