"""Databases for tests and for the bench: where PostgreSQL answers, a new database on it, and the schema in one."""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine, make_url, text

from lrs.settings import Settings
from migrations import upgrade


def postgresql_url() -> str:
    """Return the URL of the server's database that others may be created beside."""
    given = os.environ.get("CAIRN_TEST_POSTGRESQL", f"postgresql://{getpass.getuser()}@127.0.0.1:5432/postgres")
    return make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


def postgresql_server() -> Engine:
    """Return an engine that may create databases; it connects when it is used."""
    return create_engine(postgresql_url(), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})


@contextmanager
def new_database(server: Engine, purpose: str = "test", like: str = "") -> Iterator[str]:
    """Create a database on the server, yield its URL, and drop it at the end; `like` is the URL of one to copy."""
    name = f"cairn_{purpose}_{uuid.uuid4().hex[:12]}"
    template = f" TEMPLATE {make_url(like).database}" if like else ""
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}{template}"))
    try:
        yield server.url.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def migrate(settings: Settings) -> None:
    """Bring the databases of some settings to the newest schema."""
    for url, branch in ((settings.log_url, "log"), (settings.derived_url, "projections")):
        engine = create_engine(url)
        upgrade(engine, branch)
        engine.dispose()
