"""The OpenAPI document tells of everything that is served under /xapi and /api, and of nothing else."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

import wsgi
from lrs.resources.openapi import document
from lrs.resources.operations import OPERATIONS, PARAMETER_SCHEMAS
from lrs.settings import Settings
from lrs.xapi import documents, query, statement
from lrs.xapi.documents import ACTIVITY_PROFILE, AGENT_PROFILE, STATE
from tests.district import District, said
from tests.lrs.xapi import examples


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    return wsgi.build_app(Settings(data_dir=str(tmp_path_factory.mktemp("openapi"))))


@pytest.fixture(scope="module")
def told(app: Flask) -> dict[str, Any]:
    return document(app)


def validator(told: dict[str, Any], name: str) -> Draft202012Validator:
    return Draft202012Validator({"$ref": f"#/components/schemas/{name}", "components": told["components"]})


def test_it_is_an_openapi_3_1_document(told: dict[str, Any]) -> None:
    assert list(map(str, OpenAPIV31SpecValidator(told).iter_errors())) == []


def test_it_tells_every_path_and_method_that_is_served_and_no_other(app: Flask, told: dict[str, Any]) -> None:
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(("/xapi", "/api", "/ims"))
        for method in (rule.methods or set()) - {"OPTIONS"}
    }
    assert {(path, method) for path, operations in told["paths"].items() for method in operations} == served


def test_every_operation_that_is_described_is_served(app: Flask) -> None:
    assert set(app.extensions["openapi"]) <= set(app.view_functions)
    assert set(OPERATIONS) <= set(app.extensions["openapi"])


def test_every_operation_has_a_summary_and_an_id_of_its_own(told: dict[str, Any]) -> None:
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert all(one["summary"] for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)


def test_every_parameter_of_xapi_is_told_with_its_schema() -> None:
    resources = (STATE, ACTIVITY_PROFILE, AGENT_PROFILE)
    of_documents = {name for one in resources for name in documents.parameters(one, "GET")}
    assert set(PARAMETER_SCHEMAS) == {*query.PARAMETERS, *of_documents, "activityId", "agent", "more"}


@pytest.mark.parametrize("make", [examples.least, examples.full, examples.nested])
def test_a_statement_that_is_valid_has_the_shape_that_is_told(told: dict[str, Any], make: Any) -> None:
    assert statement.problems(make(), "1.0.3") == []
    assert [one.message for one in validator(told, "Statement").iter_errors(make())] == []


@pytest.mark.parametrize("place", [place for place, _ in examples.places(examples.full()) if place])
def test_a_shape_that_is_told_has_no_place_for_what_no_statement_has(told: dict[str, Any], place: str) -> None:
    """Only free texts, extensions and language maps take what they get."""
    holder = examples.with_value(examples.full(), place, {"dummy!": []})
    is_free = place.endswith("/extensions") or not statement.problems(holder, "1.0.3")
    assert is_free or not validator(told, "Statement").is_valid(holder)


def test_what_is_answered_has_the_shape_that_is_told(district: District, told: dict[str, Any]) -> None:
    asking = district.someone
    assert asking.post(examples.full()).status_code == 200
    answers = {
        "StatementResult": asking.get(),
        "Statement": asking.get(query={"statementId": examples.full()["id"]}),
        "About": asking.get("/xapi/about"),
        "Problem": asking.post([{}]),
        "Person": asking.get("/xapi/agents", {"agent": '{"mbox":"mailto:ben@School.Example.org"}'}),
        "Activity": asking.get("/xapi/activities", {"activityId": examples.QUIZ["id"]}),
    }
    for name, answer in answers.items():
        assert [one.message for one in validator(told, name).iter_errors(said(answer))] == [], name


def test_the_document_needs_no_credential(district: District) -> None:
    answer = district.app.test_client().get("/api/openapi.json")
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert said(answer)["openapi"] == "3.1.0"
