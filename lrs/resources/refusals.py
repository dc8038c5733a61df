"""Refused xAPI requests, kept for the people who must mend a tool: `/api/v1/refusals`.

What is kept is written down by a thread of its own, a moment after the answer: a request that was refused neither waits
for it nor learns when it fails. Many refusals of one credential in a minute are counted, not listed.
"""

from __future__ import annotations

import base64
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any, cast
from urllib.parse import urlencode

import msgspec
import structlog
from flask import Blueprint, Flask, Response, current_app, g, jsonify, request
from marshmallow import Schema, ValidationError, fields, validate
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from lrs.errors import CairnError, InvalidRequest, NotFound, Problem
from lrs.resources import headers
from lrs.resources.auth import credential
from lrs.resources.lrs import this_lrs
from lrs.store.consistency import aside
from lrs.store.credentials import Credential
from lrs.store.refusals import Listed, Refusal, count_unlisted, keep, purge, refusal_with_id, refusals_for
from lrs.xapi.values import iso

blueprint = Blueprint("refusals", __name__, url_prefix="/api/v1/refusals")
MOST_LISTED_A_MINUTE = 30
MOST_PROBLEMS = 50
MOST_CHARACTERS = 2_000
MOST_CREDENTIALS = 10_000
PAUSE_SECONDS = 0.5
ATTEMPTS, ATTEMPT_SECONDS = 20, 0.025
MOST_WAITING = 1_000
MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
LARGEST_SIZE = 2**31 - 1
"""Content-Length may say anything, and no database keeps a number of any length."""
ORDINARY = frozenset({"GET", "HEAD"})
"""Asking for what is not there is no mistake: tools look for a learner's state before there is one."""


logger = structlog.get_logger()


class Recorder:
    """Takes refusals from the threads that answer, and writes them down in one that waits."""

    def __init__(self, engine: Engine, days: int) -> None:
        self.days = days
        self._engine = engine
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._wake, self._closed = threading.Event(), threading.Event()
        self._waiting: list[Refusal] = []
        self._minute, self._seen = 0, Counter[str | None]()
        self._unlisted = Counter[str | None]()
        self._last: dict[str | None, int] = {}
        self._thread: threading.Thread | None = None

    def note(self, found: Refusal) -> None:
        """Take a refusal, to be listed or, past the number for a minute, counted."""
        with self._lock:
            if self._closed.is_set():
                return
            self._begin_minute(found.time // MINUTE_US)
            self._seen[found.key] += 1
            if self._seen[found.key] > MOST_LISTED_A_MINUTE:
                self._unlisted[found.key] += 1
            else:
                self._waiting.append(found)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)
                self._thread.start()
        self._wake.set()

    def write(self) -> None:
        """Write down what waits, unless the database is too busy for it: then it goes on waiting."""
        for _ in range(ATTEMPTS):
            if self._is_written():
                return
            time.sleep(ATTEMPT_SECONDS)

    def _is_written(self) -> bool:
        with self._writing:
            with self._lock:
                waiting, self._waiting = self._waiting, []
                unlisted, self._unlisted = self._unlisted, Counter()
            if not waiting and not unlisted:
                return True
            try:
                self._write(waiting, unlisted)
            except SQLAlchemyError:
                self._put_back(waiting, unlisted)
                return False
            return True

    def _put_back(self, waiting: list[Refusal], unlisted: Counter[str | None]) -> None:
        """Let what could not be written wait on, the newest of it if it is too much."""
        with self._lock:
            self._waiting = (waiting + self._waiting)[-MOST_WAITING:]
            self._unlisted.update(unlisted)
        self._wake.set()

    def close(self) -> None:
        """Write down what waits and end the thread; nothing is taken afterwards."""
        with self._lock:
            thread = self._thread
            self._closed.set()
        self._wake.set()
        if thread is not None:
            thread.join()

    def _write(self, waiting: list[Refusal], unlisted: Counter[str | None]) -> None:
        with aside(self._engine) as connection:
            written = {one.key: keep(connection, one) for one in waiting}
            last = {**self._last, **written}
            for key, number in unlisted.items():
                if key in last:
                    count_unlisted(connection, last[key], number)
            if waiting:
                purge(connection, waiting[-1].time - self.days * DAY_US)
        self._last = last if len(last) <= MOST_CREDENTIALS else written

    def _begin_minute(self, minute: int) -> None:
        if minute != self._minute:
            self._minute = minute
            self._seen.clear()

    def _run(self) -> None:
        while not self._closed.is_set():
            self._wake.wait()
            self._wake.clear()
            try:
                self.write()
            except Exception:
                logger.exception("refusals could not be written down")
            self._closed.wait(PAUSE_SECONDS)


