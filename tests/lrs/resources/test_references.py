"""StatementRefs in filters, and voiding: xAPI 1.0.3 Communication 2.1.3, 2.1.4 and Data 2.3.2.

Whatever holds must hold in whatever order the statements arrive, in one batch or in several.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from lrs.store.references import MOST_STEPS
from lrs.xapi.statement import VOIDED
from tests.district import District, ids, said, statement

VERBS = "http://adlnet.gov/expapi/verbs/"
REGISTRATION = "2c6b2a1e-7f53-4c8e-9d43-0a4d9b1c5e77"
BEN = {"account": {"homePage": "https://sis.example.org", "name": "ben"}}
Statement = dict[str, Any]


def about(target: Statement, verb: str = "confirmed", learner: str = "andrew", **more: Any) -> Statement:
    """Return a statement whose object refers to another."""
    return {**statement(learner, verb, **more), "object": {"objectType": "StatementRef", "id": target["id"]}}


def voiding(target: Statement) -> Statement:
    return {**about(target), "verb": {"id": VOIDED}}


def explosives() -> Statement:
    """The specification's example: 'Ben passed explosives training'."""
    context = {"registration": REGISTRATION, "instructor": {"mbox": "mailto:instructor@example.org"}}
    context["contextActivities"] = {"parent": [{"id": "https://tool.example.org/course"}]}
    return statement("ben", "passed", "explosives", context=context)


def post_each(district: District, statements: Sequence[Statement]) -> None:
    for one in statements:
        assert district.someone.post(one).status_code == 200


