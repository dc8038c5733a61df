"""One history of the schema for both dialects, in two branches: `log` (the record) and `projections` (what is derived).

Law of the room: a published migration never changes; it spells its DDL out and imports no table of today.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Engine, Text, column, func, select, table
from sqlalchemy.exc import OperationalError, ProgrammingError

if TYPE_CHECKING:
    from alembic.config import Config

BRANCHES = ("log", "projections")
ONE_AT_A_TIME = 0x636169726E
"""The number of PostgreSQL's advisory lock under which a schema is changed."""


def upgrade(engine: Engine, branch: str) -> None:
    """Bring a database to the newest schema of a branch, wholly or not at all; does nothing when it is there already.

    Of several processes that do so at once, one works and the others wait for it.
    """
    from alembic import command  # 9 MB that a web process has no use for

    with engine.execution_options(immediate=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(select(func.pg_advisory_xact_lock(ONE_AT_A_TIME)))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, f"{branch}@head")


def newest(branch: str) -> str:
    """Return the last revision of a branch: they are numbered, and their files are named after them."""
    return max(path.stem for path in (Path(__file__).parent / "versions").glob(f"{branch}_*.py"))


def is_current(engine: Engine, branch: str) -> bool:
    """Whether a database has the newest schema of a branch."""
    try:
        with engine.connect() as connection:
            found = set(connection.scalars(select(column("version_num", Text)).select_from(table("alembic_version"))))
    except (OperationalError, ProgrammingError):
        return False
    return newest(branch) in found


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    return config
