"""Communication 2.4 and 2.5, purely: what statements tell, and what it adds up to."""

from __future__ import annotations

from typing import Any

from lrs.xapi import canonical
from lrs.xapi.canonical import ACTIVITY, AGENT, decoded, merged, person, told, with_definitions
from tests.lrs.xapi.examples import ANN, BEN, CLASS, COURSE, PAIR, QUIZ, REFERENCE, full, least, nested

ANN_IFI = "account:https://sis.example.org|s-1042"
CLASS_IFI = "openid:https://id.example.org/7b"


def facts(statement: dict[str, Any]) -> set[tuple[int, str, str]]:
    """Return kind, name and what was told, of everything that a statement tells."""
    return {(one.kind, one.name, str(decoded(one.text))) for one in told(statement)}


QUIZ_FACT = (ACTIVITY, QUIZ["id"], str(QUIZ["definition"]))
COURSE_FACT = (ACTIVITY, COURSE["id"], str(COURSE["definition"]))
ANN_FACT, CLASS_FACT = (AGENT, ANN_IFI, "Ann"), (AGENT, CLASS_IFI, "7b")


def test_definitions_stand_in_the_object_and_in_every_kind_of_context_activity() -> None:
    for kind in ("parent", "grouping", "category", "other"):
        for value in (COURSE, [COURSE]):
            assert facts({**least(), "object": QUIZ, "context": {"contextActivities": {kind: value}}}) == {
                QUIZ_FACT,
                COURSE_FACT,
            }


def test_a_sub_statement_tells_what_a_statement_does() -> None:
    assert facts(full()) == {QUIZ_FACT, COURSE_FACT, ANN_FACT, CLASS_FACT}
    assert facts(nested()) == facts(full())


def test_names_stand_in_every_actor_but_the_authority() -> None:
    alone = {**least(), "actor": BEN}
    assert facts({**alone, "authority": ANN}) == set()
    for statement in (
        {**alone, "actor": ANN},
        {**alone, "actor": PAIR},
        {**alone, "object": ANN},
        {**alone, "object": PAIR},
        {**alone, "context": {"instructor": ANN}},
        {**alone, "context": {"team": PAIR}},
        {**alone, "context": {"contextAgents": [{"objectType": "contextAgent", "agent": ANN}]}},
        {**alone, "context": {"contextGroups": [{"objectType": "contextGroup", "group": PAIR}]}},
    ):
        assert facts(statement) == {ANN_FACT}
    assert facts({**alone, "actor": CLASS}) == {CLASS_FACT, ANN_FACT}


def test_an_anonymous_group_has_no_name_to_be_known_by() -> None:
    assert facts({**least(), "actor": {"objectType": "Group", "name": "Pair", "member": [BEN]}}) == set()


def test_a_statement_ref_and_bare_ids_tell_nothing() -> None:
    assert told({**least(), "object": REFERENCE}) == ()
    assert told(least()) == ()
    assert told({**least(), "object": {"id": "https://x.example.org/1", "definition": {}}}) == ()


def test_the_same_text_has_the_same_digest_and_another_has_not() -> None:
    (one,), (again,) = told({**least(), "object": QUIZ}), told({**least(), "object": dict(QUIZ)})
    changed = {**QUIZ, "definition": {**QUIZ["definition"], "type": "https://x.example.org/type"}}
    (other,) = told({**least(), "object": changed})
    (elsewhere,) = told({**least(), "object": {**QUIZ, "id": "https://x.example.org/quiz"}})
    assert one.digest == again.digest
    assert len({one.digest, other.digest, elsewhere.digest}) == 3
    assert one.key == other.key != elsewhere.key


def test_what_is_remembered_has_a_bound() -> None:
    for number in range(canonical.MOST_REMEMBERED + 10):
        told({**least(), "actor": {**BEN, "name": str(number)}})
    assert len(canonical._remembered) <= canonical.MOST_REMEMBERED


def test_languages_and_extensions_add_up_and_the_rest_is_the_latest() -> None:
    """XAPI-00254."""
    first = {
        "name": {"en": "One", "de": "Eins"},
        "type": "https://x/1",
        "extensions": {"https://x/a": 1, "https://x/b": 1},
    }
    later = {"name": {"en": "Won", "fr": "Un"}, "type": "https://x/2", "extensions": {"https://x/b": None}}
    assert merged([first, {"description": {"en": "d"}}, later]) == {
        "name": {"en": "Won", "de": "Eins", "fr": "Un"},
        "description": {"en": "d"},
        "type": "https://x/2",
        "extensions": {"https://x/a": 1, "https://x/b": None},
    }


def test_another_type_of_interaction_takes_nothing_over() -> None:
    choice = {
        "interactionType": "choice",
        "choices": [{"id": "a"}],
        "correctResponsesPattern": ["a"],
        "type": "https://x",
    }
    assert merged([choice, {"name": {"en": "n"}}])["choices"] == [{"id": "a"}]
    assert merged([choice, {"interactionType": "likert"}]) == {"interactionType": "likert", "type": "https://x"}


def test_a_person_has_arrays_and_each_name_once() -> None:
    """XAPI-00237 to 00242."""
    assert person(ANN, ["Annie", "Ann"]) == {
        "objectType": "Person",
        "name": ["Annie", "Ann"],
        "account": [ANN["account"]],
    }
    assert person(BEN, []) == {"objectType": "Person", "mbox": [BEN["mbox"]]}


def test_definitions_are_put_in_wherever_an_activity_stands() -> None:
    known = {COURSE["id"]: {"name": {"en": "Course"}}}
    bare = {"id": COURSE["id"]}
    inner = {**least(), "object": bare, "context": {"contextActivities": {"parent": [bare], "other": bare}}}
    defined = {**bare, "definition": known[COURSE["id"]]}
    wanted = {"parent": [defined], "other": defined}
    shown = with_definitions(inner, known)
    assert (shown["object"], shown["context"]["contextActivities"]) == (defined, wanted)
    shown = with_definitions({**least(), "object": {"objectType": "SubStatement", **inner}}, known)["object"]
    assert (shown["object"], shown["context"]["contextActivities"]) == (defined, wanted)
    assert with_definitions(full(), {}) == full()
