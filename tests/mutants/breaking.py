"""Ways of breaking one thing: in what is asked, in what is answered, in the statements that pass."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from tests.mutants.proxy import Answer, Forward, Mutation, Request

Json: TypeAlias = dict[str, Any]
Test: TypeAlias = Callable[[Request], bool]
DOCUMENTS = ("activities/state", "activities/profile", "agents/profile")


def of_statements(request: Request) -> bool:
    """Whether it is for the Statement Resource."""
    return request.path == "statements"


def of_documents(request: Request) -> bool:
    """Whether it is for one of the document resources."""
    return request.path in DOCUMENTS


def of_state(request: Request) -> bool:
    """Whether it is for the State Resource."""
    return request.path == "activities/state"


def anything(request: Request) -> bool:
    """Whatever it is for."""
    return True


def asks(change: Callable[[Request], Request], where: Test = of_statements) -> Mutation:
    """Break what is asked."""
    return lambda request, forward: forward(change(request) if where(request) else request)


def answers(change: Callable[[Request, Answer], Answer], where: Test = of_statements) -> Mutation:
    """Break what is answered."""

    def broken(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return change(request, answer) if where(request) else answer

    return broken


def parameter(name: str, change: Callable[[str], str | None], where: Test = of_statements) -> Mutation:
    """Break the value of a parameter; None leaves it out."""

    def changed(request: Request) -> Request:
        query = request.query
        if not request.is_read or name not in query:
            return request
        value = change(query.pop(name))
        return request.asking(query if value is None else {**query, name: value})

    return asks(changed, where)


def ignoring(name: str, where: Test = of_statements) -> Mutation:
    """Ignore a parameter."""
    return parameter(name, lambda value: None, where)


def always(name: str, value: str) -> Mutation:
    """Read lists of statements as if a parameter were always given so."""

    def changed(request: Request) -> Request:
        query = request.query
        is_list = request.is_read and not {"statementId", "voidedStatementId", "more"} & query.keys()
        return request.asking({**query, name: value}) if is_list else request

    return asks(changed)


def without_request_header(name: str, *methods: str) -> Mutation:
    """Ignore a header of requests, all of them or those of some methods."""
    return asks(lambda request: request.with_header(name, None), lambda one: not methods or one.method in methods)


def headed(name: str, change: Callable[[str], str | None], where: Test = anything) -> Mutation:
    """Break a header of answers that have it; None leaves it out."""

    def changed(request: Request, answer: Answer) -> Answer:
        value = answer.header(name)
        return answer if value is None else answer.with_header(name, change(value))

    return answers(changed, where)


def without_header(name: str, where: Test = anything) -> Mutation:
    """Leave out a header of answers."""
    return headed(name, lambda value: None, where)


def status(found: int, given: int, where: Test = anything, body: bytes | None = None) -> Mutation:
    """Answer one status for another."""

    def changed(request: Request, answer: Answer) -> Answer:
        if answer.status != found:
            return answer
        return replace(answer, status=given, body=answer.body if body is None else body)

    return answers(changed, where)


def saying(change: Callable[[Any], Any], where: Test) -> Mutation:
    """Break the JSON value of good answers."""

    def changed(request: Request, answer: Answer) -> Answer:
        if answer.status != 200 or not answer.is_json:
            return answer
        value = change(answer.value())
        return answer if json.dumps(value) == json.dumps(answer.value()) else answer.saying(value)

    return answers(changed, lambda request: request.is_read and where(request))


def pages(change: Callable[[Request, Json], Json]) -> Mutation:
    """Break lists of statements."""

    def changed(request: Request, answer: Answer) -> Answer:
        if not (request.is_read and answer.status == 200 and answer.is_json):
            return answer
        value = answer.value()
        return answer.saying(change(request, value)) if "statements" in value else answer

    return answers(changed)


def lists(change: Callable[[list[Json]], list[Json]], where: Test = anything) -> Mutation:
    """Break the statements of a list."""
    return pages(lambda request, page: {**page, "statements": change(page["statements"])} if where(request) else page)


def statements(change: Callable[[Json], Json | None]) -> Mutation:
    """Break every statement that is answered, alone or in a list; a change may be made in place."""

    def each(one: Json) -> Json:
        return change(one) or one

    def changed(value: Json) -> Json:
        if "statements" in value:
            return {**value, "statements": [each(one) for one in value["statements"]]}
        return each(value)

    return saying(changed, of_statements)


def values(change: Callable[[str, Any], Any]) -> Mutation:
    """Break every value of statements, by its name."""
    return statements(lambda one: walked(one, change))


def walked(value: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """Return a JSON value with a change made at every place, the inner ones first."""
    if isinstance(value, dict):
        value = {key: walked(one, change, key) for key, one in value.items()}
    elif isinstance(value, list):
        value = [walked(one, change, name) for one in value]
    return change(name, value)


def dropping(*path: str) -> Mutation:
    """Leave out one property of statements."""

    def changed(one: Json) -> None:
        part: Any = one
        for name in path[:-1]:
            part = part.get(name, {}) if isinstance(part, dict) else {}
            part = part[0] if isinstance(part, list) and part else part
        if isinstance(part, dict):
            part.pop(path[-1], None)

    return statements(changed)


def sending(change: Callable[[Any], Any], where: Test = of_statements) -> Mutation:
    """Break the JSON that is sent."""

    def changed(request: Request) -> Request:
        value = request.value()
        if value is None or request.is_read:
            return request
        return replace(request, body=json.dumps(change(value)).encode())

    return asks(changed, where)


def each_sent(change: Callable[[Json], object]) -> Mutation:
    """Break every statement that is sent, in place."""

    def changed(value: Any) -> Any:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                change(one)
        return value

    return sending(changed)


def shift(text: str, **by: float) -> str:
    """Return a time so much later."""
    return (datetime.fromisoformat(text) + timedelta(**by)).isoformat().replace("+00:00", "Z")


def to_milliseconds(text: str) -> str:
    """Return a time without what is finer."""
    return re.sub(r"(\.\d{3})\d+", r"\1", text)


def one_language(name: str, value: Any) -> Any:
    """Leave one language in each map."""
    is_map = name in {"display", "name", "description"} and isinstance(value, dict)
    return dict(list(value.items())[:1]) if is_map else value


def split(answer: Answer) -> tuple[bytes, list[bytes]]:
    """Return the delimiter of a multipart answer and its parts."""
    delimiter = b"--" + (answer.header("Content-Type") or "").partition("boundary=")[2].encode()
    return delimiter, answer.body.removesuffix(b"\r\n").removesuffix(delimiter + b"--").split(delimiter + b"\r\n")[1:]


def parts(change: Callable[[Sequence[bytes]], Sequence[bytes]]) -> Mutation:
    """Break the parts of a multipart answer, those behind the statements."""

    def changed(request: Request, answer: Answer) -> Answer:
        if not (answer.header("Content-Type") or "").startswith("multipart/mixed"):
            return answer
        delimiter, (first, *others) = split(answer)
        body = b"".join(delimiter + b"\r\n" + one for one in (first, *change(others))) + delimiter + b"--\r\n"
        return replace(answer, body=body)

    return answers(changed)


def part_header(name: bytes, change: Callable[[bytes], bytes]) -> Mutation:
    """Break the line of a header in each part."""
    line = re.compile(rb"(?i)^" + name + rb":[^\r]*\r\n", re.MULTILINE)

    def changed(one: bytes) -> bytes:
        head, end, data = one.partition(b"\r\n\r\n")
        return line.sub(lambda found: change(found[0]), head + b"\r\n").removesuffix(b"\r\n") + end + data

    return parts(lambda found: [changed(one) for one in found])
