"""A tool that speaks to the endpoint, with names of agents, verbs and activities that nobody else uses."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from email.message import Message
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from tests import district
from tests.conformance.subject import Credential, Subject

VERSION = "X-Experience-API-Version"
THROUGH = "X-Experience-API-Consistent-Through"
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
JSON = "application/json"
Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the endpoint answered."""

    status: int
    headers: Message
    data: bytes

    @property
    def content_type(self) -> str:
        """The Content-Type; empty where there is none."""
        return self.headers.get("Content-Type") or ""

    @property
    def value(self) -> Any:
        """The JSON value of the body, decompressed."""
        packed = self.headers.get("Content-Encoding") == "gzip"
        return json.loads(gzip.decompress(self.data) if packed else self.data)


class _Lines(threading.local):
    """The connection of each thread, kept open from one request to the next."""

    def __init__(self) -> None:
        self.open: dict[str, http.client.HTTPConnection] = {}


_lines = _Lines()


@dataclass(frozen=True)
class Tool:
    """A client of one version with one credential; `mark` makes its names its own."""

    subject: Subject
    version: str
    credential: Credential | None
    mark: str = field(default_factory=lambda: uuid.uuid4().hex[:10])

    def as_writer(self) -> Tool:
        """Return the same tool with the credential that may only store statements."""
        return replace(self, credential=self.subject.writer)

    def agent(self, name: str) -> Json:
        """Return an Agent of this tool's own."""
        account = {"homePage": "https://sis.example.org", "name": f"{name}-{self.mark}"}
        return {"objectType": "Agent", "account": account}

    def group(self, *names: str, **more: Any) -> Json:
        """Return a Group of such Agents."""
        return {"objectType": "Group", "member": [self.agent(name) for name in names], **more}

    def verb(self, name: str) -> str:
        """Return the IRI of a verb of this tool's own."""
        return f"http://adlnet.gov/expapi/verbs/{name}-{self.mark}"

    def activity(self, name: str) -> str:
        """Return the IRI of an activity of this tool's own."""
        return f"https://tool.example.org/{name}-{self.mark}"

    def statement(self, learner: str = "one", verb: str = "answered", about: str = "task", **more: Any) -> Json:
        """Return a plain statement, with an id, of names that only this tool uses."""
        return district.statement(*(f"{name}-{self.mark}" for name in (learner, verb, about)), **more)

    def ask(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: bytes = b"", **headers: Any
    ) -> Answer:
        """Send a request and return its answer; a header given as None is left out."""
        where = urlsplit(urljoin(f"{self.subject.endpoint}/", path))
        target = where.path + (f"?{where.query}" if where.query else "")
        if query:
            texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in query.items()}
            target += f"{'&' if where.query else '?'}{urlencode(texts)}"
        return _sent(where, method, target, body, self.headers(headers))

    def headers(self, more: Mapping[str, str | None]) -> dict[str, str]:
        """Return the headers of a request: the usual ones, with more, or with None for one that is left out."""
        usual: dict[str, str | None] = {VERSION: self.version, "Accept-Encoding": "identity"}
        if self.credential is not None:
            usual["Authorization"] = f"Basic {base64.b64encode(':'.join(self.credential).encode()).decode()}"
        named = {name.replace("_", "-"): value for name, value in more.items()}
        usual = {name: value for name, value in usual.items() if name.lower() not in {one.lower() for one in named}}
        return {name: value for name, value in {**usual, **named}.items() if value is not None}

    def post(self, statements: Any, **headers: Any) -> Answer:
        """POST statements: JSON values, or bytes as they are."""
        return self.ask("POST", "statements", None, _body(statements), **{"Content_Type": JSON, **headers})

    def put(self, statement: Any, statement_id: str | None = None, **headers: Any) -> Answer:
        """PUT a statement."""
        query = {"statementId": statement_id or statement["id"]}
        return self.ask("PUT", "statements", query, _body(statement), **{"Content_Type": JSON, **headers})

    def get(self, path: str = "statements", query: Mapping[str, Any] | None = None, **headers: Any) -> Answer:
        """GET a path, by default the statements that meet a query."""
        return self.ask("GET", path, query, **headers)

    def store(self, *statements: Json) -> list[str]:
        """Store statements as one batch, and return their ids in order."""
        answer = self.post(list(statements))
        assert answer.status == 200, answer.data
        ids: list[str] = answer.value
        return ids

    def one(self, statement_id: str, **query: Any) -> Json:
        """Return the statement with an id."""
        answer = self.get(query={"statementId": statement_id, **query})
        assert answer.status == 200, answer.data
        found: Json = answer.value
        return found

    def page(self, query: Mapping[str, Any] | None = None, more: str = "statements") -> Json:
        """Return one StatementResult: the first that meets a query, or the one that `more` names."""
        answer = self.get(more, query)
        assert (answer.status, answer.content_type.partition(";")[0]) == (200, JSON), answer.data
        found: Json = answer.value
        return found

    def found(self, **query: Any) -> list[Json]:
        """Return every statement that meets a query, all pages of it."""
        page = self.page(query)
        statements: list[Json] = page["statements"]
        while page.get("more"):
            page = self.page(more=page["more"])
            statements += page["statements"]
        return statements

    def ids(self, **query: Any) -> list[str]:
        """Return the ids of every statement that meets a query, in the order of the answer."""
        return district.ids(self.found(**query))


def _body(value: Any) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, ensure_ascii=False).encode()


def _sent(where: SplitResult, method: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a request over the thread's connection; one that the server closed meanwhile is opened once more."""
    for is_last in (False, True):
        line = _lines.open.get(where.netloc) or _opened(where)
        try:
            line.request(method, target, body or None, headers)
            response = line.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (http.client.RemoteDisconnected, ConnectionError):
            _lines.open.pop(where.netloc).close()
            if is_last:
                raise
    raise AssertionError


def _opened(where: SplitResult) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    line = _lines.open[where.netloc] = kind(where.netloc, timeout=30)
    return line


def hang_up() -> None:
    """Close the connections of this thread."""
    while _lines.open:
        _lines.open.popitem()[1].close()


def sub_statement(statement: Json, **more: Any) -> Json:
    """Return a statement as one that another has for its object."""
    own = {name: value for name, value in statement.items() if name != "id"}
    return {**own, "objectType": "SubStatement", **more}


def reference(target: str) -> Json:
    """Return a StatementRef."""
    return {"objectType": "StatementRef", "id": target}


def instant(text: str) -> datetime:
    """Return the time that an ISO 8601 text names."""
    found = datetime.fromisoformat(text)
    assert found.tzinfo is not None, f"{text} names no time zone"
    return found


def shifted(text: str, microseconds: int) -> str:
    """Return a time so much later, or earlier."""
    return (instant(text) + timedelta(microseconds=microseconds)).isoformat().replace("+00:00", "Z")


def exactly(value: Any) -> str:
    """Return a JSON value as a text by which it can be compared: 1 is not true, nor 1.0; members have no order."""
    return json.dumps(value, sort_keys=True)
