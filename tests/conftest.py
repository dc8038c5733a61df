"""What every test stands on: both databases, migrated once, and a log of its own for each test.

PostgreSQL is taken from CAIRN_TEST_POSTGRESQL (the URL of a database where others may be created), else from
127.0.0.1:5432. Where there is none, its tests are skipped, unless CAIRN_TEST_NEEDS_POSTGRESQL forbids that.
"""

from __future__ import annotations

import getpass
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from lrs.settings import Settings
from migrations import upgrade
from tests.district import District, open_district

DIALECTS = ("sqlite", "postgresql")


def postgresql_url() -> str:
    """Return the URL of the server's database that the tests may create others beside."""
    given = os.environ.get("CAIRN_TEST_POSTGRESQL", f"postgresql://{getpass.getuser()}@127.0.0.1:5432/postgres")
    return make_url(given).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Engine]:
    """The PostgreSQL server, through a connection that may create databases."""
    engine = create_engine(postgresql_url(), isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 5})
    try:
        engine.connect().close()
    except OperationalError:
        if os.environ.get("CAIRN_TEST_NEEDS_POSTGRESQL"):
            raise
        pytest.skip("no PostgreSQL server answers; set CAIRN_TEST_POSTGRESQL")
    yield engine
    engine.dispose()


@pytest.fixture(params=DIALECTS)
def own_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of migrated databases that belong to one test alone, on each dialect."""
    if request.param == "sqlite":
        settings = Settings(data_dir=str(tmp_path))
        _migrate(settings)
        yield settings
        return
    server: Engine = request.getfixturevalue("postgresql")
    with _database(server) as url:
        settings = Settings(data_dir=str(tmp_path), database_url=url)
        _migrate(settings)
        yield settings


@pytest.fixture(scope="session", params=DIALECTS)
def shared_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of migrated databases that all tests share, each with a log of its own, on each dialect."""
    folder = str(tmp_path_factory.mktemp(request.param))
    if request.param == "sqlite":
        settings = Settings(data_dir=folder, credential_cache_seconds=0.0)
        _migrate(settings)
        yield settings
        return
    server: Engine = request.getfixturevalue("postgresql")
    with _database(server) as url:
        settings = Settings(data_dir=folder, database_url=url, credential_cache_seconds=0.0)
        _migrate(settings)
        yield settings


@pytest.fixture(scope="session")
def shared_district(shared_settings: Settings) -> Iterator[District]:
    """The application over the shared databases; `district` gives each test a log in it."""
    with open_district(shared_settings) as one:
        yield one


@pytest.fixture
def district(shared_district: District) -> District:
    """A log of the test's own, its credentials, and clients that speak for them."""
    return shared_district.with_new_log(uuid.uuid4().hex[:12])


@pytest.fixture
def own_district(own_settings: Settings) -> Iterator[District]:
    """As `district`, over databases that belong to the test alone."""
    with open_district(own_settings) as one:
        yield one.with_new_log("alone")


class _database:
    """A new database on the server, dropped at the end."""

    def __init__(self, server: Engine) -> None:
        self._server = server
        self._name = f"cairn_test_{uuid.uuid4().hex[:12]}"

    def __enter__(self) -> str:
        with self._server.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {self._name}"))
        return self._server.url.set(database=self._name).render_as_string(hide_password=False)

    def __exit__(self, *_: object) -> None:
        with self._server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {self._name} WITH (FORCE)"))


def _migrate(settings: Settings) -> None:
    for url, branch in ((settings.log_url, "log"), (settings.derived_url, "projections")):
        engine = create_engine(url)
        upgrade(engine, branch)
        engine.dispose()
