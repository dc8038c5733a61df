"""What all pages have in common: headers, errors as pages for people and as problem details for programs."""

from __future__ import annotations

import pytest

from tests.web.browser import browser, faults
from tests.web.school import School


@pytest.mark.parametrize("path", ["/", "/quarantine", "/sign-in", "/nowhere"])
def test_a_page_may_load_nothing_from_elsewhere(school: School, path: str) -> None:
    headers = browser(school.district.app).get(path).headers if path == "/sign-in" else school.reader.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"


def test_no_page_leads_to_another_site(school: School) -> None:
    for path in ("/", school.address("one"), school.decision("one"), school.credit("one"), "/quarantine"):
        page = school.reader.page(path)
        assert 'href="http' not in page
        assert 'src="http' not in page


@pytest.mark.parametrize("name", ["cairn.css", "cairn.svg"])
def test_static_files_are_our_own(school: School, name: str) -> None:
    answer = browser(school.district.app).get(f"/static/{name}")
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert b"http" not in answer.data.replace(b"http://www.w3.org/2000/svg", b"")
    answer.close()


def test_what_is_not_there_is_told_on_a_page(school: School) -> None:
    answer = school.reader.get("/nowhere")
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert faults(answer.text) == []


def test_a_program_gets_problem_details(school: School) -> None:
    answer = school.district.app.test_client().get("/nowhere", headers={"Accept": "application/json"})
    assert answer.mimetype == "application/problem+json"


def test_below_the_api_even_a_browser_gets_problem_details(school: School) -> None:
    for path in ("/xapi/nowhere", "/api/v1/learners", "/logs/nowhere"):
        assert browser(school.district.app).get(path).mimetype == "application/problem+json"


def test_a_method_that_a_page_does_not_take_is_told_on_a_page(school: School) -> None:
    answer = school.reader.post("/quarantine")
    assert answer.status_code == 405
    assert faults(answer.text) == []


def test_a_fault_of_ours_tells_nothing_of_the_inside(school: School, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> str:
        raise RuntimeError("the inside")

    monkeypatch.setitem(school.district.app.view_functions, "pages.quarantine", fails)
    answer = school.reader.get("/quarantine")
    assert answer.status_code == 500
    assert "the inside" not in answer.text
    assert faults(answer.text) == []


def test_a_moment_that_cannot_be_read_is_told_with_the_way_back(school: School) -> None:
    answer = school.reader.get("/?q=one&as_of=yesterday")
    assert answer.status_code == 400
    assert 'href="/?q=one"' in answer.text
    assert faults(answer.text) == []
