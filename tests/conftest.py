"""What every test stands on: both databases, migrated once, and a log of its own for each test.

PostgreSQL is taken from CAIRN_TEST_POSTGRESQL (the URL of a database where others may be created), else from
127.0.0.1:5432. Where there is none, its tests are skipped, unless CAIRN_TEST_NEEDS_POSTGRESQL forbids that.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from lrs.settings import Settings
from tests.databases import migrate, new_database, postgresql_server
from tests.district import District, open_district

DIALECTS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Engine]:
    """The PostgreSQL server, through a connection that may create databases."""
    engine = postgresql_server()
    try:
        engine.connect().close()
    except OperationalError:
        if os.environ.get("CAIRN_TEST_NEEDS_POSTGRESQL"):
            raise
        pytest.skip("no PostgreSQL server answers; set CAIRN_TEST_POSTGRESQL")
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with migrated SQLite files, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    migrate(Settings(data_dir=str(folder)))
    return folder


@pytest.fixture(scope="session")
def migrated_database(postgresql: Engine) -> Iterator[str]:
    """The URL of a migrated PostgreSQL database, to be copied."""
    with new_database(postgresql, "migrated") as url:
        migrate(Settings(database_url=url))
        yield url


@pytest.fixture(params=DIALECTS)
def own_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of migrated databases that belong to one test alone, on each dialect."""
    if request.param == "sqlite":
        copytree(request.getfixturevalue("migrated_files"), tmp_path, dirs_exist_ok=True)
        yield Settings(data_dir=str(tmp_path))
        return
    like: str = request.getfixturevalue("migrated_database")
    with new_database(request.getfixturevalue("postgresql"), like=like) as url:
        yield Settings(data_dir=str(tmp_path), database_url=url)


@pytest.fixture(scope="session", params=DIALECTS)
def shared_settings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of migrated databases that all tests share, each with a log of its own, on each dialect."""
    folder = str(tmp_path_factory.mktemp(request.param))
    if request.param == "sqlite":
        settings = Settings(data_dir=folder, credential_cache_seconds=0.0)
        migrate(settings)
        yield settings
        return
    server: Engine = request.getfixturevalue("postgresql")
    with new_database(server) as url:
        settings = Settings(data_dir=folder, database_url=url, credential_cache_seconds=0.0)
        migrate(settings)
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
