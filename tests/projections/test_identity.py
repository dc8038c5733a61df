"""One learner with several accounts: linked, unlinked, contradicted; and always the same in the end."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import wsgi
from projections import acts
from projections.evidence.identity import Identities, Identity, moved
from projections.profile import extension
from projections.registry import Act, Acts
from tests.district import District
from tests.projections.scenes import (
    ORIGIN,
    REGISTRAR,
    Json,
    address_of,
    day,
    decided,
    did,
    digests,
    first_acts,
    fixed_id,
    folded,
    learner,
    outcome,
    statuses,
    told,
    void,
)

QUIZZER = {"objectType": "Agent", "account": {"homePage": "https://quizzer.example.org", "name": "4711"}}


def linked(*accounts: Json, who: str = "ada", on: float = 5, link: str = "1", **more: Any) -> Json:
    """Return the link of accounts to a learner, or its end."""
    document = {
        "id": f"{ORIGIN}/identities/{link}",
        "learner": learner(who),
        "accounts": list(accounts),
        "reason": "One number in the register.",
        **more,
    }
    return {**acts.link(document, REGISTRAR), "id": fixed_id(f"link/{link}/{on}"), "timestamp": day(on)}


def quizzed(task: str = "exam", on: float = 2) -> Json:
    """Return a result under the account that a tool knows ada by."""
    return did("4711", task, 0.9, on, actor=QUIZZER)


WORK = [did("ada", "essay", 0.9, 1), quizzed()]


def proficient(district: District) -> str:
    """Return ada's status in algebra, which asks for both of her tasks."""
    return statuses(district, "ada")["algebra"]


def test_linking_and_unlinking_accounts_folds_their_evidence_anew(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), *WORK])
    assert proficient(district) == "insufficient_evidence"
    told(district, linked(QUIZZER))
    assert proficient(district) == "proficient"
    before = district.size()
    told(district, linked(on=6))
    assert proficient(district) == "insufficient_evidence"
    assert statuses(district, "ada", before)["algebra"] == "proficient"
    assert all(one["verified"] for one in decided(district, "ada", "algebra"))


def test_a_linked_account_is_no_learner_of_its_own(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), *WORK])
    before = district.size()
    told(district, linked(QUIZZER))
    reader = district.client("all/read")

    def names(**query: Any) -> list[str]:
        return sorted(one["name"] for one in reader.get("/api/v1/learners", query).get_json()["learners"])

    assert names(as_of=before) == ["4711", "Ada"]
    assert names() == ["Ada"]


def test_evidence_tells_the_link_that_it_came_through(shared_district: District) -> None:
    district = folded(shared_district, [*first_acts(), *WORK, linked(QUIZZER)])
    answer = district.client("all/read").get(f"/api/v1/learners/{address_of('ada')}/evidence").get_json()
    links = {
        one["activity"].rpartition("/")[2]: one["identity"] and one["identity"]["id"] for one in answer["evidence"]
    }
    assert links == {"essay": None, "exam": f"{ORIGIN}/identities/1"}


def test_a_void_takes_a_link_back(shared_district: District) -> None:
    link = linked(QUIZZER)
    district = folded(shared_district, [*first_acts(), *WORK, link, void(link["id"])])
    assert proficient(district) == "insufficient_evidence"


def test_statements_links_and_their_ends_come_to_the_same_in_any_order(shared_district: District) -> None:
    later = [linked(QUIZZER), linked(on=6), linked(QUIZZER, on=7)]
    ends = {
        outcome(folded(shared_district, [*first_acts(), *WORK, *order])) for order in list(permutations(later))[::2]
    }
    ends.add(outcome(folded(shared_district, [*later, *WORK, *first_acts()], batch=1)))
    assert len(ends) == 1


def test_a_link_between_batches_writes_the_same_rows_as_one_within(shared_district: District) -> None:
    story = [*first_acts(), *WORK, linked(QUIZZER), quizzed("bridge", 3), linked(on=6)]
    assert digests(folded(shared_district, story, 1)) == digests(folded(shared_district, story, 100))


# Contradictions


def links(*documents: Identity) -> Identities:
    """Return links that were set in this order."""
    return Identities(Act(place, "identity", place, str(place), one) for place, one in enumerate(documents, 1))


def identity(name: str, who: str, *accounts: str, version: int = 1) -> Identity:
    return Identity(name, learner(who), tuple(learner(one) for one in accounts), "", version)


def owner(found: Identities, account: str) -> str:
    """Return the name of whom an account is evidence for."""
    return str(found.learners(learner(account))[0].agent["account"]["name"])


