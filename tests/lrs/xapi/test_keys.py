"""The keys of a statement find it exactly where the filters of Communication 2.1.3 would."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lrs.xapi.actors import ifi
from lrs.xapi.keys import Keys, keys
from lrs.xapi.query import Query, matches
from lrs.xapi.statement import VOIDED
from lrs.xapi.values import key64
from tests.lrs.xapi.examples import ANN, BEN, CLASS, COURSE, PAIR, QUIZ, REFERENCE, full, least, nested

PEOPLE = [{"mbox": f"mailto:{name}@example.org"} for name in ("ann", "ben", "cem")]
ACTIVITIES = [{"id": f"https://example.org/activities/{number}"} for number in range(3)]

people = st.sampled_from(PEOPLE)
groups = st.builds(lambda members: {"objectType": "Group", "member": members}, st.lists(people, min_size=1, max_size=2))
named_groups = st.builds(lambda group, person: {**group, **person}, groups, people)
actors = people | groups | named_groups
object_actors = people.map(lambda person: {"objectType": "Agent", **person}) | groups | named_groups
activities = st.sampled_from(ACTIVITIES)
contexts = st.fixed_dictionaries(
    {},
    optional={
        "registration": st.sampled_from([REFERENCE["id"], REFERENCE["id"].lower()]),
        "instructor": actors,
        "team": groups | named_groups,
        "contextActivities": st.dictionaries(
            st.sampled_from(["parent", "grouping", "category", "other"]), activities | st.lists(activities, max_size=2)
        ),
        "contextAgents": st.lists(
            people.map(lambda person: {"objectType": "contextAgent", "agent": person}), max_size=2
        ),
        "contextGroups": st.lists(groups.map(lambda group: {"objectType": "contextGroup", "group": group}), max_size=1),
    },
)
verbs = st.sampled_from([{"id": "https://example.org/verbs/did"}, {"id": VOIDED}])


def events(objects: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    parts = {"actor": actors, "verb": verbs, "object": objects}
    return st.fixed_dictionaries(parts, optional={"context": contexts})


plain_objects = activities | object_actors | st.just(dict(REFERENCE))
sub_statements = events(plain_objects).map(lambda event: {"objectType": "SubStatement", **event})
authorities = people | st.builds(lambda one, two: {"objectType": "Group", "member": [one, two]}, people, people)
statements = st.builds(
    lambda event, authority: {**event, "authority": authority}, events(plain_objects | sub_statements), authorities
)


def is_found(found: Keys, query: Query) -> bool:
    """Tell what a store would, that has the keys and nothing else."""
    return (
        (query.verb is None or found.verb == key64("verb", query.verb))
        and (query.registration is None or found.registration == query.registration)
        and (query.agent is None or _finds_agent(found, query.agent, related=query.related_agents))
        and (query.activity is None or _finds_activity(found, query.activity, related=query.related_activities))
    )


def _finds_agent(found: Keys, identifier: str, *, related: bool) -> bool:
    own = key64("agent", identifier)
    if related:
        return own in (found.actor, found.authority) or key64("related-agent", identifier) in found.related_agents
    return own == found.actor or own in found.agents


def _finds_activity(found: Keys, iri: str, *, related: bool) -> bool:
    is_object = found.activity == key64("activity", iri)
    return is_object or (related and key64("related-activity", iri) in found.related_activities)


@given(
    statements,
    st.none() | people,
    st.none() | activities,
    st.sampled_from([None, "https://example.org/verbs/did", VOIDED]),
    st.sampled_from([None, REFERENCE["id"].lower()]),
    st.booleans(),
    st.booleans(),
)
def test_keys_and_filters_agree(
    statement: dict[str, Any],
    person: dict[str, str] | None,
    activity: dict[str, str] | None,
    verb: str | None,
    registration: str | None,
    related_agents: bool,
    related_activities: bool,
) -> None:
    query = Query(
        agent=None if person is None else ifi(person),
        activity=None if activity is None else activity["id"],
        verb=verb,
        registration=registration,
        related_agents=related_agents,
        related_activities=related_activities,
    )
    assert is_found(keys(statement), query) == matches(statement, query)


@given(statements)
def test_no_key_stands_twice_or_repeats_a_column(statement: dict[str, Any]) -> None:
    found = keys(statement)
    for several in (found.agents, found.related_agents, found.related_activities):
        assert len(several) == len(set(several))
    assert found.actor not in found.agents
    assert key64("related-activity", statement["object"].get("id", "")) not in found.related_activities


def test_a_statement_has_these_keys() -> None:
    ann, ben, group = (ifi(actor) or "" for actor in (ANN, BEN, CLASS))
    assert keys({**full(), "authority": ANN}) == Keys(
        verb=key64("verb", "http://adlnet.gov/expapi/verbs/answered"),
        actor=key64("agent", ann),
        activity=key64("activity", QUIZ["id"]),
        authority=key64("agent", ann),
        registration="f3a0c2d4-5b6e-4789-8a1b-2c3d4e5f6071",
        agents=(),
        related_agents=(key64("related-agent", ben), key64("related-agent", group)),
        related_activities=(key64("related-activity", COURSE["id"]),),
        target=None,
        is_voiding=False,
    )


def test_members_and_objects_are_agents_beside_the_actor() -> None:
    found = keys({**least(), "actor": PAIR, "object": CLASS, "authority": BEN})
    assert found.actor is None
    assert found.activity is None
    assert found.agents == tuple(key64("agent", ifi(actor) or "") for actor in (ANN, BEN, CLASS))
    assert found.related_agents == tuple(key64("related-agent", ifi(actor) or "") for actor in (ANN, CLASS))


def test_a_voiding_statement_has_the_id_of_its_target_in_lower_case() -> None:
    found = keys({**least(), "verb": {"id": VOIDED}, "object": REFERENCE, "authority": ANN})
    assert (found.target, found.is_voiding, found.activity) == (REFERENCE["id"].lower(), True, None)


def test_a_reference_in_a_sub_statement_is_no_target() -> None:
    inner = {"objectType": "SubStatement", **least(), "object": REFERENCE}
    assert keys({**nested(), "object": inner, "authority": ANN}).target is None


def test_an_authority_of_two_has_one_key_in_either_order() -> None:
    one = keys({**least(), "authority": {**PAIR, "member": [ANN, BEN]}})
    other = keys({**least(), "authority": {**PAIR, "member": [BEN, ANN]}})
    assert one.authority == other.authority
    assert one.authority != keys({**least(), "authority": ANN}).authority
