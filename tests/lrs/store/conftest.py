"""A log at the level of the store, in a database that is shared or the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from lrs.settings import Settings
from lrs.store.engine import open_engine
from tests.databases import migrate, new_database
from tests.lrs.store.store import Store


@pytest.fixture
def store(shared_settings: Settings) -> Iterator[Store]:
    """A log of the test's own, on each dialect."""
    with _store(shared_settings.log_url) as one:
        yield one


@pytest.fixture
def own_store(own_settings: Settings) -> Iterator[Store]:
    """As `store`, in a database that belongs to the test alone."""
    with _store(own_settings.log_url) as one:
        yield one


@pytest.fixture
def server_store(postgresql: Engine, migrated_database: str) -> Iterator[Store]:
    """As `own_store`, on PostgreSQL alone."""
    with new_database(postgresql, like=migrated_database) as url, _store(url) as one:
        yield one


@pytest.fixture(scope="module")
def postgresql_store(postgresql: Engine, migrated_database: str) -> Iterator[Store]:
    """As `store`, on PostgreSQL alone, in a database that the module's tests share."""
    with new_database(postgresql, like=migrated_database) as url, _store(url) as one:
        yield one


@pytest.fixture(scope="module")
def sqlite_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """As `store`, on SQLite alone, in a file that the module's tests share."""
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("data")))
    migrate(settings)
    with _store(settings.log_url) as one:
        yield one


@contextmanager
def _store(url: str) -> Iterator[Store]:
    engine = open_engine(url)
    yield Store(url, engine).with_new_log()
    engine.dispose()
