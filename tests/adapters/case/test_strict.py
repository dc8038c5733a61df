"""Packages of any making, strictly: what CASE 1.1 requires and allows, nothing lost, always the same bytes."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.case.native import exported, package_of
from adapters.case.schema import CLASSES, REQUIRED, Each
from adapters.case.strict import strict_bytes, strict_package
from adapters.case.translate import framework_of
from adapters.case.values import READERS, made_uuid, moment_in
from adapters.demo.activities import PACKAGE
from projections.frameworks.documents import framework_of as read
from projections.frameworks.documents import kept
from tests.adapters.case.test_translate import ITEMS, LEAVES, LINKS, URI, golden, identifier, item, link, node, package

NOW = "2026-11-01T08:00:00Z"
UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\Z")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
SAMPLES = {"traps": golden("package.json"), "demo": json.loads(PACKAGE.read_text(encoding="utf-8"))}


def flaws(name: str, one: dict[str, Any], place: str = "") -> Iterator[str]:
    """Yield where an object is not what CASE 1.1 has inside a package: by hand, what the official schema demands."""
    fields = CLASSES[name]
    yield from (f"{place}/{key}: unknown" for key in one.keys() - fields.keys() - {"extensions"})
    yield from (f"{place}/{key}: missing" for key in REQUIRED.get(name, ()) if key not in one)
    for key, value in one.items():
        kind = fields.get(key)
        if isinstance(kind, Each):
            for row in value:
                yield from flaws(kind.name, row, f"{place}/{key}")
        elif kind and READERS[kind](value) != value:
            yield f"{place}/{key}: {value!r} is no {kind}"
    if not UUID.match(one.get("identifier", "")) and REQUIRED.get(name):
        yield f"{place}/identifier: no UUID"


def all_flaws(found: dict[str, Any]) -> list[str]:
    lists = {"CFItems": "CFItem", "CFAssociations": "CFAssociation", "CFRubrics": "CFRubric"}
    flawed = [*flaws("CFDocument", found["CFDocument"]), *flaws("CFDefinitions", found.get("CFDefinitions", {}))]
    for key, name in lists.items():
        for row in found.get(key, []):
            flawed += flaws(name, row, key)
    return [*flawed, *(found.keys() - {"CFDocument", "CFDefinitions", "extensions", *lists})]


@pytest.mark.parametrize("name", SAMPLES)
def test_a_package_of_any_making_goes_out_without_a_flaw(name: str) -> None:
    found = strict_package(SAMPLES[name], NOW)
    assert all_flaws(found) == []
    assert found["CFDocument"]["caseVersion"] == "1.1"


@pytest.mark.parametrize("name", SAMPLES)
def test_export_import_export_gives_the_same_bytes(name: str) -> None:
    first = strict_bytes(strict_package(SAMPLES[name], NOW))
    document, _ = framework_of(json.loads(first))
    assert strict_bytes(exported(document, "2027-01-01T00:00:00Z")) == first


@pytest.mark.parametrize("name", SAMPLES)
def test_what_is_imported_again_is_the_same_framework(name: str) -> None:
    there, _ = framework_of(SAMPLES[name])
    back, _ = framework_of(strict_package(SAMPLES[name], NOW))
    differing = {key for key in kept(there) if kept(there)[key] != kept(back)[key]}
    assert differing <= {"version"}
    assert {one["uri"] for one in there["competencies"]} == {one["uri"] for one in back["competencies"]}


def test_a_strict_form_leaves_the_package_as_it_was() -> None:
    before = copy.deepcopy(SAMPLES["traps"])
    strict_package(SAMPLES["traps"], NOW)
    assert SAMPLES["traps"] == before


def test_what_case_has_no_field_for_goes_on_under_extensions() -> None:
    odd = item(10, educationalLevel="06", extensions={"smartLevel": "1.2"}, CFItemTypeURI={"identifier": "no uuid"})
    (found,) = strict_package(package(odd), NOW)["CFItems"]
    assert found["extensions"] == {
        "smartLevel": "1.2",
        "educationalLevel": "06",
        "CFItemTypeURI": {"identifier": "no uuid"},
    }


def test_an_extension_whose_name_is_taken_gets_a_name_of_its_own() -> None:
    odd = item(10, educationalLevel="06", extensions={"educationalLevel": "07"})
    (found,) = strict_package(package(odd), NOW)["CFItems"]
    assert found["extensions"] == {"educationalLevel": "07", "educationalLevel_": "06"}


def test_what_cannot_be_an_item_or_an_association_is_kept_with_the_package() -> None:
    nowhere = {"associationType": "precedes", "originNodeURI": node(10)}
    given_package = package(item(10), item(10, uri=f"{URI}again"), links=(nowhere,))
    unread = strict_package({**given_package, "tool": "x"}, NOW)["extensions"]
    assert unread["cairn:unread"]["CFItems"] == [item(10, uri=f"{URI}again")]
    assert unread["cairn:unread"]["CFAssociations"] == [nowhere]
    assert unread["tool"] == "x"


def test_numbers_and_dates_in_texts_are_written_as_case_has_them() -> None:
    dated = item(10, statusStartDate="2020-01-02T00:00:00", lastChangeDateTime="2020-01-02T03:04:05")
    found = strict_package(package(dated, links=(link("precedes", 10, 10, sequenceNumber="7"),)), NOW)
    assert found["CFItems"][0]["statusStartDate"] == "2020-01-02"
    assert found["CFItems"][0]["lastChangeDateTime"] == "2020-01-02T03:04:05Z"
    assert found["CFAssociations"][-1]["sequenceNumber"] == 7


def test_what_names_no_time_was_changed_with_the_document_or_adopted_then() -> None:
    bare = package(item(10))
    assert strict_package(bare, NOW)["CFItems"][0]["lastChangeDateTime"] == NOW
    bare["CFDocument"]["lastChangeDateTime"] = "2019-01-01T00:00:00+02:00"
    assert strict_package(bare, NOW)["CFItems"][0]["lastChangeDateTime"] == "2019-01-01T00:00:00+02:00"


def test_an_end_inside_the_package_goes_by_its_strict_name() -> None:
    boxes = {"identifier": "box 1", "fullStatement": "Fold a box."}
    found = strict_package(
        package(boxes, links=({"associationType": "precedes", "originNodeURI": "box 1", "destinationNodeURI": URI},)),
        NOW,
    )
    (made,) = found["CFItems"]
    assert made["identifier"] == made_uuid("box 1")
    assert made["extensions"] == {"identifier": "box 1"}
    assert found["CFAssociations"][-1]["originNodeURI"]["identifier"] in (made["identifier"], made_uuid("box 1"))


@pytest.mark.parametrize(
    ("written", "strict"),
    [
        ("2017-05-25T18:05:33", "2017-05-25T18:05:33Z"),
        ("2017-05-25 18:05", "2017-05-25T18:05:00Z"),
        ("2017-05-25", "2017-05-25T00:00:00Z"),
        ("2017-05-25T18:05:33.123456789+0200", "2017-05-25T18:05:33.123456789+02:00"),
        ("2017-13-25T18:05:33Z", None),
        ("25 May 2017", None),
        (20170525, None),
    ],
)
def test_moments_are_written_with_an_offset(written: object, strict: str | None) -> None:
    assert moment_in(written) == strict
    assert strict is None or MOMENT.match(strict)


RATIOS = "https://example.org/c/1"
NATIVE: dict[str, Any] = {
    "uri": "https://example.org/frameworks/mathematics",
    "title": "Mathematics",
    "version": "2026",
    "creator": "District",
    "scale": {"id": "https://example.org/scales/four", "version": 1},
    "competencies": [
        {"uri": "https://example.org/c/1", "name": "Ratios", "statement": "Can do.", "order": 1, "facets": ["skill"]},
        {"uri": "https://example.org/c/2", "name": "Care", "statement": "Is careful.", "strand": "work_habits"},
        {"uri": "https://example.org/c/3", "name": "Rates", "statement": "x", "code": "R", "parent": RATIOS},
    ],
    "progressions": [{"before": "https://example.org/c/1", "after": "https://example.org/c/2"}],
    "associations": [
        {"type": "exactMatchOf", "origin": RATIOS, "destination": "https://state.example/1", "title": "S1"}
    ],
    "rubrics": [
        {
            "id": "https://example.org/rubrics/1",
            "title": "Looking",
            "criteria": [
                {
                    "id": "https://example.org/rubrics/1/a",
                    "category": "A",
                    "competency": "https://example.org/c/1",
                    "weight": "2",
                    "levels": [
                        {"quality": "Low", "score": "1", "feedback": "More."},
                        {"quality": "High", "score": "2.5", "exemplars": ["https://example.org/work/1"]},
                    ],
                }
            ],
        }
    ],
}  # fmt: skip


def test_a_framework_of_our_own_goes_out_as_case_and_comes_back_the_same() -> None:
    out = exported(NATIVE, NOW)
    assert all_flaws(out) == []
    back, warnings = framework_of(json.loads(strict_bytes(out)))
    assert read(kept(back)) == read(NATIVE)
    assert warnings == []
    assert strict_bytes(exported(back, "2027-01-01T00:00:00Z")) == strict_bytes(out)


def test_every_item_of_our_own_has_the_same_uuid_whenever_it_goes_out() -> None:
    assert package_of(NATIVE) == package_of(copy.deepcopy(NATIVE))
    assert all(UUID.match(one["identifier"]) for one in package_of(NATIVE)["CFItems"])


DEFINITIONS = st.fixed_dictionaries({}, optional={"CFItemTypes": st.lists(ITEMS, max_size=2), "CFConcepts": LEAVES})
RUBRICS = st.lists(
    st.one_of(
        LEAVES, st.fixed_dictionaries({"title": LEAVES}, optional={"CFRubricCriteria": st.lists(ITEMS, max_size=2)})
    ),
    max_size=2,
)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.one_of(ITEMS, LEAVES), max_size=5),
    st.lists(st.one_of(LINKS, LEAVES), max_size=5),
    st.one_of(LEAVES, DEFINITIONS),
    RUBRICS,
)
def test_whatever_comes_in_goes_out_strictly_and_stays_so(
    items: list[Any], links: list[Any], definitions: object, rubrics: list[Any]
) -> None:
    more = {"CFAssociations": links, "CFDefinitions": definitions, "CFRubrics": rubrics}
    found = strict_package({**package(item(10), *items), **more}, NOW)
    assert all_flaws(found) == []
    content = strict_bytes(found)
    assert strict_bytes(strict_package(json.loads(content), "2030-01-01T00:00:00Z")) == content
    assert found["CFItems"][0]["identifier"] == identifier(10)
