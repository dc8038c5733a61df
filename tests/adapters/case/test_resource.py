"""The adopted frameworks over HTTP as CASE 1.1 has them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters.case.native import exported
from adapters.case.translate import framework_of
from adapters.demo.activities import PACKAGE, framework
from projections import acts
from tests.adapters.case.test_strict import all_flaws
from tests.district import District
from tests.projections.scenes import FRAMEWORK, REGISTRAR, first_acts, post

BASE = "/ims/case/v1p1"
DEMO: dict[str, Any] = json.loads(PACKAGE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def adopted(shared_district: District) -> District:
    """A log with two frameworks: one from a CASE package, one of our own."""
    district = shared_district.with_new_log("case-export")
    post(district, [acts.adopt(framework(), REGISTRAR), *first_acts()])
    district.fold()
    return district


def get(district: District, path: str, status: int = 200, **query: Any) -> Any:
    answer = district.someone.get(f"{BASE}/{path}", query)
    assert answer.status_code == status, answer.text
    return answer.get_json()


def test_the_documents_are_listed_page_by_page(adopted: District) -> None:
    first = adopted.someone.get(f"{BASE}/CFDocuments", {"limit": 1})
    assert first.headers["X-Total-Count"] == "2"
    assert 'rel="next"' in first.headers["Link"]
    second = adopted.someone.get(f"{BASE}/CFDocuments", {"limit": 1, "offset": 1})
    assert 'rel="next"' not in second.headers["Link"]
    found = [one for page in (first, second) for one in page.get_json()["CFDocuments"]]
    assert {one["uri"] for one in found} == {DEMO["CFDocument"]["uri"], FRAMEWORK}
    assert all(one["CFPackageURI"]["uri"].endswith(f"CFPackages/{one['identifier']}") for one in found)


def test_a_package_goes_out_strictly_and_comes_back_in_the_same_bytes(adopted: District) -> None:
    for one in get(adopted, "CFDocuments")["CFDocuments"]:
        content = adopted.someone.get(f"{BASE}/CFPackages/{one['identifier']}").data
        assert all_flaws(json.loads(content)) == []
        document, _ = framework_of(json.loads(content))
        assert json.dumps(exported(document, "2030-01-01T00:00:00Z")) == json.dumps(json.loads(content))


def test_every_object_of_a_package_has_an_address(adopted: District) -> None:
    about, item, link = DEMO["CFDocument"], DEMO["CFItems"][4], DEMO["CFAssociations"][0]
    rubric = DEMO["CFRubrics"][0]
    assert get(adopted, f"CFDocuments/{about['identifier']}")["title"] == about["title"]
    assert get(adopted, f"CFItems/{item['identifier'].upper()}")["CFDocumentURI"]["uri"] == about["uri"]
    assert get(adopted, f"CFAssociations/{link['identifier']}")["associationType"] == "isChildOf"
    assert len(get(adopted, f"CFRubrics/{rubric['identifier']}")["CFRubricCriteria"]) == 2
    around = get(adopted, f"CFItemAssociations/{item['identifier']}")
    assert around["CFItem"]["fullStatement"] == item["fullStatement"]
    assert {"isChildOf", "precedes", "exactMatchOf"} == {one["associationType"] for one in around["CFAssociations"]}


@pytest.mark.parametrize(
    "kind",
    ["CFDocuments", "CFPackages", "CFItems", "CFItemAssociations", "CFAssociations", "CFRubrics", "CFConcepts",
     "CFAssociationGroupings", "CFLicenses", "CFSubjects", "CFItemTypes"],
)  # fmt: skip
def test_what_is_not_there_is_told_as_case_tells_it(adopted: District, kind: str) -> None:
    told = get(adopted, f"{kind}/00000000-0000-4000-8000-00000000dead", 404)
    assert told["imsx_codeMajor"] == "failure"
    assert told["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "unknownobject"


def test_definitions_have_addresses(district: District) -> None:
    kinds = {
        "CFConcepts": "CFConcepts", "CFSubjects": "CFSubjects", "CFItemTypes": "CFItemTypes",
        "CFLicenses": None, "CFAssociationGroupings": None,
    }  # fmt: skip
    names = {kind: f"00000000-0000-4000-8000-{place:012d}" for place, kind in enumerate(kinds, 900)}
    defined = {kind: [{"identifier": name, "title": kind}] for kind, name in names.items()}
    document, _ = framework_of({**DEMO, "CFDefinitions": defined})
    post(district, [acts.adopt({**document, "status": "draft"}, REGISTRAR)])
    district.fold()
    for kind, within in kinds.items():
        found = get(district, f"{kind}/{names[kind]}")
        assert (found[within][0] if within else found)["title"] == kind


def test_a_stranger_and_a_tool_that_only_writes_read_nothing(adopted: District) -> None:
    assert adopted.app.test_client().get(f"{BASE}/CFDocuments").status_code == 401
    answer = adopted.client("statements/write").get(f"{BASE}/CFDocuments")
    assert answer.status_code == 403
    assert answer.get_json()["imsx_CodeMinor"]["imsx_codeMinorField"][0]["imsx_codeMinorFieldValue"] == "forbidden"


def test_another_district_reads_its_own_frameworks_alone(adopted: District, district: District) -> None:
    district.fold()
    assert get(district, "CFDocuments")["CFDocuments"] == []


@pytest.mark.parametrize("query", [{"limit": 0}, {"offset": -1}, {"sort": "title"}])
def test_a_query_that_cannot_be_followed_is_refused(adopted: District, query: dict[str, Any]) -> None:
    assert get(adopted, "CFDocuments", 400, **query)["imsx_severity"] == "error"