def register(app: Flask, engine: Engine, days: int) -> None:
    """Keep what the xAPI resources refuse, and let it be read."""
    app.extensions["refusals"] = Recorder(engine, days)
    app.register_blueprint(blueprint)
    app.after_request(_noted)


def recorder() -> Recorder:
    """Return the recorder of the running application."""
    return cast(Recorder, current_app.extensions["refusals"])


def _noted(response: Response) -> Response:
    if request.path.lower().startswith("/xapi") and _is_refusal(response.status_code):
        with suppress(SQLAlchemyError):
            recorder().note(_refusal(response))
    return response


def _is_refusal(status: int) -> bool:
    if status == 404 and request.method in ORDINARY:
        return request.url_rule is None
    return 400 <= status < 500


def _refusal(response: Response) -> Refusal:
    """Return what is kept of the request that is being refused: never a header that could hold a secret."""
    asking, now = _asking(), time.time_ns() // 1000
    title, detail, problems = g.get("told", (response.status, "", ()))
    address = f"{request.path}?{request.query_string.decode(errors='replace')}".rstrip("?") if asking else request.path
    return Refusal(
        asking.log.log_id if asking else None,
        asking.key if asking else None,
        now,
        request.method[:20],
        _plain(address),
        response.status_code,
        title,
        _plain(detail),
        tuple(Problem(_plain(one.pointer), _plain(one.message)) for one in problems[:MOST_PROBLEMS]),
        len(problems),
        min(request.content_length or len(g.get("body", b"")), LARGEST_SIZE),
        _plain(request.headers.get("Content-Type", "")),
        _body() if asking and recorder().days else None,
    )


def _asking() -> Credential | None:
    """Return who is refused; a request may be refused before anybody looked whose it is."""
    with suppress(CairnError):
        return credential()
    return None


def _body() -> bytes:
    headers.drain()
    return headers.beginning()


def _plain(text: str) -> str:
    """Return text that any database can keep, and not too much of it."""
    return text[:MOST_CHARACTERS].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


class Query(Schema):
    """The query of the list: a page begins below the refusal `before`."""

    before = fields.Integer(load_default=None, validate=validate.Range(1, 2**31))
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 500))
    credential = fields.String(load_default=None)
    status = fields.Integer(load_default=None, validate=validate.Range(400, 499))


@blueprint.get("")
def listed() -> Response:
    """List refused requests, newest first: all of the log for who may read everything, else one's own."""
    reader, asked = credential(), _asked()
    found = listed_for(reader, asked["limit"] + 1, asked["before"], asked["credential"], asked["status"])
    page = found[: asked["limit"]]
    before = page[-1].id if len(found) > len(page) else None
    response = jsonify({"refusals": list(map(told, page)), "before": before})
    if before is not None:
        query = urlencode({**request.args.to_dict(), "before": before})
        response.headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return response


def listed_for(
    reader: Credential, limit: int, before: int | None = None, key: str | None = None, status: int | None = None
) -> list[Listed]:
    """Return the refusals that a reader may see, those of a moment ago included."""
    recorder().write()
    with this_lrs().engine.connect() as connection:
        return refusals_for(connection, reader, limit, before, key, status)


@blueprint.get("/<int:refusal_id>")
def one(refusal_id: int) -> Response:
    """Tell one refused request with its body, while that is kept."""
    found = one_for(credential(), refusal_id)
    if found is None:
        raise NotFound(f"no refusal {refusal_id} is kept, or it is not yours")
    return jsonify({**told(found[0]), **_shown(found[1])})


def one_for(reader: Credential, refusal_id: int) -> tuple[Listed, bytes | None] | None:
    """Return a refusal and its body, while that is kept; None when there is none for this reader."""
    recorder().write()
    with this_lrs().engine.connect() as connection:
        return refusal_with_id(connection, reader, min(refusal_id, 2**31 - 1))


def _asked() -> dict[str, Any]:
    try:
        asked: dict[str, Any] = Query().load(request.args.to_dict())
    except ValidationError as error:
        found = [Problem(f"?{name}", "; ".join(words)) for name, words in error.normalized_messages().items()]  # type: ignore[no-untyped-call]
        raise InvalidRequest("the query cannot be understood", found) from None
    return asked


def told(found: Listed) -> dict[str, Any]:
    """Return a refusal as JSON has it."""
    values: dict[str, Any] = msgspec.structs.asdict(found)
    return {**values, "time": iso(found.time)}


def _shown(body: bytes | None) -> dict[str, str | None]:
    """Return a body as text where it is text."""
    try:
        return {"body": body.decode() if body is not None else None}
    except UnicodeDecodeError:
        return {"body": None, "body_base64": base64.b64encode(body or b"").decode()}
