"""One history of the schema for both dialects, in two branches: `log` (the record) and `projections` (what is derived).

Law of the room: a published migration never changes; it spells its DDL out and imports no table of today.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, func, select

BRANCHES = ("log", "projections")
ONE_AT_A_TIME = 0x636169726E
"""The number of PostgreSQL's advisory lock under which a schema is changed."""


def upgrade(engine: Engine, branch: str) -> None:
    """Bring a database to the newest schema of a branch, wholly or not at all; does nothing when it is there already.

    Of several processes that do so at once, one works and the others wait for it.
    """
    with engine.execution_options(immediate=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, f"{branch}@head")


def is_current(engine: Engine, branch: str) -> bool:
    """Whether a database has the newest schema of a branch."""
    wanted = ScriptDirectory.from_config(_config()).get_revision(f"{branch}@head")
    with engine.connect() as connection:
        return wanted.revision in MigrationContext.configure(connection).get_current_heads()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
