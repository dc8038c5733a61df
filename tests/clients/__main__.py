"""`python -m tests.clients`: the JavaScript clients against a running server, on SQLite and on PostgreSQL.

Needs node, and `npm install` in `tests/clients/javascript`; `make clients` does both.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import OperationalError

import wsgi
from lrs.cli import new_credential, new_log
from lrs.settings import Settings
from tests.databases import migrate, new_database, postgresql_server
from tests.serving import served

SCRIPTS = (("xapi.js", "1.0.3"), ("xapi.js", "2.0.0"), ("tincan.js", "1.0.2"))
FOLDER = Path(__file__).parent / "javascript"


def main() -> None:
    """Run every script on every database; exit 1 when one of them fails."""
    failed = 0
    for name, settings in databases():
        print(f"on {name}:", flush=True)
        failed += lived(settings)
    sys.exit(1 if failed else 0)


def lived(settings: Settings) -> int:
    """Run every script against a server over these databases; return how many failed."""
    migrate(settings)
    desk = wsgi.desk_of(settings)
    log = new_log(desk, "clients", "Clients", "https://clients.example.org")
    key, secret = new_credential(desk, log, "clients", frozenset({"all"}))
    desk.engine.dispose()
    desk.derived.dispose()
    with served(settings) as server:
        own = {"CAIRN_ENDPOINT": server.endpoint, "CAIRN_KEY": key, "CAIRN_SECRET": secret}
        return sum(_runs(script, {**own, "CAIRN_VERSION": version}) != 0 for script, version in SCRIPTS)


def _runs(script: str, environment: dict[str, str]) -> int:
    return subprocess.run(["node", script], cwd=FOLDER, env={**os.environ, **environment}, check=False).returncode


def databases() -> Iterator[tuple[str, Settings]]:
    """Yield settings of new databases with their name, PostgreSQL where a server answers."""
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", Settings(data_dir=folder)
        with _postgresql() as url:
            if url:
                yield "PostgreSQL", Settings(data_dir=folder, database_url=url)


@contextmanager
def _postgresql() -> Iterator[str]:
    server = postgresql_server()
    try:
        server.connect().close()
    except OperationalError:
        print("no PostgreSQL server answers; set CAIRN_TEST_POSTGRESQL")
        yield ""
        return
    with new_database(server, "clients") as url:
        yield url
    server.dispose()


if __name__ == "__main__":
    main()
