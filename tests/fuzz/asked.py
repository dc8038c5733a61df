"""One request to the application, and what must hold of every answer whatever was asked."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from sqlalchemy import select
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app
from werkzeug.wrappers import Request

from lrs.store.tables import statement
from lrs.xapi.values import timestamp_us
from tests.district import District

MINE = "@mine@"
"""Stands for the credential of the run, so that a request can be kept and sent again."""
MOST_SECONDS = 5.0
SET_BY_US = ("stored", "authority", "timestamp", "version", "id")
Outcome = tuple[int, list[str]]


@dataclass(frozen=True)
class Asked:
    """A request: `query` is the raw query string, `length` is said in place of the body's own.

    `kind` tells what it is about, `sent` is the text of its statements where the body was not damaged on purpose.
    """

    kind: str
    method: str
    path: str
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    length: str | None = None
    sent: bytes | None = field(default=None, compare=False)

    def text(self) -> str:
        """Return the request as JSON text, to be kept."""
        values = asdict(self)
        for name in ("body", "sent"):
            values[name] = None if values[name] is None else values[name].decode("latin-1")
        return json.dumps(values, indent=1) + "\n"

    @classmethod
    def of_text(cls, text: str) -> Asked:
        """Return the request that was kept as text."""
        values = json.loads(text)
        for name in ("body", "sent"):
            values[name] = None if values[name] is None else values[name].encode("latin-1")
        return cls(**{**values, "headers": tuple(map(tuple, values["headers"]))})

    def said(self, name: str) -> str | None:
        """Return a header's value."""
        return next((value for given, value in self.headers if given.lower() == name.lower()), None)


