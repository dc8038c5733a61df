"""A district for tests: an application, a log, credentials by what they may do, and short ways to speak to them."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import msgspec
from flask import Flask
from sqlalchemy import Engine
from werkzeug.test import TestResponse

import wsgi
from lrs.cli import Desk, new_credential, new_log
from lrs.settings import Settings
from lrs.store.log import Log, head
from projections.building.runtime import Runtime
from projections.commands import runtime_of

VERSION = {"X-Experience-API-Version": "1.0.3"}
EVERYTHING = frozenset({"all", "registrar"})


@dataclass(frozen=True)
class District:
    """An application over one pair of databases; with `log`, a district's log in them."""

    settings: Settings
    app: Flask
    desk: Desk
    _log: Log | None = None

    @property
    def log(self) -> Log:
        """The log of this test."""
        assert self._log is not None
        return self._log

    @property
    def engine(self) -> Engine:
        """The engine of the logs."""
        return self.desk.engine

    @property
    def runtime(self) -> Runtime:
        """The projections' runtime over these databases."""
        return runtime_of(self.desk)

    def with_new_log(self, slug: str) -> District:
        """Return the same application with a new log, which holds the default scale and rule."""
        log = new_log(self.desk, slug, f"District {slug}", f"https://{slug}.example.org")
        return replace(self, _log=log)

    @cached_property
    def someone(self) -> Client:
        """A client that may do everything."""
        return self.client(*EVERYTHING)

    def client(self, *scopes: str) -> Client:
        """Return a client with a new credential of these scopes."""
        key, secret = new_credential(self.desk, self.log, f"with {' '.join(scopes)}", frozenset(scopes))
        return Client(self.app, key, secret)

    def size(self) -> int:
        """Return how many statements the log's head says it has."""
        with self.engine.connect() as connection:
            return head(connection, self.log.log_id)[0]

    def fold(self) -> None:
        """Bring every projection up to the head."""
        self.runtime.catch_up(self.log.log_id)


@dataclass(frozen=True)
class Client:
    """Somebody with a credential, speaking HTTP to the application."""

    app: Flask
    key: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of an ordinary xAPI request."""
        token = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        return {**VERSION, "Authorization": f"Basic {token}"}

    def post(self, body: Any, **headers: str) -> TestResponse:
        """POST statements: JSON values, or bytes as they are."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent = {"Content-Type": "application/json", **self.headers, **_named(headers)}
        return self.app.test_client().post("/xapi/statements", data=data, headers=sent)

    def put(self, statement_id: str, body: Any, **headers: str) -> TestResponse:
        """PUT a statement."""
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        sent = {"Content-Type": "application/json", **self.headers, **_named(headers)}
        path = "/xapi/statements"
        return self.app.test_client().put(path, query_string={"statementId": statement_id}, data=data, headers=sent)

    def get(
        self, path: str = "/xapi/statements", query: Mapping[str, Any] | None = None, **headers: str
    ) -> TestResponse:
        """GET a path, by default the statements that meet a query."""
        sent = {**self.headers, **_named(headers)}
        return self.app.test_client().get(path, query_string=query or None, headers=sent)

    def found(self, **query: Any) -> list[dict[str, Any]]:
        """Return every statement that meets a query, all pages of it."""
        asked = {
            name: msgspec.json.encode(value).decode() if isinstance(value, dict) else value
            for name, value in query.items()
        }
        answer = self.get(query=asked)
        assert answer.status_code == 200, answer.text
        page: dict[str, Any] = answer.get_json()
        statements: list[dict[str, Any]] = list(page["statements"])
        while page["more"]:
            page = self.get(page["more"]).get_json()
            statements += page["statements"]
        return statements

    def ask(
        self, method: str, path: str, query: Mapping[str, Any] | None = None, body: bytes = b"", **headers: str
    ) -> TestResponse:
        """Send a request of any method to any path; objects in the query go as JSON."""
        asked = {
            name: msgspec.json.encode(value).decode() if isinstance(value, dict) else value
            for name, value in (query or {}).items()
        }
        sent = {**self.headers, **_named(headers)}
        return self.app.test_client().open(path, method=method, query_string=asked or None, data=body, headers=sent)

    def send(self, method: str, query: Mapping[str, Any] | None = None, **headers: str) -> TestResponse:
        """Send a request of any method, without a body, to the Statement Resource."""
        sent = {**self.headers, **_named(headers)}
        return self.app.test_client().open("/xapi/statements", method=method, query_string=query or None, headers=sent)


def said(answer: TestResponse) -> Any:
    """Return the JSON value of an answer."""
    return msgspec.json.decode(answer.data)


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@contextmanager
def open_district(settings: Settings) -> Iterator[District]:
    """Open the application over migrated databases."""
    app = wsgi.build_app(settings)
    desk = wsgi.desk_of(settings)
    yield District(settings, app, desk)
    app.extensions["refusals"].close()
    served = app.extensions["lrs"]
    for engine in (served.engine, app.extensions["projections"], desk.engine, desk.derived):
        engine.dispose()


def statement(learner: str = "one", verb: str = "answered", about: str = "task", **more: Any) -> dict[str, Any]:
    """Return a plain statement, with an id."""
    return {
        "id": str(uuid.uuid4()),
        "actor": {"objectType": "Agent", "account": {"homePage": "https://sis.example.org", "name": learner}},
        "verb": {"id": f"http://adlnet.gov/expapi/verbs/{verb}", "display": {"en": verb}},
        "object": {"objectType": "Activity", "id": f"https://tool.example.org/{about}"},
        **more,
    }


def ids(statements: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the ids of statements, in their order."""
    return [str(one["id"]) for one in statements]
