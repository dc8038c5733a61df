"""`cairn doctor` against a server of ours, and against servers that break one thing each."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner
from flask import Flask

from lrs.doctor import PLACE, Finding, Visit, doctor, findings
from lrs.settings import Settings
from lrs.store.credentials import set_origins
from lrs.store.engine import immediate
from tests.district import Client, District, open_district
from tests.serving import served

ORIGIN = "https://tool.example.org"
Answer = tuple[int, dict[str, str], bytes]
Break = Callable[[str, str, Mapping[str, str], Answer], Answer]


@pytest.fixture
def allowed(district: District) -> Client:
    """A credential whose origin is registered."""
    client = district.client("all")
    with immediate(district.engine).begin() as connection:
        set_origins(connection, district.log, client.key, [ORIGIN])
    return client


@contextmanager
def behind(app: Flask, broken: Break) -> Iterator[str]:
    """Serve an application on the loopback, every answer passed through what breaks it; yield its endpoint."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            got = app.test_client().open(self.path, method=self.command, data=body, headers=list(self.headers.items()))
            whole = (got.status_code, dict(got.headers), got.data)
            status, headers, data = broken(self.command, self.path, dict(self.headers), whole)
            self.send_response_only(status)
            kept = {name: value for name, value in headers.items() if name != "Content-Length"}
            for name, value in {"Date": self.date_time_string(), **kept, "Content-Length": str(len(data))}.items():
                if value:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    for method in ("GET", "PUT", "POST", "DELETE", "OPTIONS"):
        setattr(Handler, f"do_{method}", Handler.answer)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/xapi"
        server.shutdown()
        thread.join()


def examined(endpoint: str, client: Client, **more: Any) -> dict[str, Finding]:
    visit = Visit(endpoint, client.key, client.secret, origin=ORIGIN, **more)
    with visit.session:
        return {one.check: one for one in findings(visit, may_write=True)}


def failed(found: Mapping[str, Finding]) -> set[str]:
    return {name for name, one in found.items() if one.state == "failed"}


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_a_sound_server_has_nothing_wrong(own_settings: Settings, version: str) -> None:
    with open_district(own_settings) as empty, served(own_settings) as server:
        district = empty.with_new_log("sound")
        client = district.client("all")
        with immediate(district.engine).begin() as connection:
            set_origins(connection, district.log, client.key, [ORIGIN])
        found = examined(server.endpoint, client, version=version)
        assert {one.state for one in found.values()} == {"ok"}, found


def without(name: str) -> Break:
    return lambda _method, _path, _sent, answer: (answer[0], {**answer[1], name: ""}, answer[2])


def instead(method: str, path: str, status: int, body: bytes | None = None) -> Break:
    def broken(asked: str, where: str, _sent: Mapping[str, str], answer: Answer) -> Answer:
        is_it = asked == method and where.startswith(path)
        return (status, answer[1], answer[2] if body is None else body) if is_it else answer

    return broken


def open_door(_method: str, _path: str, sent: Mapping[str, str], answer: Answer) -> Answer:
    return answer if "Authorization" in sent else (200, answer[1], b'{"version": ["1.0.3"]}')


BROKEN: dict[str, tuple[Break, set[str], str]] = {
    "another site": (instead("GET", "/xapi/about", 200, b"<html>"), {"about"}, "something else answers"),
    "wrong path": (instead("GET", "/xapi/about", 404), {"about"}, "/xapi"),
    "no version header": (without("X-Experience-API-Version"), {"version"}, "proxy"),
    "open door": (open_door, {"credential"}, "whoever finds it"),
    "slow clock": (
        lambda _m, _p, _s, answer: (answer[0], {**answer[1], "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}, answer[2]),
        {"clock"},
        "NTP",
    ),
    "no consistency": (without("X-Experience-API-Consistent-Through"), {"consistency"}, "ISO 8601"),
    "anything goes": (instead("GET", "/xapi/statements?foo", 200), {"refusals"}, "typing error"),
    "read only": (instead("POST", "/xapi/statements", 403, b"{}"), {"statements", "attachments"}, "statements/write"),
    "no etag": (without("ETag"), {"etags"}, "ETag"),
    "no delete": (instead("DELETE", "/xapi/activities/state", 405), {"state"}, "refuse DELETE"),
    "no cors": (without("Access-Control-Allow-Origin"), {"cors"}, "cairn credentials origins"),
    "lost update": (instead("PUT", "/xapi/agents/profile", 204, b""), {"etags"}, "overwrite"),
    "other bytes": (
        lambda _m, _p, _s, answer: (answer[0], answer[1], answer[2].replace(b'{"is":', b'{ "is": ')),
        {"state"},
        "rewrite JSON",
    ),
    "no binary": (
        lambda _m, where, _s, answer: (answer[0], answer[1], b"--x--") if "attachments=true" in where else answer,
        {"attachments"},
        "binary",
    ),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_each_thing_that_is_broken_is_found_and_explained(district: District, allowed: Client, name: str) -> None:
    broken, wanted, words = BROKEN[name]
    with behind(district.app, broken) as endpoint:
        found = examined(endpoint, allowed)
    assert failed(found) == wanted, found
    assert any(words in found[one].fix + found[one].said for one in wanted)


def unbroken(_method: str, _path: str, _sent: Mapping[str, str], answer: Answer) -> Answer:
    return answer


def run(*words: str, **how: Any) -> tuple[int, str]:
    done = CliRunner().invoke(doctor, list(words), **how)
    return done.exit_code, done.output


def test_it_writes_only_when_it_may(district: District, allowed: Client) -> None:
    before = district.size()
    with behind(district.app, unbroken) as endpoint:
        words = ["--endpoint", endpoint, "--key", allowed.key]
        status, said = run(*words, input=f"{allowed.secret}\n")
    assert (status, district.size()) == (0, before)
    assert "give --write" in said
    assert allowed.secret not in said


def test_what_it_writes_says_that_it_is_a_test_and_is_voided(district: District, allowed: Client) -> None:
    with behind(district.app, unbroken) as endpoint:
        status, said = run("--endpoint", endpoint, "--key", allowed.key, "--secret", allowed.secret, "--write")
    assert status == 0, said
    who = {"account": {"homePage": PLACE, "name": "doctor"}}
    kept = district.someone.found(agent=who)
    assert {one["verb"]["id"] for one in kept} == {"http://adlnet.gov/expapi/verbs/voided"}
    documents = district.someone.get("/xapi/agents/profile", {"agent": json.dumps(who)})
    assert documents.get_json() == []


def test_without_a_key_it_asks_what_a_stranger_may(district: District) -> None:
    with behind(district.app, unbroken) as endpoint:
        status, said = run("--endpoint", endpoint)
    assert status == 0
    assert "give --key" in said


def test_a_wrong_secret_fails(district: District, allowed: Client) -> None:
    with behind(district.app, unbroken) as endpoint:
        status, said = run("--endpoint", endpoint, "--key", allowed.key, "--secret", "wrong")
    assert status == 1
    assert "compare key and secret" in said


def test_an_address_where_nobody_answers_fails_with_one_finding() -> None:
    status, said = run("--endpoint", "http://127.0.0.1:9/xapi")
    assert (status, said.count("failed")) == (1, 1)
    assert "fix:" in said