def orders(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    return map(list, itertools.permutations(statements))


FILTERS: dict[str, dict[str, Any]] = {
    "agent": {"agent": BEN},
    "related agent": {"agent": {"mbox": "mailto:instructor@example.org"}, "related_agents": "true"},
    "verb": {"verb": f"{VERBS}passed"},
    "activity": {"activity": "https://tool.example.org/explosives"},
    "related activity": {"activity": "https://tool.example.org/course", "related_activities": "true"},
    "registration": {"registration": REGISTRATION},
    "several": {"agent": BEN, "verb": f"{VERBS}passed", "registration": REGISTRATION},
}


@pytest.mark.parametrize("query", FILTERS.values(), ids=FILTERS)
def test_a_statement_is_found_by_what_it_refers_to_whichever_came_first(
    district: District, query: dict[str, Any]
) -> None:
    for order in ((0, 1), (1, 0)):
        target = explosives()
        pair = [target, about(target)]
        in_order = [pair[index] for index in order]
        post_each(district, in_order)
        assert ids(district.someone.found(**query))[:2] == ids(reversed(in_order))
    together = explosives()
    district.someone.post([about(together), together])
    assert len(district.someone.found(**query)) == 6


def test_the_authority_of_a_target_lends_itself_to_related_agents_only(district: District) -> None:
    tool, target = district.client("statements/write"), explosives()
    tool.post(target)
    referring = about(target)
    post_each(district, [referring])
    authority = {"account": {"homePage": district.log.origin, "name": tool.key}}
    assert district.someone.found(agent=authority) == []
    assert ids(district.someone.found(agent=authority, related_agents="true")) == [referring["id"], target["id"]]


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_references_are_followed_through_a_chain_in_every_order_of_arrival(
    district: District, order: tuple[int, ...]
) -> None:
    """Communication 2.1.3: this rule applies recursively."""
    c = explosives()
    b = about(c, "attached", "bea")
    a = about(b, "confirmed", "abe")
    chain = [a, b, c]
    in_order = [chain[index] for index in order]
    post_each(district, in_order)
    assert ids(district.someone.found(activity=c["object"]["id"])) == ids(reversed(in_order))
    of_b = [one for one in in_order if one is not c]
    assert ids(district.someone.found(verb=f"{VERBS}attached")) == ids(reversed(of_b))
    assert ids(district.someone.found(verb=f"{VERBS}confirmed")) == [a["id"]]


def test_filters_given_together_must_be_met_by_one_and_the_same_statement(district: District) -> None:
    """An agent of one target and the verb of another, or of the referring statement itself, do not add up."""
    lower = statement("ben", "passed", "explosives")
    middle = about(lower, "attached", "bea")
    upper = about(middle, "confirmed", "abe")
    post_each(district, [upper, lower, middle])
    abe = {"account": {"homePage": "https://sis.example.org", "name": "abe"}}
    assert len(district.someone.found(agent=BEN, verb=f"{VERBS}passed")) == 3
    assert district.someone.found(agent=BEN, verb=f"{VERBS}attached") == []
    assert district.someone.found(agent=BEN, verb=f"{VERBS}confirmed") == []
    assert district.someone.found(agent=abe, verb=f"{VERBS}passed") == []
    assert district.someone.found(agent=abe, activity="https://tool.example.org/explosives") == []
    assert district.someone.found(agent=BEN, verb=f"{VERBS}attached", related_agents="true") == []
    assert ids(district.someone.found(agent=abe, verb=f"{VERBS}confirmed")) == [upper["id"]]


def test_time_and_number_are_those_of_the_referring_statement(district: District) -> None:
    """Communication 2.1.3: since, until and limit MUST still be applied to the statement making the reference."""
    target = explosives()
    first, second = about(target), about(target)
    post_each(district, [target, first, second])
    stored = {one["id"]: one["stored"] for one in district.someone.found(agent=BEN)}
    assert ids(district.someone.found(agent=BEN, since=stored[target["id"]])) == [second["id"], first["id"]]
    assert ids(district.someone.found(agent=BEN, until=stored[first["id"]])) == [first["id"], target["id"]]
    page = said(district.someone.get(query={"verb": f"{VERBS}passed", "limit": "1"}))
    assert ids(page["statements"]) == [second["id"]]
    assert page["more"]


@pytest.mark.parametrize("place", ["context", "SubStatement"])
def test_a_reference_elsewhere_than_in_the_object_lends_nothing(district: District, place: str) -> None:
    target = explosives()
    reference = {"objectType": "StatementRef", "id": target["id"]}
    if place == "context":
        other = statement(context={"statement": reference})
    else:
        inner = {**statement(), "objectType": "SubStatement", "object": reference}
        del inner["id"]
        other = statement() | {"object": inner}
    post_each(district, [target, other])
    assert ids(district.someone.found(agent=BEN)) == [target["id"]]


def test_ids_of_references_are_compared_in_either_case(district: District) -> None:
    target = explosives()
    referring = about({"id": target["id"].upper()})
    post_each(district, [referring, target])
    assert ids(district.someone.found(agent=BEN)) == [target["id"], referring["id"]]


def test_a_loop_of_references_ends(district: District) -> None:
    first, second, itself = statement(), statement(), statement()
    ring = [{**about(second), "id": first["id"]}, {**about(first, learner="ben"), "id": second["id"]}]
    post_each(district, [*ring, {**about(itself), "id": itself["id"]}])
    assert sorted(ids(district.someone.found(agent=BEN))) == sorted(ids(ring))


def test_a_long_chain_is_followed_so_far_and_no_farther(district: District) -> None:
    chain = [statement("ben", "began")]
    for _ in range(MOST_STEPS + 20):
        chain.append(about(chain[-1]))
    district.someone.post(chain[::-1])
    assert len(district.someone.found(verb=f"{VERBS}began")) == MOST_STEPS + 1


def test_many_may_refer_to_one(district: District) -> None:
    target = explosives()
    many = [about(target) for _ in range(60)]
    district.someone.post(many)
    post_each(district, [target])
    assert ids(district.someone.found(agent=BEN)) == [target["id"], *ids(reversed(many))]


def test_a_voided_statement_is_found_by_voided_statement_id_only(district: District) -> None:
    """Communication 2.1.4, Data 2.3.2; the voiding statement itself is found, also by what it voids."""
    target = explosives()
    void = voiding(target)
    post_each(district, [target, void])
    assert district.someone.get(query={"statementId": target["id"]}).status_code == 404
    answer = district.someone.get(query={"voidedStatementId": target["id"]})
    assert (answer.status_code, said(answer)["id"]) == (200, target["id"])
    assert ids(district.someone.found(agent=BEN)) == [void["id"]]
    assert target["id"] not in ids(district.someone.found())
    assert district.someone.get(query={"statementId": void["id"]}).status_code == 200


def test_a_statement_not_voided_is_404_by_voided_statement_id(district: District) -> None:
    target = explosives()
    post_each(district, [target])
    assert district.someone.get(query={"voidedStatementId": target["id"]}).status_code == 404


def test_a_statement_may_be_voided_before_it_arrives(district: District) -> None:
    """Data 2.3.2: SHOULD NOT reject a voiding statement because its object is not present."""
    target = explosives()
    void = voiding(target)
    post_each(district, [void, target])
    assert district.someone.get(query={"statementId": target["id"]}).status_code == 404
    assert district.someone.get(query={"voidedStatementId": target["id"]}).status_code == 200
    assert ids(district.someone.found(agent=BEN)) == [void["id"]]


@pytest.mark.parametrize("void_first", [True, False])
def test_a_statement_may_be_voided_within_its_own_batch(district: District, void_first: bool) -> None:
    target = explosives()
    batch = [voiding(target), target] if void_first else [target, voiding(target)]
    assert district.someone.post(batch).status_code == 200
    assert district.someone.get(query={"statementId": target["id"]}).status_code == 404


def test_a_voiding_statement_cannot_be_voided_in_any_order_of_arrival(district: District) -> None:
    """Data 2.3.2: voided if and only if the statement is not itself a voiding statement."""
    for order in range(6):
        target = explosives()
        void = voiding(target)
        three = [target, void, voiding(void)]
        post_each(district, list(orders(three))[order])
        assert district.someone.get(query={"statementId": target["id"]}).status_code == 404
        assert district.someone.get(query={"statementId": void["id"]}).status_code == 200
        assert district.someone.get(query={"voidedStatementId": void["id"]}).status_code == 404


def test_a_statement_may_be_voided_twice(district: District) -> None:
    target = explosives()
    voids = [voiding(target), voiding(target)]
    post_each(district, [target, *voids])
    assert ids(district.someone.found(agent=BEN)) == ids(reversed(voids))


def test_a_statement_that_refers_to_a_voided_one_is_still_found_by_it(district: District) -> None:
    """Communication 2.1.4; the order and the number are those of the conformance suite's own case."""
    target = explosives()
    referring, void = about(target), voiding(target)
    post_each(district, [target, referring, void])
    assert ids(district.someone.found(verb=f"{VERBS}passed")) == [void["id"], referring["id"]]


def test_a_voiding_verb_needs_a_statement_ref(district: District) -> None:
    sent = {**statement(), "verb": {"id": VOIDED}}
    answer = district.someone.post(sent)
    assert answer.status_code == 400
    assert said(answer)["problems"][0]["pointer"] == "/object/objectType"


def test_a_reference_within_another_district_reaches_nothing(district: District) -> None:
    other = district.with_new_log(uuid.uuid4().hex[:12])
    target = explosives()
    post_each(district, [target])
    post_each(other, [about(target), voiding(target)])
    assert other.someone.found(agent=BEN) == []
    assert district.someone.get(query={"statementId": target["id"]}).status_code == 200