@dataclass(frozen=True)
class Judge:
    """Sends requests to a district's application and says which of the things that always hold did not."""

    district: District
    authorization: str

    @classmethod
    def of(cls, district: District) -> Judge:
        """Return a judge who speaks with a credential that may do everything."""
        return cls(district, district.someone.headers["Authorization"])

    def outcome(self, asked: Asked) -> Outcome:
        """Send a request; return its status and the sentences that say what is wrong with the answer."""
        size, kept = self.district.size(), self._document(asked)
        start = time.perf_counter()
        answer = self.send(asked)
        took = time.perf_counter() - start
        wrong = [*_always(answer, asked), *([f"took {took:.1f} s"] if took > MOST_SECONDS else [])]
        if answer.status_code >= 400:
            wrong += self._nothing_changed(asked, size, kept)
        elif not wrong:
            wrong += self._as_it_was_sent(asked, answer, size)
        return answer.status_code, wrong

    def send(self, asked: Asked) -> TestResponse:
        """Send a request past every client's own checks."""
        mine = self.authorization
        builder = EnvironBuilder(method=asked.method, path=asked.path)
        environ = builder.get_environ()
        builder.close()
        body = asked.body.replace(MINE.encode(), quote(mine).encode())
        environ |= _environ(asked, mine)
        environ |= {"QUERY_STRING": asked.query, "CONTENT_LENGTH": asked.length or str(len(body))}
        environ["wsgi.input"] = _Input(body)
        found = run_wsgi_app(self.district.app, environ, buffered=True)
        return TestResponse(*found, request=Request(environ))

    def contiguity(self) -> list[str]:
        """Say whether the positions of the log are other than 1 to its size."""
        positions = [position for (position,) in self._rows()]
        return [] if positions == list(range(1, self.district.size() + 1)) else ["positions have gaps"]

    def reading_of_refusals(self) -> list[str]:
        """Say whether what was refused cannot be read: what writes it down must outlive everything that it is given."""
        answer = self.send(Asked("query", "GET", "/api/v1/refusals", "", (("Authorization", MINE),)))
        return [] if answer.status_code == 200 else [f"the refusals cannot be read: {answer.status_code}"]

    def _rows(self) -> Any:
        query = select(statement.c.position).where(statement.c.log_id == self.district.log.log_id)
        with self.district.engine.connect() as connection:
            return connection.execute(query.order_by(statement.c.position)).all()

    def _document(self, asked: Asked) -> tuple[Any, ...] | None:
        """Return what the document of a request is before or after it; None for any other resource."""
        if asked.kind != "document" or asked.method in {"GET", "HEAD"}:
            return None
        answer = self.send(self._reading(asked))
        return answer.status_code, answer.data, answer.headers.get("ETag"), answer.headers.get("Content-Type")

    def _reading(self, asked: Asked, query: str | None = None) -> Asked:
        version = asked.said("X-Experience-API-Version") or "1.0.3"
        headers = (("Authorization", MINE), ("X-Experience-API-Version", version))
        found = asked.query if query is None else query
        return Asked("reading", "GET", asked.path, found, headers)

    def _nothing_changed(self, asked: Asked, size: int, kept: tuple[Any, ...] | None) -> Iterator[str]:
        if self.district.size() != size:
            yield "refused, but the log grew"
        if kept != self._document(asked):
            yield "refused, but the document changed"

    def _as_it_was_sent(self, asked: Asked, answer: TestResponse, size: int) -> Iterator[str]:
        if asked.kind == "document" and asked.method in {"PUT", "POST", "DELETE"}:
            yield from self._document_as_sent(asked)
        elif asked.sent is not None and asked.method in {"PUT", "POST"}:
            yield from self._statements_as_sent(asked, answer, size)
        elif self.district.size() != size and asked.kind not in {"alternate", "header", "statement", "multipart"}:
            yield "the log grew"

    def _document_as_sent(self, asked: Asked) -> Iterator[str]:
        after = self._document(asked)
        assert after is not None
        status, content, tag, kind = after
        if asked.method == "DELETE":
            if status == 200 and content != b"[]":
                yield "deleted, but there"
            return
        if status != 200:
            yield f"stored, but reading answers {status}"
            return
        if tag != f'"{hashlib.sha1(content).hexdigest()}"':
            yield "the ETag is not the SHA-1 of the document"
        if asked.method == "PUT" and content != _plain(asked):
            yield "the document came back with other bytes"
        if asked.method == "PUT" and kind != (asked.said("Content-Type") or "application/octet-stream"):
            yield f"the document came back as {kind}"

    def _statements_as_sent(self, asked: Asked, answer: TestResponse, size: int) -> Iterator[str]:
        assert asked.sent is not None
        value = _exactly(asked.sent)
        batch = value if isinstance(value, list) else [value]
        ids = answer.get_json() if asked.method == "POST" else [_named_in(asked.query)]
        if len(ids) != len(batch):
            yield "not as many ids as statements"
        grown = self.district.size() - size
        if not 0 <= grown <= len(set(ids)):
            yield "the log grew by another number"
        for one_id, one in zip(ids, batch, strict=False):
            yield from self._read_back(asked, one_id, one if grown == len(ids) else None)

    def _read_back(self, asked: Asked, one_id: str, one: Any | None) -> Iterator[str]:
        """Say what is wrong with a statement that was acknowledged; one that was there before need not be this one."""
        answer = self.send(self._reading(asked, f"statementId={one_id}"))
        if answer.status_code == 404:
            answer = self.send(self._reading(asked, f"voidedStatementId={one_id}"))
        if answer.status_code != 200:
            yield f"acknowledged, but reading {one_id} answers {answer.status_code}"
            return
        if one is not None:
            yield from _differences(one, _exactly(answer.data), one_id)


class _Input:
    """A body that a server would hand over; it ends where it ends."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes."""
        end = len(self._data) if size < 0 else size
        piece, self._data = self._data[:end], self._data[end:]
        return piece


