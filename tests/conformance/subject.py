"""The endpoint that is asked: one that the environment names, or our own server with a log of its own."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import wsgi
from lrs.cli import new_credential, new_log
from lrs.settings import Settings
from tests.serving import served

PREFIX = "CAIRN_CONFORMANCE_"


class Credential(NamedTuple):
    """What a tool shows of itself."""

    key: str
    secret: str


class Subject(NamedTuple):
    """An endpoint, who may do everything there, and who may only store statements, if anybody is known."""

    endpoint: str
    owner: Credential
    writer: Credential | None = None

    def environment(self) -> dict[str, str]:
        """Return the variables that name this subject."""
        writer = self.writer or Credential("", "")
        values = (self.endpoint, *self.owner, *writer)
        names = ("ENDPOINT", "KEY", "SECRET", "WRITER_KEY", "WRITER_SECRET")
        return {f"{PREFIX}{name}": value for name, value in zip(names, values, strict=True)}


def given() -> Subject | None:
    """Return the subject that the environment names, if it names one."""
    found = {name.removeprefix(PREFIX): value for name, value in os.environ.items() if name.startswith(PREFIX)}
    if not found.get("ENDPOINT"):
        return None
    writer = Credential(found["WRITER_KEY"], found["WRITER_SECRET"]) if found.get("WRITER_KEY") else None
    return Subject(found["ENDPOINT"].rstrip("/"), Credential(found["KEY"], found["SECRET"]), writer)


@contextmanager
def our_own(settings: Settings) -> Iterator[Subject]:
    """Run our server over migrated databases, with a new log."""
    desk, slug = wsgi.desk_of(settings), uuid.uuid4().hex[:12]
    try:
        log = new_log(desk, slug, "Conformance", f"https://{slug}.example.org")
        owner, writer = (
            Credential(*new_credential(desk, log, name, frozenset({scope})))
            for name, scope in (("owner", "all"), ("writer", "statements/write"))
        )
        with served(settings) as server:
            yield Subject(server.endpoint, owner, writer)
    finally:
        desk.engine.dispose()
        desk.derived.dispose()
