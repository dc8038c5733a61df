"""The commands of the projections: the registrar's acts, the worker, and the upkeep of builds."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import click
import msgspec

from lrs.app import settle_memory
from lrs.cli import Desk, pass_desk
from lrs.errors import InvalidRequest
from lrs.progress import progress_bar
from lrs.store.log import head, logs
from projections import acts
from projections.builds import builds, live_builds, parked_in
from projections.catalogue import NAMES
from projections.digest import outcome_digest
from projections.ids import learner_id
from projections.runtime import Differs, Overtaken, Runtime
from projections.worker import work as run_worker

KINDS = ("scale", "rule", "policy", "normaliser")


def runtime_of(desk: Desk) -> Runtime:
    """Return the runtime over the desk's databases."""
    return Runtime(desk.engine, desk.derived, desk.settings.worker_batch)


def actor_of(desk: Desk, slug: str) -> tuple[Any, dict[str, Any]]:
    """Return a log and the Agent of the operator, who acts for its registrar on the command line."""
    log = desk.log_named(slug)
    return log, msgspec.json.decode(desk.operator(log).authority)


def read_json(path: str) -> Any:
    """Return the JSON of a file; raises InvalidRequest naming the place."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidRequest(f"{path} is not JSON: {error}") from error


@click.command()
@click.argument("slug")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@pass_desk
def publish(desk: Desk, slug: str, kind: str, path: str) -> None:
    """Publish a version of a scale, rule, policy or normaliser from a JSON file."""
    log, actor = actor_of(desk, slug)
    document = read_json(path)
    _check_named(document, "id", "title")
    click.echo(desk.append(log, [acts.publish(kind, document, actor)])[0])


@click.command()
@click.argument("slug")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@pass_desk
def align(desk: Desk, slug: str, path: str) -> None:
    """Align activities to competencies, from a JSON file with one alignment or a list of them."""
    log, actor = actor_of(desk, slug)
    documents = read_json(path)
    found = documents if isinstance(documents, list) else [documents]
    for one in found:
        _check_named(one, "activity")
    click.echo(f"{len(desk.append(log, [acts.align(one, actor) for one in found]))} alignment(s) recorded")


def _check_named(document: Any, *fields: str) -> None:
    if not isinstance(document, dict) or not all(isinstance(document.get(field), str) for field in fields):
        raise InvalidRequest(f"the document must be an object with {' and '.join(fields)}")


@click.command()
@pass_desk
def work(desk: Desk) -> None:
    """Fold whatever is new into the projections, until stopped."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    settle_memory()
    settings = desk.settings
    run_worker(
        runtime_of(desk), stop, settings.worker_poll_seconds, settings.verify_hour, desk.jobs(stop.is_set)
    )  # fmt: skip


@click.group()
def projections() -> None:
    """The projections and their builds."""


@projections.command()
@pass_desk
def status(desk: Desk) -> None:
    """Show every build: state, checkpoint, lag, what is parked."""
    with desk.engine.connect() as log_connection, desk.derived.connect() as connection:
        for log in logs(log_connection):
            size = head(log_connection, log.log_id)[0]
            click.echo(f"{log.slug}: {size} statements")
            for one in builds(connection, log.log_id):
                place = f"build {one.build_id} at {one.position}, lag {size - one.position}"
                click.echo(f"  {one.projection:9} {one.state:8} {place}")
                for left_out in parked_in(connection, [one.build_id]):
                    whose = f", learner {learner_id(left_out.learner)}" if left_out.learner else ""
                    click.echo(f"    parked: position {left_out.position}{whose}: {left_out.reason}")


@projections.command()
@click.argument("slug")
@click.option("--projection", "names", multiple=True, type=click.Choice(NAMES), help="Only these (default: all).")
@click.option("--accept", is_flag=True, help="Swap even where the rows differ from the live build's.")
@pass_desk
def rebuild(desk: Desk, slug: str, names: tuple[str, ...], *, accept: bool) -> None:
    """Fold projections anew beside the live ones, compare the digests, and swap."""
    log = desk.log_named(slug)
    with progress_bar() as progress:
        digests = _told(lambda: runtime_of(desk).rebuild(log.log_id, names or NAMES, progress, accept=accept))
    _show(digests)


@projections.command()
@click.argument("slug")
@pass_desk
def verify(desk: Desk, slug: str) -> None:
    """Fold all projections anew and compare with the live ones; exit 1 when a row differs."""
    log = desk.log_named(slug)
    with progress_bar() as progress:
        digests = _told(lambda: runtime_of(desk).verify(log.log_id, progress))
    _show(digests)
    with desk.derived.connect() as connection:
        live = {name: one.build_id for name, one in live_builds(connection, log.log_id).items()}
        click.echo(f"{'outcome':9} {outcome_digest(connection, live)}")


def _told(action: Any) -> dict[str, str]:
    try:
        digests: dict[str, str] = action()
    except (Differs, Overtaken) as error:
        raise click.ClickException(str(error)) from None
    return digests


def _show(digests: dict[str, str]) -> None:
    for name, value in digests.items():
        click.echo(f"{name:9} {value}")


def register(group: click.Group) -> None:
    """Add the commands of this package."""
    for one in (publish, align, work, projections):
        group.add_command(one)
