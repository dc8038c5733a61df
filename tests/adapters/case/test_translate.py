"""A CASE package with the traps of published ones, and what becomes of it."""

from __future__ import annotations

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.case.translate import framework_of
from adapters.case.values import TYPES
from lrs.errors import InvalidRequest
from projections.frameworks import documents

HERE = Path(__file__).parent
URI = "https://case.example/uri/"


def golden(name: str) -> Any:
    return json.loads(HERE.joinpath(name).read_text(encoding="utf-8"))


def identifier(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def node(number: int) -> dict[str, str]:
    return {"title": "End", "identifier": identifier(number), "uri": URI + identifier(number)}


def item(number: int, **fields: object) -> dict[str, Any]:
    names = {"identifier": identifier(number), "uri": URI + identifier(number)}
    return {**names, "fullStatement": f"Statement {number}.", "abbreviatedStatement": f"Name {number}", **fields}


def link(kind: str, origin: int, destination: int, **fields: object) -> dict[str, Any]:
    return {"associationType": kind, "originNodeURI": node(origin), "destinationNodeURI": node(destination), **fields}


def package(*items: dict[str, Any], links: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    document = {"identifier": identifier(1), "uri": URI + identifier(1), "title": "A framework", "version": "3"}
    tops = [link("isChildOf", number, 1) for number in range(10, 10 + len(items))]
    return {"CFDocument": document, "CFItems": list(items), "CFAssociations": [*tops, *links], "CFDefinitions": {}}


def without_source(framework: dict[str, Any]) -> dict[str, Any]:
    return dict(documents.kept(framework))


def adopted(framework: dict[str, Any]) -> documents.Framework:
    return documents.framework_of({**framework, "status": "draft"})


def warnings_of(given_package: dict[str, Any]) -> str:
    return "\n".join(framework_of(given_package)[1])


def competencies_of(given_package: dict[str, Any]) -> Any:
    return framework_of(given_package)[0]["competencies"]


def test_a_package_full_of_traps_becomes_the_golden_framework_and_its_warnings() -> None:
    framework, warnings = framework_of(golden("package.json"))
    assert framework["source"] == {"format": "CASE", "package": golden("package.json")}
    assert {"framework": without_source(framework), "warnings": warnings} == golden("framework.json")


def test_the_golden_framework_can_be_adopted() -> None:
    framework, _ = framework_of(golden("package.json"))
    assert len(adopted(framework).competencies) == 5


def test_a_translation_leaves_the_package_as_it_was() -> None:
    read = golden("package.json")
    before = copy.deepcopy(read)
    framework_of(read)
    assert read == before


def test_a_sound_package_gives_no_warning() -> None:
    assert framework_of(package(item(10), item(11), links=(link("precedes", 10, 11),)))[1] == []


def test_a_wrapper_around_the_package_is_read_with_a_warning() -> None:
    sound = package(item(10))
    framework, warnings = framework_of({"CFPackage": sound})
    assert without_source(framework) == without_source(framework_of(sound)[0])
    assert warnings == ["CASE has no CFPackage around a package; what is in it was read (/CFPackage)"]


def test_a_missing_document_is_refused_and_the_fix_is_named() -> None:
    with pytest.raises(InvalidRequest) as caught:
        framework_of({"CFItems": [item(10)]})
    assert [problem.pointer for problem in caught.value.problems] == ["/CFDocument"]
    assert "whole CFPackage" in caught.value.problems[0].message


@pytest.mark.parametrize("items", [None, [], {}, [None, 3], [{"fullStatement": "Nameless."}]])
def test_a_package_without_items_is_refused_and_the_fix_is_named(items: object) -> None:
    with pytest.raises(InvalidRequest) as caught:
        framework_of({**package(item(10)), "CFItems": items})
    assert [problem.pointer for problem in caught.value.problems] == ["/CFItems"]
    assert "export the CFPackage" in caught.value.problems[0].message


def test_a_finding_that_is_made_often_is_one_warning_with_its_count() -> None:
    found = warnings_of(package(*(item(number, CFItemType=None) for number in range(10, 172))))
    assert found == "CFItemType is null (/CFItems/0 and 161 more)"


def test_an_item_without_a_short_name_is_named_by_its_code() -> None:
    (competency,) = competencies_of(package(item(10, abbreviatedStatement=None, humanCodingScheme="A.1")))
    assert (competency["name"], competency["code"]) == ("A.1", "A.1")


def test_an_item_with_neither_short_name_nor_code_is_named_by_its_first_words() -> None:
    long = "Add, subtract, multiply and divide whole numbers, and check the result."
    (competency,) = competencies_of(package(item(10, abbreviatedStatement="", fullStatement=long)))
    assert (competency["name"], competency["statement"]) == (
        "Add, subtract, multiply and divide whole numbers, and…",
        long,
    )


def test_an_item_without_a_statement_is_stated_by_its_name() -> None:
    bare = package(item(10, fullStatement=None))
    assert competencies_of(bare)[0]["statement"] == "Name 10"
    assert "no fullStatement" in warnings_of(bare)


def test_a_child_of_the_document_and_an_item_without_a_parent_both_stand_at_the_top() -> None:
    apart = package(item(10), item(11))
    del apart["CFAssociations"][1]
    assert [one.get("parent") for one in competencies_of(apart)] == [None, None]
    assert framework_of(apart)[1] == ["item without isChildOf; it stands at the top (/CFItems/1)"]


def test_a_sequence_number_in_a_string_orders_siblings_all_the_same() -> None:
    ordered = package(item(10))
    ordered["CFAssociations"][0]["sequenceNumber"] = "7"
    assert competencies_of(ordered)[0]["order"] == 7
    assert "sequenceNumber is a string" in warnings_of(ordered)


@pytest.mark.parametrize("number", ["first", "1.5", -1, True, "9" * 5000, ["1"]])
def test_a_sequence_number_that_is_none_is_not_read(number: object) -> None:
    ordered = package(item(10))
    ordered["CFAssociations"][0]["sequenceNumber"] = number
    assert "order" not in competencies_of(ordered)[0]
    assert "is no whole number and is not read" in warnings_of(ordered)


def test_an_identifier_that_is_no_uuid_and_stands_alone_still_makes_a_uri() -> None:
    bare = package({"identifier": "box 1/2", "fullStatement": "Fold a box."})
    assert competencies_of(bare)[0]["uri"] == "urn:uuid:box%201/2"


def test_of_two_items_with_one_identifier_the_first_is_kept() -> None:
    doubled = package(item(10), item(10, fullStatement="Again.", uri=f"{URI}other"))
    del doubled["CFAssociations"][1]
    assert [one["statement"] for one in competencies_of(doubled)] == ["Statement 10."]
    assert framework_of(doubled)[1] == ["item with identifier or uri of an earlier item; left out (/CFItems/1)"]


def test_a_progression_to_another_framework_is_kept_with_a_warning() -> None:
    leading_out = package(item(10), links=(link("precedes", 10, 99),))
    assert framework_of(leading_out)[0]["progressions"] == [{"before": node(10)["uri"], "after": node(99)["uri"]}]
    assert "precedes with an end outside the package" in warnings_of(leading_out)


def test_a_progression_that_names_no_end_is_left_out_with_a_warning() -> None:
    nowhere = {"associationType": "precedes", "originNodeURI": node(10), "destinationNodeURI": None}
    assert framework_of(package(item(10), links=(nowhere,)))[0]["progressions"] == []
    assert "precedes with an end outside the package" in warnings_of(package(item(10), links=(nowhere,)))


def test_an_end_that_is_a_bare_uri_is_understood() -> None:
    bare = {"associationType": "precedes", "originNodeURI": node(10)["uri"], "destinationNodeURI": node(11)["uri"]}
    found = framework_of(package(item(10), item(11), links=(bare,)))
    sound, warnings = framework_of(package(item(10), item(11), links=(link("precedes", 10, 11),)))
    assert (without_source(found[0]), found[1]) == (without_source(sound), warnings)


def test_the_same_progression_told_twice_is_one() -> None:
    twice = package(item(10), item(11), links=(link("precedes", 10, 11), link("precedes", 10, 11)))
    assert len(framework_of(twice)[0]["progressions"]) == 1


def test_a_ring_of_progressions_is_a_warning_with_its_chain() -> None:
    ring = package(
        item(10), item(11), item(12), links=tuple(link("precedes", *ends) for ends in ((10, 11), (11, 12), (12, 10)))
    )
    chain = " → ".join(node(number)["uri"] for number in (10, 11, 12, 10))
    assert framework_of(ring)[1] == [f"precedes runs in a ring, kept as it is: {chain} (/CFAssociations/5)"]


def test_the_chain_of_a_long_ring_is_shortened() -> None:
    ring = tuple(link("precedes", 10 + number, 10 + (number + 1) % 40) for number in range(40))
    (warning,) = framework_of(package(*(item(number) for number in range(10, 50)), links=ring))[1]
    assert warning.count(" → ") == 13


def test_a_ring_of_parents_is_cut_so_that_the_framework_can_be_adopted() -> None:
    ring = {**package(item(10), item(11)), "CFAssociations": [link("isChildOf", 10, 11), link("isChildOf", 11, 10)]}
    framework, warnings = framework_of(ring)
    assert [one.parent for one in adopted(framework).competencies] == [node(11)["uri"], None]
    assert "isChildOf runs in a ring, cut at its last step" in warnings[0]


def test_an_item_under_itself_stands_at_the_top() -> None:
    under_itself = {**package(item(10)), "CFAssociations": [link("isChildOf", 10, 10)]}
    assert "parent" not in competencies_of(under_itself)[0]


@pytest.mark.parametrize("kind", [*sorted(TYPES - {"isChildOf", "precedes"}), "ext:leadsTo"])
def test_every_other_type_of_association_is_held_with_both_ends(kind: str) -> None:
    found = package(item(10), links=(link(kind, 10, 98), link(kind, 97, 10)))
    framework, warnings = framework_of(found)
    assert framework["associations"] == [
        {"type": kind, "origin": node(10)["uri"], "destination": node(98)["uri"], "title": "End"},
        {"type": kind, "origin": node(97)["uri"], "destination": node(10)["uri"], "title": "End"},
    ]
    assert warnings == []
    assert len(adopted(framework).associations) == 2


def test_a_type_of_association_that_case_does_not_have_becomes_one_of_an_extension() -> None:
    framework, warnings = framework_of(package(item(10), links=(link("looks like", 10, 10),)))
    assert [one["type"] for one in framework["associations"]] == ["ext:looks-like"]
    assert warnings == ["associationType is not of CASE; taken as one of an extension (/CFAssociations/1)"]


def test_an_association_without_a_type_is_left_out_with_a_warning() -> None:
    untyped = {**link("x", 10, 10), "associationType": None}
    framework, warnings = framework_of(package(item(10), links=(untyped,)))
    assert framework["associations"] == []
    assert warnings == ["no associationType; left out (/CFAssociations/1)"]


def test_an_extension_or_the_type_of_an_item_says_facets_and_strand() -> None:
    habits = item(10, extensions={"cairn:strand": "work_habits", "cairn:facets": ["skill", "application"]})
    skill, other = item(11, CFItemType="Skill"), item(12, CFItemType="Standard", extensions={"cairn:strand": "x"})
    read = adopted(framework_of(package(habits, skill, other))[0]).competencies
    assert [(one.facets, one.strand) for one in read] == [
        (("skill", "application"), "work_habits"), (("skill",), "academic"), ((), "academic"),
    ]  # fmt: skip


def test_a_statement_that_is_too_long_is_cut_and_the_package_keeps_it_whole() -> None:
    long = package(item(10, fullStatement="long " * 3_000))
    framework, warnings = framework_of(long)
    assert len(adopted(framework).competencies[0].statement) == 10_000
    assert warnings == ["fullStatement is longer than a framework takes; cut (/CFItems/0)"]
    assert framework["source"]["package"] == long


@pytest.mark.parametrize(
    ("document", "version"),
    [
        ({"version": "2026"}, "2026"),
        ({"version": 2.1}, "2.1"),
        ({"lastChangeDateTime": "2026-01-02"}, "2026-01-02"),
        ({}, "undated"),
    ],
)
def test_the_version_is_the_documents_or_its_last_change(document: dict[str, object], version: str) -> None:
    dated = package(item(10))
    del dated["CFDocument"]["version"]
    dated["CFDocument"] |= document
    assert framework_of(dated)[0]["version"] == version


def test_2500_items_take_well_under_two_seconds() -> None:
    items = [item(number) for number in range(10, 2510)]
    chain = tuple(link("precedes", number, number + 1) for number in range(10, 2510))
    begin = time.perf_counter()
    framework, _ = framework_of(package(*items, links=chain))
    assert time.perf_counter() - begin < 1
    assert len(framework["progressions"]) == 2500


NAMES = st.sampled_from([identifier(number) for number in (1, 10, 11, 12)])
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), NAMES, NAMES.map(URI.__add__))
NODES = st.one_of(LEAVES, st.fixed_dictionaries({}, optional={"identifier": LEAVES, "uri": LEAVES}))
ITEMS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("identifier", "uri", "fullStatement", "humanCodingScheme", "CFItemType"), LEAVES)
)
LINKS = st.fixed_dictionaries(
    {"associationType": st.sampled_from(["isChildOf", "precedes", "isPeerOf", None, 3])},
    optional={"originNodeURI": NODES, "destinationNodeURI": NODES, "sequenceNumber": LEAVES},
)


@settings(deadline=None)
@given(st.lists(st.one_of(ITEMS, LEAVES), max_size=6), st.lists(st.one_of(LINKS, LEAVES), max_size=8))
def test_whatever_stands_in_items_and_associations_one_sound_item_is_enough(items: list[Any], links: list[Any]) -> None:
    framework, _ = framework_of({**package(item(10), *items), "CFAssociations": links})
    assert adopted(framework).competencies[0].uri == node(10)["uri"]
