"""Every setting of Cairn: one typed object, read once from the environment (`CAIRN_…`).

A field's metadata holds its help text; the README's table is held against this class by a test.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from environs import Env


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator can choose; the names in the environment are these in capitals behind `CAIRN_`."""

    data_dir: str = _setting("var", "Folder of the embedded databases and of generated secrets.")
    database_url: str = _setting("", "SQLAlchemy URL of the logs; empty: an SQLite file in the data folder.")
    projections_url: str = _setting(
        "", "SQLAlchemy URL of the projections; empty: an SQLite file of their own, or the logs' PostgreSQL database."
    )
    host: str = _setting("127.0.0.1", "Address that the web server listens on.")
    port: int = _setting(8700, "Port that the web server listens on.")
    web_workers: int = _setting(2, "Web server processes (on SQLite one process serves, whatever is set).")
    web_threads: int = _setting(16, "Threads of each web server process.")
    body_limit_bytes: int = _setting(10_000_000, "Largest request body, after decompression.")
    attachment_limit_bytes: int = _setting(
        100_000_000, "Most bytes of attachments' data in one request, after decompression."
    )
    batch_limit: int = _setting(5_000, "Most statements that one POST may carry.")
    page_limit: int = _setting(500, "Most statements on one page of GET /xapi/statements.")
    append_queue_limit: int = _setting(256, "Appends that may wait in one process before 429 is answered.")
    credential_cache_seconds: float = _setting(2.0, "How long a web process may trust a credential it has looked up.")
    versionless_reply: str = _setting(
        "1.0.3", "Version header on the 400 that answers a request without X-Experience-API-Version."
    )
    refusal_days: int = _setting(7, "Days for which the bodies of refused requests are kept; 0: none is kept.")
    oauth_issuer: str = _setting("", "Issuer whose bearer tokens (JWT) are taken beside Basic; empty: none is.")
    oauth_audience: str = _setting("", "Audience that a bearer token must be for; needed with an issuer.")
    oauth_jwks_url: str = _setting("", "Address of the issuer's keys (JWKS); empty: found by OpenID discovery.")
    secret_key: str = _setting("", "Key that signs browser sessions; empty: made once and kept in the data folder.")
    worker_batch: int = _setting(5_000, "Log positions that a projection folds in one transaction.")
    worker_poll_seconds: float = _setting(0.25, "Longest pause of an idle projection worker before it looks again.")
    forward_batch: int = _setting(200, "Most statements that a forward or webhook sends in one request.")
    exchange_timeout_seconds: float = _setting(30.0, "Longest silence of another server, in forwards, pulls, imports.")
    verify_hour: int = _setting(3, "Hour (UTC) of the worker's nightly check of every projection; -1: never.")

    publish_decisions: bool = _setting(
        False, "Whether the worker publishes new decisions in the log, as ADL Learner Competency statements."
    )

    spark_master: str = _setting(
        "local[*]", "Master of the Spark cluster that `cairn replay --engine spark` runs on, such as spark://host:7077."
    )

    smallest_group: int = _setting(
        10, "Fewest learners in a group that is told of to analysts who may not see learners."
    )

    @property
    def log_url(self) -> str:
        """Return the URL of the database that holds the logs."""
        return self.database_url or _sqlite_url(self.data_dir, "cairn.db")

    @property
    def derived_url(self) -> str:
        """Return the URL of the database that holds the projections."""
        if self.projections_url:
            return self.projections_url
        if self.log_url.startswith("sqlite"):
            return _sqlite_url(self.data_dir, "projections.db")
        return self.log_url


def _sqlite_url(folder: str, name: str) -> str:
    return f"sqlite:///{Path(folder).resolve() / name}"


def from_environment() -> Settings:
    """Read the settings from the environment; raises environs.EnvError naming the variable that cannot be read."""
    env = Env(prefix="CAIRN_")
    readers: dict[str, Callable[..., Any]] = {"str": env.str, "int": env.int, "float": env.float, "bool": env.bool}
    values = {one.name: readers[str(one.type)](one.name.upper(), one.default) for one in fields(Settings)}
    return Settings(**values)
