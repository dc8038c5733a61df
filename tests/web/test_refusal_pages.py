"""Refused requests as people read them."""

from __future__ import annotations

from tests.district import statement
from tests.web.browser import browser, faults
from tests.web.school import HOSTILE, School


def test_the_newest_refusals_are_listed_with_who_and_why(own_school: School) -> None:
    tool = own_school.district.client("statements/write")
    tool.post({"actor": {}})
    page = own_school.reader.page("/refusals")
    assert faults(page) == []
    for words in (tool.key, "POST /xapi/statements", "400", "nothing was stored"):
        assert words in page


def test_one_refusal_shows_every_problem_and_the_body_as_text(own_school: School) -> None:
    tool = own_school.district.client("statements/write")
    tool.post({**statement(), "dummy": HOSTILE})
    (found,) = tool.get("/api/v1/refusals").get_json()["refusals"]
    page = own_school.reader.page(f"/refusals/{found['id']}")
    assert faults(page) == []
    assert "/dummy" in page
    assert "How the body begins" in page
    assert "<script" not in page


def test_older_refusals_are_on_the_next_page(own_school: School) -> None:
    tools = [own_school.district.client("statements/write") for _ in range(2)]
    for tool in tools:
        for _ in range(30):
            tool.get("/xapi/statement")
    page = own_school.reader.page("/refusals")
    assert "Older refusals" in page
    address = page.split('href="/refusals?before=')[1].split('"')[0]
    assert tools[0].key in own_school.reader.page(f"/refusals?before={address}")


def test_a_refusal_of_another_district_is_not_shown(own_school: School) -> None:
    other = own_school.district.with_new_log(f"{own_school.district.log.slug}x").client("statements/write")
    other.post({})
    (found,) = other.get("/api/v1/refusals").get_json()["refusals"]
    assert own_school.reader.get(f"/refusals/{found['id']}").status_code == 404
    assert other.key not in own_school.reader.page("/refusals")


def test_a_stranger_is_sent_to_sign_in(own_school: School) -> None:
    for path in ("/refusals", "/refusals/1"):
        assert browser(own_school.district.app).get(path).status_code == 303
