"""Whatever is sent is taken or refused with reasons: no statement, however bent, brings about an error of ours."""

from __future__ import annotations

import json
import uuid
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.district import District, said, statement
from tests.lrs.xapi.examples import full, nested, places, with_value, without

BOUNDED = settings(
    max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
VALUES: list[Any] = [
    None, True, False, 0, -1, 2**70, 1.5, "", "x", "http://example.org/x", "\u0000", "mailto:a@example.org",
    [], {}, [[]], [None], {"": {}}, {"objectType": "Group"}, {"objectType": "SubStatement"}, {"id": 1}, [{"id": []}],
]  # fmt: skip


def renamed(whole: Any, pointer: str, name: str) -> Any:
    """Return a copy in which the member at the pointer has another name."""
    value = dict(places(whole))[pointer]
    return with_value(without(whole, pointer), f"{pointer.rpartition('/')[0]}/{name}", value)


@st.composite
def bent(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a statement with one to three changes: dropped, retyped, renamed, nested in itself."""
    sent: Any = {**draw(st.sampled_from([full, nested]))(), "id": str(uuid.UUID(int=draw(st.integers(0, 2**128 - 1))))}
    for _ in range(draw(st.integers(1, 3))):
        pointers = [pointer for pointer, _ in places(sent) if pointer]
        pointer = draw(st.sampled_from(pointers))
        kind = draw(st.sampled_from(["drop", "retype", "rename", "wrap", "list", "deepen"]))
        value = dict(places(sent))[pointer]
        is_member = not pointer.rpartition("/")[2].isdigit()
        if kind == "drop":
            sent = without(sent, pointer)
        elif kind == "retype":
            sent = with_value(sent, pointer, draw(st.sampled_from(VALUES)))
        elif kind == "rename" and is_member:
            sent = renamed(sent, pointer, draw(st.sampled_from(["ID", "actor", "member", "", "~", "object", "é"])))
        elif kind == "wrap":
            sent = with_value(sent, pointer, {pointer.rpartition("/")[2]: value})
        elif kind == "list":
            sent = with_value(sent, pointer, [value, value])
        elif kind == "deepen":
            sent = with_value(sent, pointer, sent)
    assert isinstance(sent, dict)
    return sent


@BOUNDED
@given(sent=bent())
def test_a_bent_statement_is_taken_or_refused_whole_with_reasons(district: District, sent: dict[str, Any]) -> None:
    before, good = district.size(), statement()
    answer = district.someone.post([good, sent])
    assert answer.status_code in (200, 400, 409), answer.text
    if answer.status_code != 200:
        assert said(answer)["problems"]
        assert all(one["pointer"].startswith("/1") for one in said(answer)["problems"])
        assert district.size() == before
        assert district.someone.get(query={"statementId": good["id"]}).status_code == 404
        return
    assert district.size() in (before + 1, before + 2)
    for form in ("exact", "ids", "canonical"):
        assert district.someone.get(query={"statementId": said(answer)[1], "format": form}).status_code in (200, 404)
        assert district.someone.get(query={"format": form, "limit": "2"}).status_code == 200


@BOUNDED
@given(data=st.data())
def test_a_bent_text_is_taken_or_refused_whole_with_reasons(district: District, data: st.DataObject) -> None:
    text = json.dumps([statement(), full(), statement()], ensure_ascii=False).encode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 20)))
    before = district.size()
    body = text[:start] + data.draw(st.binary(max_size=8)) + text[end:]
    answer = district.someone.post(body)
    assert answer.status_code in (200, 400, 409, 413), answer.text
    assert district.size() == before or answer.status_code == 200


@BOUNDED
@given(names=st.dictionaries(st.text(max_size=12), st.text(max_size=40), max_size=3), data=st.data())
def test_any_query_is_answered_or_refused(district: District, names: dict[str, str], data: st.DataObject) -> None:
    known = ["agent", "verb", "activity", "registration", "since", "until", "limit", "format", "more", "statementId"]
    query = {data.draw(st.sampled_from([name, *known])): value for name, value in names.items()}
    answer = district.someone.get(query=query)
    assert answer.status_code in (200, 400, 404), answer.text
    assert "X-Experience-API-Consistent-Through" in answer.headers
