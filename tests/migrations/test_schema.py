"""The migrated schema is the declared one, on both dialects and for both branches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Inspector, MetaData, inspect, text
from sqlalchemy.exc import DBAPIError

import migrations
from lrs.settings import Settings
from lrs.store.engine import open_engine
from lrs.store.tables import metadata as log_tables
from migrations import BRANCHES, is_current, newest, upgrade
from projections.building.catalogue import PROJECTIONS
from projections.tables import metadata as projection_tables
from tests.databases import new_database
from tests.lrs.store.store import at_once

DECLARED: Mapping[str, MetaData] = {"log": log_tables, "projections": projection_tables}
DIALECTS = ("sqlite", "postgresql")
DECLARED_SCHEMA = "declared"
GUARDED_SINCE = ("attachment", "attachment_chunk", "statement_attachment", "signature")
"""Tables of attachments and signatures: never changed, and deleted from only where no text needs it."""
GUARDS = {
    "sqlite": {
        "log": {"log_is_kept", "log_stays", "log_is_not_replaced"},
        "log_head": {"log_head_rises", "log_head_stays", "log_head_is_not_replaced"},
        "statement": {"statement_is_kept", "statement_stays", "statement_is_not_replaced"},
        "statement_body": {"statement_body_is_kept", "statement_body_stays", "statement_body_is_not_replaced"},
        **{table: {f"{table}_is_kept", f"{table}_stays", f"{table}_is_not_replaced"} for table in GUARDED_SINCE},
    },
    "postgresql": {
        "log": {"log_is_kept", "log_is_whole"},
        "log_head": {"log_head_rises", "log_head_is_kept", "log_head_is_whole"},
        "statement": {"statement_is_kept", "statement_is_whole"},
        "statement_body": {"statement_body_is_kept", "statement_body_stays", "statement_body_is_whole"},
        **{table: {f"{table}_is_kept", f"{table}_stays", f"{table}_is_whole"} for table in GUARDED_SINCE},
    },
}


class Migrated(NamedTuple):
    """A migrated database of one branch, and the tables that it should have."""

    engine: Engine
    branch: str
    declared: MetaData


@pytest.fixture(params=BRANCHES)
def migrated(request: pytest.FixtureRequest, shared_settings: Settings) -> Iterator[Migrated]:
    """Each branch on each dialect."""
    url = shared_settings.log_url if request.param == "log" else shared_settings.derived_url
    engine = open_engine(url)
    yield Migrated(engine, request.param, DECLARED[request.param])
    engine.dispose()


def test_nothing_is_left_for_a_migration_to_do(migrated: Migrated) -> None:
    with migrated.engine.connect() as connection:
        options = {"compare_type": True, "compare_server_default": True, "include_name": _is_of(migrated.declared)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, migrated.declared) == []


def test_every_table_is_in_all_respects_the_declared_one(migrated: Migrated, tmp_path: Path) -> None:
    found = _described(inspect(migrated.engine), migrated.declared, None)
    if migrated.engine.dialect.name == "sqlite":
        wanted = open_engine(f"sqlite:///{tmp_path}/declared.db")
        migrated.declared.create_all(wanted)
        assert found == _described(inspect(wanted), migrated.declared, None)
        wanted.dispose()
        return
    with migrated.engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {DECLARED_SCHEMA}"))
        connection.execute(text(f"SET LOCAL search_path = {DECLARED_SCHEMA}"))
        migrated.declared.create_all(connection)
        assert found == _described(inspect(connection), migrated.declared, DECLARED_SCHEMA)
        connection.rollback()


def test_there_is_no_table_that_nobody_declared(migrated: Migrated) -> None:
    declared = set(log_tables.tables) | set(projection_tables.tables) | {"alembic_version"}
    assert set(inspect(migrated.engine).get_table_names()) <= declared


def test_every_projection_declares_its_tables_in_the_branch(migrated: Migrated) -> None:
    names = {table.name for one in PROJECTIONS for table in one.tables}
    assert names <= set(projection_tables.tables)


def test_migrating_again_changes_nothing(migrated: Migrated) -> None:
    before = _described(inspect(migrated.engine), migrated.declared, None)
    upgrade(migrated.engine, migrated.branch)
    assert is_current(migrated.engine, migrated.branch)
    assert _described(inspect(migrated.engine), migrated.declared, None) == before


@pytest.mark.parametrize("branch", BRANCHES)
def test_the_newest_revision_is_the_head_of_its_branch(branch: str) -> None:
    heads = ScriptDirectory(str(Path(migrations.__file__).parent)).get_revision(f"{branch}@head")
    assert newest(branch) == heads.revision


def test_a_database_that_nobody_migrated_is_not_current(new_url: str) -> None:
    engine = open_engine(new_url)
    assert not is_current(engine, "log")
    engine.dispose()


def test_the_record_is_guarded(migrated: Migrated) -> None:
    guards = GUARDS[migrated.engine.dialect.name]
    if migrated.branch == "log":
        assert _triggers(migrated.engine) == guards


def test_of_many_who_migrate_at_once_none_fails(new_url: str) -> None:
    engines = [open_engine(new_url) for _ in range(4)]
    outcomes = [done.exception() for done in at_once([partial(upgrade, engine, "log") for engine in engines])]
    assert outcomes == [None] * 4
    assert is_current(engines[0], "log")
    for engine in engines:
        engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(new_url: str) -> None:
    engine = open_engine(new_url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE credential (in_the_way integer)"))
    with pytest.raises(DBAPIError):
        upgrade(engine, "log")
    assert inspect(engine).get_table_names() == ["credential"]
    engine.dispose()


@pytest.fixture(params=DIALECTS)
def new_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database with nothing in it, on each dialect."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/cairn.db"
        return
    with new_database(request.getfixturevalue("postgresql")) as url:
        yield url


def test_there_is_no_way_back() -> None:
    versions = ScriptDirectory(str(Path(migrations.__file__).parent)).walk_revisions()
    assert not [one.revision for one in versions if hasattr(one.module, "downgrade")]
    assert not hasattr(migrations, "downgrade")


def _is_of(declared: MetaData) -> Callable[[str | None, str, Any], bool]:
    """Return the filter that keeps the other branch, which may stand in the same database, out of a comparison."""
    return lambda name, kind, _parents: kind != "table" or name in declared.tables


def _described(inspector: Inspector, declared: MetaData, schema: str | None) -> dict[str, Any]:
    """Return all that the database itself says of the declared tables, the order of their columns included."""
    return {name: _table(inspector, name, schema) for name in sorted(declared.tables)}


def _table(inspector: Inspector, name: str, schema: str | None) -> dict[str, Any]:
    columns = inspector.get_columns(name, schema)
    return {
        "columns": [(one["name"], str(one["type"]), one["nullable"], _default(one["default"])) for one in columns],
        "primary key": inspector.get_pk_constraint(name, schema),
        "unique": _by_name(inspector.get_unique_constraints(name, schema)),
        "checks": _by_name(inspector.get_check_constraints(name, schema)),
        "indexes": [_with_text(one) for one in _by_name(inspector.get_indexes(name, schema))],
        "references": sorted(
            (one["constrained_columns"], one["referred_table"], one["referred_columns"])
            for one in inspector.get_foreign_keys(name, schema)
        ),
        "options": inspector.get_table_options(name, schema),
    }


def _default(default: str | None) -> str | None:
    """Return a default without the schema that its sequence lies in."""
    return default and default.replace(f'"{DECLARED_SCHEMA}".', "")


def _with_text(index: Mapping[str, Any]) -> dict[str, Any]:
    """Return an index whose condition, if it has one, is text."""
    return {**index, "dialect_options": {key: str(value) for key, value in index["dialect_options"].items()}}


def _by_name(constraints: Sequence[Any]) -> list[Any]:
    return sorted(constraints, key=lambda one: str(one["name"]))


def _triggers(engine: Engine) -> dict[str, set[str]]:
    """Return the triggers that stand guard on each table; on PostgreSQL only those that fire for replicas too."""
    if engine.dialect.name == "sqlite":
        query = "SELECT tbl_name, name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    else:
        query = "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE tgenabled = 'A' ORDER BY tgname"
    found: dict[str, set[str]] = {}
    with engine.connect() as connection:
        for table, name in connection.execute(text(query)):
            found.setdefault(table, set()).add(name)
    return found