def _environ(asked: Asked, mine: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in asked.headers:
        key = name.upper().replace("-", "_")
        found[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value.replace(MINE, mine)
    return found


def _data(answer: TestResponse) -> bytes:
    return gzip.decompress(answer.data) if answer.headers.get("Content-Encoding") == "gzip" else answer.data


def _plain(asked: Asked) -> bytes:
    return gzip.decompress(asked.body) if asked.said("Content-Encoding") == "gzip" else asked.body


def _always(answer: TestResponse, asked: Asked) -> Iterator[str]:
    """Say what is wrong with an answer, whatever it answers."""
    status = answer.status_code
    if status >= 500:
        yield f"answered {status}"
    if not asked.path.startswith("/xapi"):
        return
    if "X-Experience-API-Version" not in answer.headers:
        yield "the answer has no version"
    if asked.method == "HEAD" or "method=HEAD" in asked.query.upper().replace("METHOD", "method"):
        return
    if 400 <= status < 500:
        yield from _no_problem_details(answer)
    if status == 200 and answer.mimetype == "application/json" and not asked.path.endswith(("/state", "/profile")):
        yield from _no_json(_data(answer))


def _no_problem_details(answer: TestResponse) -> Iterator[str]:
    if answer.content_type != "application/problem+json":
        yield f"a refusal is {answer.content_type}"
        return
    told = json.loads(_data(answer))
    if told["status"] != answer.status_code or not told["title"] or "detail" not in told:
        yield "the problem details are not whole"
    if not all(one["message"] for one in told.get("problems", ())):
        yield "a problem has no words"


def _no_json(data: bytes) -> Iterator[str]:
    try:
        _exactly(data)
    except ValueError:
        yield "what says it is JSON is none"


def _exactly(text: bytes) -> Any:
    return json.loads(text.decode(), parse_float=Decimal)


def _named_in(query: str) -> str:
    return query.partition("statementId=")[2].partition("&")[0]


def _differences(sent: Any, got: Any, one_id: str) -> Iterator[str]:
    """Say what is other than it was sent, but for what a record store sets, and arrays that 1.0.3 makes of one."""
    if str(got["id"]).lower() != one_id.lower():
        yield "another id came back"
    if any(name not in got for name in SET_BY_US):
        yield "something that we set is missing"
    if "version" in sent and got["version"] != sent["version"]:
        yield "another version came back"
    if "timestamp" in sent and timestamp_us(sent["timestamp"]) != timestamp_us(got["timestamp"]):
        yield "another timestamp came back"
    if _comparable(sent) != _comparable(got):
        yield "the statement came back changed"


def _comparable(one: Any) -> Any:
    found = {name: value for name, value in one.items() if name not in SET_BY_US}
    if found["object"].get("objectType") == "SubStatement":
        found["object"] = {"timestamp": None, **_comparable(found["object"])}
    by_kind = found.get("context", {}).get("contextActivities")
    if by_kind is not None:
        arrays = {name: value if isinstance(value, list) else [value] for name, value in by_kind.items()}
        found["context"] = {**found["context"], "contextActivities": arrays}
    return found


def as_alternate(asked: Asked, change: Callable[[str], str] = lambda form: form) -> Asked:
    """Return the same request in the alternate syntax of 1.0.3, its form changed as one likes."""
    fields = [*asked.headers, *_pairs(asked.query), ("content", asked.body.decode("latin-1"))]
    form = "&".join(f"{quote(name, safe='')}={quote(value.encode('latin-1', 'replace'))}" for name, value in fields)
    return replace(
        asked,
        kind="alternate",
        method="POST",
        query=f"method={asked.method}",
        headers=(("Content-Type", "application/x-www-form-urlencoded"),),
        body=change(form).replace(quote(MINE), MINE).encode("latin-1", "replace"),
        sent=None,
    )


def _pairs(query: str) -> Iterator[tuple[str, str]]:
    for pair in filter(None, query.split("&")):
        name, _, value = pair.partition("=")
        yield name, unquote_to_bytes(value).decode("latin-1")


def basic(key: str) -> str:
    """Return a header of HTTP Basic with this user and password."""
    return "Basic " + base64.b64encode(key.encode("utf-8", "replace")).decode()
