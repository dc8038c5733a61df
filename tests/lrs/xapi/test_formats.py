"""Communication 2.1.3: the formats exact, ids and canonical, and the language that canonical chooses."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from lrs.xapi.formats import canonical, exact, ids, languages, needs_arrays
from lrs.xapi.statement import problems
from tests.lrs.xapi.examples import (
    ANN,
    BEN,
    CLASS,
    COURSE,
    PAIR,
    QUIZ,
    REFERENCE,
    full,
    least,
    nested,
    places,
    with_value,
)

CATEGORY = "/context/contextActivities/category"


@pytest.mark.parametrize("change", [exact, ids, lambda statement: canonical(statement, ["de"])])
@pytest.mark.parametrize("make", [least, full, nested])
def test_a_format_leaves_the_statement_it_was_given_and_returns_a_valid_one(make: Any, change: Any) -> None:
    statement = make()
    before = deepcopy(statement)
    assert problems(change(statement), "1.0.3") == []
    assert statement == before


def test_exact_changes_nothing_but_single_context_activities() -> None:
    assert exact(full()) == with_value(full(), CATEGORY, [COURSE])
    assert exact(nested()) == with_value(nested(), f"/object{CATEGORY}", [COURSE])
    assert exact(least()) == least()


def test_it_is_known_whether_exact_would_change_anything() -> None:
    assert needs_arrays(full())
    assert needs_arrays(nested())
    assert not any(needs_arrays(statement) for statement in (least(), exact(full()), exact(nested())))


def test_ids_keeps_what_identifies() -> None:
    reduced = ids(full())
    assert reduced["actor"] == {"objectType": "Agent", "account": ANN["account"]}
    assert reduced["verb"] == {"id": full()["verb"]["id"]}
    assert reduced["object"] == {"id": QUIZ["id"]}
    assert reduced["context"]["instructor"] == BEN
    assert reduced["context"]["team"] == {"objectType": "Group", "openid": CLASS["openid"]}
    assert reduced["context"]["contextActivities"] == {
        "parent": [{"id": COURSE["id"]}],
        "grouping": [],
        "category": [{"id": COURSE["id"]}],
        "other": [{"id": COURSE["id"]}],
    }
    assert reduced["authority"]["member"] == [{"objectType": "Agent", "account": ANN["account"]}, BEN]
    untouched = ("id", "result", "timestamp", "stored", "version", "attachments")
    assert {name: reduced[name] for name in untouched} == {name: full()[name] for name in untouched}


@pytest.mark.parametrize(
    ("target", "reduced"),
    [
        (ANN, {"objectType": "Agent", "account": ANN["account"]}),
        (CLASS, {"objectType": "Group", "openid": CLASS["openid"]}),
        (PAIR, {"objectType": "Group", "member": [{"objectType": "Agent", "account": ANN["account"]}, BEN]}),
        (REFERENCE, REFERENCE),
    ],
)
def test_ids_keeps_what_identifies_an_object(target: dict[str, Any], reduced: dict[str, Any]) -> None:
    assert ids({**least(), "object": target})["object"] == reduced


def test_ids_reaches_into_a_sub_statement() -> None:
    inner = ids(nested())["object"]
    assert inner["objectType"] == "SubStatement"
    assert inner["object"] == {"id": QUIZ["id"]}
    assert inner["context"]["contextActivities"]["category"] == [{"id": COURSE["id"]}]


def test_ids_keeps_what_identifies_context_actors() -> None:
    context = {
        "contextAgents": [{"objectType": "contextAgent", "agent": ANN, "relevantTypes": ["x:y"]}],
        "contextGroups": [{"objectType": "contextGroup", "group": CLASS}],
    }
    reduced = ids({**least(), "context": context})["context"]
    assert reduced["contextAgents"][0]["agent"] == {"objectType": "Agent", "account": ANN["account"]}
    assert reduced["contextAgents"][0]["relevantTypes"] == ["x:y"]
    assert reduced["contextGroups"][0]["group"] == {"objectType": "Group", "openid": CLASS["openid"]}


@pytest.mark.parametrize("make", [full, nested])
def test_canonical_has_one_language_in_every_map(make: Any) -> None:
    maps = ("/display", "/name", "/description")
    found = [part for pointer, part in places(canonical(make(), ["de-AT"])) if pointer.endswith(maps)]
    chosen = [part for part in found if isinstance(part, dict)]
    assert len(chosen) >= 10
    assert all(list(part) == ["de"] for part in chosen)


def test_canonical_leaves_actors_and_all_else() -> None:
    wanted = exact(full())
    found = canonical(full(), ["en-GB"])
    for name in ("id", "actor", "result", "timestamp", "authority", "version"):
        assert found[name] == wanted[name]
    assert found["object"]["definition"]["extensions"] == QUIZ["definition"]["extensions"]
    assert found["context"]["contextActivities"]["category"] == [
        {"id": COURSE["id"], "definition": {"name": {"en-GB": "Fractions"}}}
    ]


@pytest.mark.parametrize(
    ("wanted", "tags", "chosen"),
    [
        (["de"], ["en", "de"], "de"),
        (["fr", "de"], ["en", "de"], "de"),
        (["DE-at"], ["en", "de-AT", "de"], "de-AT"),
        (["de-AT"], ["en", "de"], "de"),
        (["zh-Hant-TW"], ["zh", "zh-Hant"], "zh-Hant"),
        (["zh-Hant-x-own"], ["en", "zh-Hant"], "zh-Hant"),
        (["en-US", "fr"], ["en-GB", "fr"], "fr"),
        (["en"], ["de", "en-GB"], "en-GB"),
        (["fr-CA"], ["en", "fr-FR"], "fr-FR"),
        (["sv"], ["de", "en"], "en"),
        (["sv"], ["de", "en-US"], "en-US"),
        (["sv"], ["de", "fr"], "de"),
        ([], ["de", "en"], "en"),
        ([], ["de", "fr"], "de"),
        (["*"], ["de", "en"], "en"),
        (["d"], ["fr", "de"], "fr"),
        (["fr", "de"], ["en", "de", "fr-CA"], "fr-CA"),
        (["en", "en-GB"], ["en-GB", "en-US"], "en-US"),
        (["en"], ["en-GB", "en"], "en"),
        (["de-AT", "fr"], ["de", "fr"], "fr"),
    ],
)
def test_the_language_is_matched_then_looked_up_then_begun_then_english_then_any(
    wanted: list[str], tags: list[str], chosen: str
) -> None:
    statement = with_value(least(), "/verb/display", {tag: tag.upper() for tag in tags})
    assert canonical(statement, wanted)["verb"]["display"] == {chosen: chosen.upper()}


def test_an_empty_language_map_stays_empty() -> None:
    assert canonical(with_value(least(), "/verb/display", {}), ["en"])["verb"]["display"] == {}


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, []),
        ("", []),
        ("de", ["de"]),
        ("de-AT, en;q=0.5, fr;q=0.9", ["de-AT", "fr", "en"]),
        ("en;q=0.5,de;q=0.5", ["en", "de"]),
        ("de;q=0, en;q=0.000, fr;q=0.001", ["fr"]),
        ("de ; Q = 0.1 , en", ["en", "de"]),
        ("de;q=2, en;q=-1, fr;q=x, sv;q=1.000", ["sv"]),
        (",, ;q=1,*;q=0.1", ["*"]),
    ],
)
def test_languages_are_wanted_by_weight(header: str | None, wanted: list[str]) -> None:
    assert languages(header) == wanted
