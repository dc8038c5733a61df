"""Stores of the bench's own: new databases with one log and one credential, and web servers over them."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Final

import wsgi
from lrs.cli import Desk, new_credential, new_log, server_arguments
from lrs.settings import Settings
from lrs.store.credentials import Credential, credential_with_key
from lrs.store.log import Log, count, head
from tests.bench.clients import Client, Refused, authorization, get_request
from tests.bench.figures import ROOT, Bench
from tests.databases import migrate, new_database

SCOPES: Final = frozenset({"all", "registrar"})
START_SECONDS: Final = 60.0
SAMPLE: Final = 50


@dataclass(frozen=True)
class Store:
    """Migrated databases with one log, and a credential that may do everything in it."""

    settings: Settings
    desk: Desk
    log: Log
    key: str
    secret: str

    @property
    def lines(self) -> bytes:
        """The header lines that every request to the store carries."""
        return authorization(self.key, self.secret)

    def credential(self) -> Credential:
        """Return the credential as the web server sees it."""
        with self.desk.engine.connect() as connection:
            found = credential_with_key(connection, self.key)
        assert found is not None
        return found

    def size(self) -> int:
        """Return how many statements the log's head tells of."""
        with self.desk.engine.connect() as connection:
            return head(connection, self.log.log_id)[0]


@contextmanager
def postgresql_store(bench: Bench, slug: str = "bench") -> Iterator[Store]:
    """Yield a store in a new PostgreSQL database, which is dropped at the end."""
    with new_database(bench.server, "bench") as url:
        yield from _store(Settings(data_dir=str(bench.folder / slug), database_url=url), slug)


@contextmanager
def sqlite_store(bench: Bench, slug: str = "sqlite") -> Iterator[Store]:
    """Yield a store in new SQLite files."""
    folder = bench.folder / slug
    folder.mkdir()
    yield from _store(Settings(data_dir=str(folder)), slug)


def _store(settings: Settings, slug: str) -> Iterator[Store]:
    migrate(settings)
    desk = wsgi.desk_of(settings)
    try:
        log = new_log(desk, slug, "Bench County", f"https://{slug}.example.org")
        yield Store(settings, desk, log, *new_credential(desk, log, "bench", SCOPES))
    finally:
        desk.engine.dispose()
        desk.derived.dispose()


@dataclass(frozen=True)
class WebServer:
    """A running web server: the port it answers on, and its main process."""

    port: int
    process: int

    def peak_mb(self) -> float:
        """Return the most memory that any of its worker processes ever held."""
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        return max(_peak_mb(int(child)) for child in children)


def _peak_mb(process: int) -> float:
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{process}/status").read_text())
    return int(found[1]) / 1024 if found else 0.0


@contextmanager
def web_server(settings: Settings, app: str = "wsgi:app") -> Iterator[WebServer]:
    """Run the web server as `cairn serve` would, on a free port, and end it with all its workers."""
    chosen = replace(settings, port=_free_port())
    command = [sys.executable, "-m", "granian", *server_arguments(chosen)[:-1], app]
    process = subprocess.Popen(command, cwd=ROOT, env=_environment(chosen), start_new_session=True)
    try:
        _wait_until_up(process, chosen.port)
        yield WebServer(chosen.port, process.pid)
    finally:
        _end(process)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _environment(settings: Settings) -> dict[str, str]:
    chosen = {f"CAIRN_{one.name.upper()}": str(getattr(settings, one.name)) for one in fields(settings)}
    return {**os.environ, **chosen}


def _wait_until_up(process: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            raise Refused("the web server ended at its start; see its messages above")
        try:
            with closing(Client(port)) as client:
                client.take(get_request(b"", "/health"))
        except (OSError, Refused):
            time.sleep(0.1)
        else:
            return
    raise Refused(f"the web server was not up within {START_SECONDS:g} seconds")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a server and its workers: all of the session that was begun for it."""
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Missing(Exception):
    """Something that was acknowledged is not in the store."""


def verify(store: Store, server: WebServer, expected: int, ids: list[str]) -> None:
    """Check that the log holds so many statements and that a sample of those posted can be read; raises Missing."""
    with store.desk.engine.connect() as connection:
        counted = count(connection, store.log.log_id)
    if not counted == store.size() == expected:
        raise Missing(f"{expected} statements were acknowledged, {counted} are stored, the head says {store.size()}")
    with closing(Client(server.port)) as client:
        for one in ids[:: max(1, len(ids) // SAMPLE)]:
            body = client.take(get_request(store.lines, f"/xapi/statements?statementId={one}"))
            if one.encode() not in body:
                raise Missing(f"{one} was acknowledged, but another statement came back")
