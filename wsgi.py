"""The composition root: settings → engines → the application with everything that the three packages add to it.

A WSGI server loads `wsgi:app`; the command line is `wsgi:main` (the console script `cairn`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click
import msgspec
import structlog
from flask import Flask

import lrs.cli
from adapters.case import resource as case_resource
from lrs.app import create_app
from lrs.memory import settle_memory
from lrs.recording import Gate
from lrs.resources import health
from lrs.settings import Settings, from_environment
from lrs.store.engine import open_engine
from lrs.store.log import Log
from lrs.web import layout
from migrations import is_current, upgrade
from projections import acts, pages, resources, rule_pages
from projections.evidence import resources as evidence_resources
from projections.evidence import routes as evidence_pages
from projections.frameworks import pages as framework_pages
from projections.frameworks import resources as framework_resources
from projections.insight import pages as insight_pages
from projections.insight import resources as insight_resources
from projections.profile import VERBS
from projections.tables import metadata

GATE = Gate(VERBS, acts.problems)


def build_app(settings: Settings) -> Flask:
    """Return the whole application: the learning record store, the projections' resources and the pages."""
    engine = open_engine(settings.log_url, settings.web_threads)
    derived = open_engine(settings.derived_url, settings.web_threads)
    app = create_app(settings, engine, GATE)
    app.secret_key = lrs.cli.secret_key(settings)
    resources.register(app, derived)
    evidence_resources.register(app)
    framework_resources.register(app)
    insight_resources.register(app)
    case_resource.register(app)
    for room in (pages, insight_pages, framework_pages, rule_pages, evidence_pages):
        room.register(app)
    layout.add_link(app, "Refusals", "refusal_pages.listed")
    health.add_check(app, "schema", lambda: is_current(engine, "log") and is_current(derived, "projections"))
    return app


def __getattr__(name: str) -> Any:
    """Build `app` when a server asks for it and `cairn` for the command line: neither carries the other's memory."""
    if name == "app":
        configure_logging()
        globals()[name] = build_app(from_environment())
        settle_memory()
    elif name == "cairn":
        globals()[name] = command_line()
    else:
        raise AttributeError(name)
    return globals()[name]


def configure_logging() -> None:
    """Log plain lines: what is told of an error never shows the values, which may be a learner's, that it met."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
        ]
    )


def desk_of(settings: Settings) -> lrs.cli.Desk:
    """Return what the commands work with."""
    engine, derived = open_engine(settings.log_url), open_engine(settings.derived_url)

    def migrate() -> None:
        upgrade(engine, "log")
        upgrade(derived, "projections")

    def first_acts(log: Log) -> list[dict[str, Any]]:
        return acts.first_acts(msgspec.json.decode(desk.operator(log).authority))

    def jobs(is_stopped: Callable[[], bool]) -> Sequence[lrs.cli.Job]:
        from lrs.exchange.commands.root import worker_jobs  # web processes exchange nothing
        from projections.insight.commands import study_jobs
        from projections.publishing.job import publishing

        return [*worker_jobs(desk, is_stopped), *publishing(desk), *study_jobs(desk)]

    desk = lrs.cli.Desk(settings, engine, derived, GATE, migrate, first_acts, metadata.sorted_tables, jobs)
    return desk


def command_line() -> click.Group:
    """Return the commands of all three packages."""
    import adapters.case.commands
    import adapters.demo.commands
    import lrs.doctor
    import lrs.exchange.commands.root
    import projections.archive.commands
    import projections.commands
    import projections.evidence.commands
    import projections.insight.commands
    import projections.mastery.commands
    import projections.printed

    @click.group(cls=lrs.cli.Commands)
    @click.pass_context
    def cairn(context: click.Context) -> None:
        """Cairn: a learning record store that can prove its decisions."""
        context.obj = desk_of(from_environment())

    for package in (
        lrs.cli, lrs.doctor, lrs.exchange.commands.root, projections.commands, projections.printed,
        projections.evidence.commands, projections.insight.commands, projections.archive.commands,
        projections.mastery.commands,
        adapters.case.commands, adapters.demo.commands,
    ):  # fmt: skip
        package.register(cairn)
    return cairn


def main() -> None:
    """Run the command line."""
    configure_logging()
    command_line()()


if __name__ == "__main__":
    main()
