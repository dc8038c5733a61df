"""Refused requests are kept for people: what, whose, why, and the body for a while."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from lrs.resources.headers import KEPT_BYTES
from lrs.resources.refusals import MOST_LISTED_A_MINUTE, MOST_PROBLEMS, Recorder
from lrs.store import refusals
from lrs.store.engine import immediate
from lrs.store.tables import refusal
from lrs.xapi.values import timestamp_us
from tests.district import VERSION, Client, District, open_district, said, statement

PATH = "/api/v1/refusals"


@pytest.fixture
def alone(district: District) -> Iterator[District]:
    """The same log behind a server that has refused nobody yet: strangers of other tests are counted together."""
    with open_district(district.settings) as one:
        yield replace(district, app=one.app)


def listed(client: Client, **query: Any) -> list[dict[str, Any]]:
    answer = client.get(PATH, query)
    assert answer.status_code == 200
    found: list[dict[str, Any]] = said(answer)["refusals"]
    return found


@pytest.fixture
def tool(district: District) -> Client:
    """A credential of the test's own, whose refusals nobody else's mix with."""
    return district.client("statements/write", "statements/read/mine")


def test_a_refused_statement_is_listed_with_its_reasons_and_its_body(district: District, tool: Client) -> None:
    sent = b'{"actor": {}, "verb": 1}'
    answer = tool.post(sent)
    (found,) = listed(tool)
    assert (found["key"], found["method"], found["path"], found["status"]) == (
        tool.key,
        "POST",
        "/xapi/statements",
        400,
    )
    assert (found["title"], found["detail"]) == (said(answer)["title"], said(answer)["detail"])
    assert (found["problems"], found["problem_count"]) == (said(answer)["problems"], said(answer)["problem_count"])
    assert (found["size"], found["content_type"], found["unlisted"]) == (len(sent), "application/json", 0)
    one = said(tool.get(f"{PATH}/{found['id']}"))
    assert one == {**found, "body": sent.decode()}


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        (lambda tool: tool.post(b"{"), 400),
        (lambda tool: tool.get(query={"foo": "bar"}), 400),
        (lambda tool: tool.get("/xapi/activities/state"), 403),
        (lambda tool: tool.post(statement(), Content_Type="text/plain"), 415),
        (lambda tool: tool.send("PATCH"), 405),
        (lambda tool: tool.get("/xapi/statement"), 404),
        (lambda tool: tool.get("/xAPI/statements"), 404),
        (lambda tool: tool.get(X_Experience_API_Version="0.9"), 400),
        (lambda tool: tool.post(b"x" * 10_000_001), 413),
        (lambda tool: tool.post(b"x", Content_Encoding="br"), 415),
    ],
)
def test_every_kind_of_refusal_is_kept(tool: Client, ask: Any, status: int) -> None:
    assert ask(tool).status_code == status
    assert [one["status"] for one in listed(tool)] == [status]


def test_a_conflict_is_kept(tool: Client) -> None:
    sent = statement()
    tool.post(sent)
    assert tool.post({**sent, "result": {"success": True}}).status_code == 409
    assert [one["problems"][0]["pointer"] for one in listed(tool, status="409")] == ["/id"]


def test_what_is_answered_and_what_is_merely_not_there_is_not_kept(tool: Client) -> None:
    tool.post(statement())
    assert tool.get(query={"statementId": statement()["id"]}).status_code == 404
    assert tool.get("/xapi/about").status_code == 200
    assert listed(tool) == []


def test_each_sees_its_own_and_who_reads_all_sees_the_log(district: District, tool: Client) -> None:
    other = district.client("statements/write")
    tool.post({})
    other.post({})
    assert {one["key"] for one in listed(tool)} == {tool.key}
    assert {one["key"] for one in listed(district.client("all/read"))} >= {tool.key, other.key}
    mine = listed(tool)[0]["id"]
    assert other.get(f"{PATH}/{mine}").status_code == 404
    stranger = district.with_new_log(f"{district.log.slug}x").client("all")
    assert tool.key not in {one["key"] for one in listed(stranger)}
    assert stranger.get(f"{PATH}/{mine}").status_code == 404
    assert district.app.test_client().get(PATH).status_code == 401


def test_the_list_can_be_narrowed_and_goes_on_in_pages(district: District, tool: Client) -> None:
    for _ in range(5):
        tool.post({})
    tool.get("/xapi/activities/state")
    reader = district.client("all/read")
    assert len(listed(reader, credential=tool.key)) == 6
    assert len(listed(reader, credential=tool.key, status="403")) == 1
    first = said(reader.get(PATH, {"credential": tool.key, "limit": "4"}))
    rest = said(reader.get(PATH, {"credential": tool.key, "limit": "4", "before": str(first["before"])}))
    found = [one["id"] for page in (first, rest) for one in page["refusals"]]
    assert (found, rest["before"]) == (sorted(set(found), reverse=True), None)
    assert len(found) == 6


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "before=0", "status=200", "foo=bar", "before=99999999999999"])
def test_a_query_that_cannot_be_understood_is_400(tool: Client, query: str) -> None:
    answer = tool.get(f"{PATH}?{query}")
    assert (answer.status_code, said(answer)["problems"][0]["pointer"]) == (400, f"?{query.partition('=')[0]}")


@pytest.mark.parametrize("path", [f"{PATH}/0", f"{PATH}/99999999999999999999", f"{PATH}/x"])
def test_a_refusal_that_there_is_not_is_404(tool: Client, path: str) -> None:
    assert tool.get(path).status_code == 404


def test_no_secret_is_kept(alone: District) -> None:
    """Neither of who is known nor of a stranger, who may have taken secret for key."""
    tool = alone.client("statements/write")
    tool.post({})
    client = alone.app.test_client()
    swapped = base64.b64encode(f"{tool.secret}:{tool.key}".encode()).decode()
    client.post("/xapi/statements", data=b"private", headers={**VERSION, "Authorization": f"Basic {swapped}"})
    form = b"Authorization=" + tool.secret.encode()
    client.post("/xapi/statements?method=FOO", data=form, headers={**tool.headers, "Content-Type": "text/plain"})
    reader = alone.client("all/read")
    texts = [reader.get(f"{PATH}/{one['id']}").text for one in listed(reader)]
    assert len(texts) >= 3
    assert not [text for text in texts if tool.secret in text or "private" in text]


def test_a_stranger_leaves_no_body_no_query_and_no_name(alone: District) -> None:
    client = alone.app.test_client()
    client.post(f"/xapi/statements?a={alone.log.slug}", data=b"text", headers=VERSION)
    found = listed(alone.client("all/read"), status="401")[0]
    assert (found["key"], found["path"], found["size"]) == (None, "/xapi/statements", 4)
    assert said(alone.client("all").get(f"{PATH}/{found['id']}"))["body"] is None


def test_a_long_body_is_cut_and_many_problems_are_counted(tool: Client) -> None:
    tool.post([{} for _ in range(4_000)])
    found = listed(tool)[0]
    assert (len(found["problems"]), found["problem_count"]) == (MOST_PROBLEMS, 12_000)
    assert len(said(tool.get(f"{PATH}/{found['id']}"))["body"]) == KEPT_BYTES


def test_of_a_refused_multipart_the_statements_are_kept(tool: Client) -> None:
    """It is read piece by piece, and given up in the middle; where there is no JSON, its beginning is kept."""
    text = (
        b"--x\r\nContent-Type: application/json\r\n\r\n{}\r\n--x\r\nContent-Type: text/plain\r\n\r\nmore\r\n--x--\r\n"
    )
    assert tool.post(text, Content_Type="multipart/mixed; boundary=x").status_code == 400
    assert said(tool.get(f"{PATH}/{listed(tool)[0]['id']}"))["body"] == "{}"
    assert tool.post(b"--y" + text, Content_Type="multipart/mixed; boundary=x").status_code == 400
    assert said(tool.get(f"{PATH}/{listed(tool)[0]['id']}"))["body"].startswith("--y--x")


def test_a_body_that_is_no_text_is_told_in_base64(tool: Client) -> None:
    tool.post(b"\xff\x00\xfe", Content_Type="text/plain")
    found = said(tool.get(f"{PATH}/{listed(tool)[0]['id']}"))
    assert (found["body"], base64.b64decode(found["body_base64"])) == (None, b"\xff\x00\xfe")


def test_a_flood_is_counted_and_not_listed(tool: Client) -> None:
    while time.time() % 60 > 50:
        time.sleep(1)
    for _ in range(MOST_LISTED_A_MINUTE + 25):
        tool.get(query={"foo": "bar"})
    found = listed(tool)
    assert len(found) == MOST_LISTED_A_MINUTE
    assert sum(one["unlisted"] for one in found) == found[0]["unlisted"] == 25


@pytest.fixture
def bodiless(district: District) -> Iterator[District]:
    """The same log behind a server that keeps no bodies."""
    with open_district(replace(district.settings, refusal_days=0)) as one:
        yield replace(district, app=one.app)


def test_no_body_is_kept_where_the_setting_says_so(bodiless: District, tool: Client) -> None:
    client = replace(tool, app=bodiless.app)
    client.post(b"{")
    (found,) = listed(client)
    assert said(client.get(f"{PATH}/{found['id']}"))["body"] is None


def test_old_bodies_are_forgotten_and_old_rows_once_they_are_too_many(
    district: District, tool: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool.post(b"{")
    first = listed(tool)[0]["id"]
    with immediate(district.engine).begin() as connection:
        eight_days_ago = int((time.time() - 8 * 86_400) * 1_000_000)
        connection.execute(update(refusal).where(refusal.c.refusal_id == first).values(time=eight_days_ago))
    tool.post(b"{")
    assert [said(tool.get(f"{PATH}/{one['id']}"))["body"] for one in listed(tool)] == ["{", None]
    monkeypatch.setattr(refusals, "MOST_KEPT", 1)
    tool.post(b"{")
    assert len(listed(tool)) == 1


def test_a_recording_that_fails_changes_no_answer_and_is_tried_again(
    district: District, tool: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    with monkeypatch.context() as broken:
        broken.setattr(Recorder, "_write", away)
        assert tool.post({}).status_code == 400
        assert listed(tool) == []
    assert [one["status"] for one in listed(tool)] == [400]


def test_a_refusal_being_written_holds_back_no_consistent_through(district: District, tool: Client) -> None:
    """Else a reader would be told that the log is complete up to its last statement only, however long ago that was."""
    for _ in range(MOST_LISTED_A_MINUTE):
        tool.get(query={"foo": "bar"})
        before = time.time_ns() // 1000
        through = district.someone.get(query={"limit": "1"}).headers["X-Experience-API-Consistent-Through"]
        assert timestamp_us(through) >= before - 1_000_000


def test_they_are_written_down_without_anybody_asking(district: District, tool: Client) -> None:
    tool.post({})
    deadline = time.monotonic() + 10
    with district.engine.connect() as connection:
        query = refusal.select().where(refusal.c.key == tool.key).order_by(refusal.c.refusal_id)
        while not connection.execute(query).all() and time.monotonic() < deadline:
            connection.rollback()
            time.sleep(0.05)
        assert connection.execute(query).all()
