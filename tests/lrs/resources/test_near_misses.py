"""What a tool's maker gets nearly right is answered with the way to get it right."""

from __future__ import annotations

from typing import Any

import pytest

from lrs.resources.hints import hint_for
from tests.district import VERSION, District, said, statement


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/xAPI/statements", "/xapi/statements"),
        ("/XAPI/activities/state", "/xapi/activities/state"),
        ("/statements", "/xapi/statements"),
        ("/statements/", "/xapi/statements"),
        ("/lrs/activities/state", "/xapi/activities/state"),
        ("/data/xAPI/agents/profile", "/xapi/agents/profile"),
        ("/xapi", "add one, such as /xapi/statements"),
        ("/xapi/", "add one, such as /xapi/statements"),
        ("/xapi/statement", "/xapi/statements"),
        ("/xapi/Statements", "/xapi/statements"),
        ("/xapi/statements/0d8f", "statementId="),
        ("/xapi//statements", "/xapi/statements"),
        ("//xapi/statements", "/xapi/statements"),
        ("/xapi/xapi/statements", "stands twice"),
        ("/xapi/activity/state", "/xapi/activities/state"),
        ("/xapi/activities/states", "/xapi/activities/state"),
        ("/xapi/activity", "/xapi/activities"),
        ("/xapi/activity/profile", "/xapi/activities/profile"),
        ("/xapi/agent/profile", "/xapi/agents/profile"),
        ("/xapi/agent", "/xapi/agents"),
        ("/xapi/nothing", "the resources are"),
    ],
)
def test_a_path_that_is_nearly_right_is_404_and_told_the_right_one(district: District, path: str, words: str) -> None:
    headers = district.someone.headers
    for method in ("GET", "PUT", "POST"):
        answer = district.app.test_client().open(f"http://localhost{path}", method=method, headers=headers)
        assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
        assert words in said(answer)["detail"]


@pytest.mark.parametrize("path", ["/", "/learners", "/api/v1/nothing", "/favicon.ico", "/a//b", "/statementsx"])
def test_what_has_nothing_to_do_with_xapi_gets_no_hint(path: str) -> None:
    assert hint_for(path) is None


@pytest.mark.parametrize("kind", ["text/json", "application/x-json", "application/x-www-form-urlencoded", ""])
def test_another_content_type_is_told_the_right_one(district: District, kind: str) -> None:
    answer = district.someone.post(statement(), Content_Type=kind)
    assert answer.status_code == 415
    assert "application/json" in said(answer)["detail"]


def test_a_missing_version_header_is_told_by_name(district: District) -> None:
    headers = {"Authorization": district.someone.headers["Authorization"]}
    answer = district.app.test_client().get("/xapi/statements", headers=headers)
    assert "X-Experience-API-Version: 2.0.0" in said(answer)["detail"]


@pytest.mark.parametrize(
    ("place", "pointer"), [({"language": "en_US"}, "/context/language"), (None, "/verb/display/en_US")]
)
def test_a_locale_is_told_the_language_tag_that_it_means(
    district: District, place: dict[str, Any] | None, pointer: str
) -> None:
    sent = statement(context=place) if place else statement()
    if not place:
        sent["verb"]["display"] = {"en_US": "x"}
    (problem,) = said(district.someone.post(sent))["problems"]
    assert problem["pointer"] == pointer
    assert '"en-US"' in problem["message"]


@pytest.mark.parametrize("name", ["statementid", "StatementID", "id"])
def test_a_put_with_a_miscased_parameter_is_told_the_right_one(district: District, name: str) -> None:
    sent = statement()
    headers = {**district.someone.headers, "Content-Type": "application/json"}
    answer = district.app.test_client().put(f"/xapi/statements?{name}={sent['id']}", json=sent, headers=headers)
    assert answer.status_code == 400
    assert "statementId" in said(answer)["detail"]


@pytest.mark.parametrize(
    ("authorization", "words"),
    [
        ("Basic not base64!", "base64"),
        ("key:secret", "send HTTP Basic"),
        ("", "send HTTP Basic"),
    ],
)
def test_credentials_that_cannot_be_read_are_told_from_wrong_ones(
    district: District, authorization: str, words: str
) -> None:
    answer = district.app.test_client().get("/xapi/statements", headers={**VERSION, "Authorization": authorization})
    assert answer.status_code == 401
    assert words in said(answer)["detail"]
