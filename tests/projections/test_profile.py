from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import projections
from projections import profile
from projections.acts import CARRIED, KNOWN_VERBS, OF_TOOLS
from projections.profile import ACTIVITY_TYPES, EXTENSIONS, PROFILE, VERBS, activity_type, extension

PUBLISHED: dict[str, Any] = json.loads((Path(projections.__file__).parent / "profile.jsonld").read_text())
CONCEPTS: list[dict[str, Any]] = PUBLISHED["concepts"]
TEMPLATES: list[dict[str, Any]] = PUBLISHED["templates"]


def ids(*kinds: str) -> set[str]:
    return {concept["id"] for concept in CONCEPTS if concept["type"] in kinds}


def constants(under: str) -> Iterator[str]:
    names = (value for value in vars(profile).values() if isinstance(value, str))
    return (name for name in names if name.startswith(under) and name != under)


def test_the_profile_is_published_under_its_own_name() -> None:
    assert PUBLISHED["id"] == PROFILE
    assert PUBLISHED["type"] == "Profile"
    assert PUBLISHED["@context"] == "https://w3id.org/xapi/profiles/context"
    assert PUBLISHED["conformsTo"] == "https://w3id.org/xapi/profiles#1.0"


def test_every_verb_in_the_code_is_published_and_no_other() -> None:
    assert ids("Verb") == set(constants(VERBS)) == set(KNOWN_VERBS)


def test_every_activity_type_is_published_and_no_other() -> None:
    assert ids("ActivityType") == {activity_type(kind) for kind in CARRIED if kind not in OF_TOOLS}
    assert all(one.startswith(ACTIVITY_TYPES) for one in ids("ActivityType"))


def test_every_extension_is_published_where_it_stands_in_a_statement() -> None:
    assert ids("ResultExtension") == {extension(kind) for kind in CARRIED}
    assert ids("ContextExtension") == set(constants(EXTENSIONS))


@pytest.mark.parametrize("part", [PUBLISHED, *CONCEPTS, *TEMPLATES], ids=lambda part: part["id"].removeprefix(PROFILE))
def test_every_part_has_a_label_and_a_definition(part: dict[str, Any]) -> None:
    assert part["prefLabel"]["en"]
    assert part["definition"]["en"].endswith(".")


@pytest.mark.parametrize("part", [*CONCEPTS, *TEMPLATES], ids=lambda part: part["id"].removeprefix(PROFILE))
def test_every_concept_and_template_belongs_to_the_version(part: dict[str, Any]) -> None:
    assert part["inScheme"] == PUBLISHED["versions"][0]["id"]


def test_no_name_is_published_twice() -> None:
    names = [part["id"] for part in [*CONCEPTS, *TEMPLATES]]
    assert len(set(names)) == len(names)


def test_each_act_has_one_template() -> None:
    expected = {(verb, extension(kind)) for kind, carried in CARRIED.items() for verb in carried.verbs}
    found = {
        (template["verb"], rule["location"].removeprefix("$.result.extensions['").removesuffix("']"))
        for template in TEMPLATES
        for rule in template["rules"]
    }
    assert found == expected
    assert len(TEMPLATES) == len(expected)


def test_an_extension_recommends_the_verbs_that_carry_it() -> None:
    recommended = {
        concept["id"]: tuple(concept["recommendedVerbs"]) for concept in CONCEPTS if "recommendedVerbs" in concept
    }
    assert recommended == {extension(kind): carried.verbs for kind, carried in CARRIED.items()}