@pytest.mark.parametrize(
    "second",
    [
        identity("2", "cleo", "ben"),
        identity("2", "ben", "cleo"),
        identity("2", "cleo", "ada"),
    ],
    ids=["one account of two learners", "an account with accounts", "a learner as an account"],
)
def test_a_link_that_contradicts_an_earlier_one_has_no_effect_and_is_listed(second: Identity) -> None:
    found = links(identity("1", "ada", "ben"), second)
    assert [bool(one.conflicts) for one in found.links] == [False, True]
    assert {other for _, other in found.links[1].conflicts} == {"1"}
    assert [owner(found, name) for name in ("ada", "ben", "cleo")] == ["ada", "ada", "cleo"]


def test_a_contradicted_link_has_effect_once_the_earlier_one_is_ended() -> None:
    found = links(identity("1", "ada", "ben"), identity("2", "cleo", "ben"), identity("1", "ada", version=2))
    assert [one.act.document.id for one in found.links] == ["2"]
    assert owner(found, "ben") == "cleo"


def test_links_of_one_learner_add_up() -> None:
    found = links(identity("1", "ada", "ben"), identity("2", "ada", "cleo"))
    assert [owner(found, name) for name in ("ben", "cleo")] == ["ada", "ada"]


def test_of_several_versions_the_highest_holds_whichever_came_last() -> None:
    found = links(identity("1", "ada", "cleo", version=2), identity("1", "ada", "ben"))
    assert [owner(found, name) for name in ("ben", "cleo")] == ["ben", "ada"]


def test_a_group_of_two_accounts_of_one_learner_is_one_piece_of_evidence() -> None:
    group = {"objectType": "Group", "member": [learner("ada"), learner("ben"), learner("cleo")]}
    found = links(identity("1", "ada", "ben")).learners(group)
    assert [one.agent["account"]["name"] for one in found] == ["ada", "cleo"]


def test_links_taken_one_after_the_other_come_to_the_same_as_all_at_once() -> None:
    documents = [
        identity("1", "ada", "ben"), identity("2", "cleo", "ben"), identity("3", "dan", "eve"),
        identity("1", "ada", version=2), identity("4", "fay", "dan"), identity("5", "ada", "gus"),
    ]  # fmt: skip
    acts_ = [Act(place, "identity", place, str(place), one) for place, one in enumerate(documents, 1)]
    for last in range(1, len(acts_) + 1):
        one_by_one, at_once = Acts(), Identities(acts_[:last])
        for act in acts_[:last]:
            before, one_by_one = one_by_one, one_by_one.with_act(act)
        found = one_by_one.identities
        assert (found.owners, found.links) == (at_once.owners, at_once.links)
        assert moved(before.identities, found) >= moved(before.identities, at_once)


# What is refused


def pointers(statement: Json) -> list[str]:
    return [one.pointer.partition("identity")[2] for one in acts.problems(statement)]


def test_a_link_without_accounts_must_say_that_it_ends_and_an_end_has_none() -> None:
    ends, begins = linked(), linked(QUIZZER)
    assert (pointers(ends), pointers(begins)) == ([], [])
    assert pointers({**ends, "verb": begins["verb"]}) == ["/accounts"]
    assert pointers({**begins, "verb": ends["verb"]}) == ["/accounts"]


def test_an_account_that_is_no_agent_or_stands_twice_is_refused_at_its_place() -> None:
    assert pointers(linked({"name": "Ada"})) == ["/accounts/0"]
    assert pointers(linked(QUIZZER, learner("ada"))) == ["/accounts/1"]


# Commands and resources


def run(district: District, *words: str) -> str:
    """Return what a command prints; it must end well."""
    result = CliRunner().invoke(wsgi.cairn, words, obj=district.desk, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return str(result.output)


def test_the_commands_link_list_and_unlink(
    shared_district: District, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    district = folded(shared_district, [*first_acts(), *WORK])
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: district.desk)
    slug, path = district.log.slug, tmp_path / "link.json"
    path.write_text(json.dumps(linked(QUIZZER)["result"]["extensions"][extension("identity")]))
    run(district, "identity", "link", slug, str(path))
    district.fold()
    assert proficient(district) == "proficient"
    assert "1 account(s)" in run(district, "identity", "list", slug)
    run(district, "identity", "unlink", slug, f"{ORIGIN}/identities/1", "--reason", "Two people.")
    district.fold()
    assert proficient(district) == "insufficient_evidence"
    assert run(district, "identity", "list", slug) == ""


def test_links_are_listed_with_what_contradicts_them(shared_district: District) -> None:
    story = [*first_acts(), linked(QUIZZER), linked(QUIZZER, who="ben", on=6, link="2")]
    found = folded(shared_district, story).client("all/read").get("/api/v1/identities").get_json()["identities"]
    assert [(one["has_effect"], [other["link"] for other in one["conflicts"]]) for one in found] == [
        (True, []),
        (False, [f"{ORIGIN}/identities/1"]),
    ]
