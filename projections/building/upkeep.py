"""The upkeep of builds on the command line: status, rebuild, verify, rollback, retry, prune."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

import click
from sqlalchemy import Connection

from lrs.cli import Desk, pass_desk
from lrs.progress import progress_bar
from lrs.store.log import head, logs
from projections.building.builds import Build, Parked, builds, live_builds, parked_in
from projections.building.catalogue import NAMES
from projections.building.digest import outcome_digest
from projections.building.runtime import Differs, NothingRetired, Overtaken, Progress, Runtime, Swapped
from projections.building.units import Filled, filled, now_us
from projections.ids import learner_id

_UNFINISHED: Final = frozenset({"building", "checking"})
_processes: Final = click.option(
    "--processes",
    type=click.IntRange(1, 256),
    default=os.cpu_count() or 1,
    show_default="one a core",
    help="Share the work among so many processes (SQLite: always one).",
)


def runtime_of(desk: Desk, processes: int = 1) -> Runtime:
    """Return the runtime over the desk's databases."""
    return Runtime(desk.engine, desk.derived, desk.settings.worker_batch, processes=processes)


@click.group()
def projections() -> None:
    """The projections and their builds."""


@projections.command()
@pass_desk
def status(desk: Desk) -> None:
    """Show every build: state, checkpoint, lag, how far a rebuild is and how long it will take, what is parked."""
    with desk.engine.connect() as log_connection, desk.derived.connect() as connection:
        for log in logs(log_connection):
            size = head(log_connection, log.log_id)[0]
            click.echo(f"{log.slug}: {size} statements")
            for one in builds(connection, log.log_id):
                click.echo(_told_build(connection, one, size))
                for left_out in parked_in(connection, [one.build_id]):
                    click.echo(f"    parked: {_told_parked(left_out)}")


def _told_build(connection: Connection, one: Build, size: int) -> str:
    told = f"  {one.projection:9} {one.state:8} build {one.build_id} at {one.position}, lag {size - one.position}"
    if one.state in _UNFINISHED:
        told += told_progress(filled(connection, one, size, now_us()))
    return told


def told_progress(found: Filled) -> str:
    """Return how much of a build is there, and how long the rest will take, in words."""
    told = f", {found.done} of {found.total} ({found.done * 100 // max(found.total, 1)} %)"
    if found.seconds_left is None:
        return told
    return f"{told}, {timedelta(seconds=round(found.seconds_left))} left"


def _told_parked(one: Parked) -> str:
    whose = f", learner {learner_id(one.learner)}" if one.learner else ""
    return f"position {one.position}{whose}: {one.reason}"


@projections.command()
@click.argument("slug")
@click.option("--projection", "names", multiple=True, type=click.Choice(NAMES), help="Only these (default: all).")
@click.option("--accept", is_flag=True, help="Swap even where the rows differ from the live build's.")
@click.option("--fresh", is_flag=True, help="Begin anew, though a rebuild is there that was not finished.")
@_processes
@pass_desk
def rebuild(desk: Desk, slug: str, names: tuple[str, ...], processes: int, *, accept: bool, fresh: bool) -> None:
    """Fold projections anew beside the live ones, compare the digests, and swap; go on where one was stopped."""
    runtime, log_id = runtime_of(desk, processes), desk.log_named(slug).log_id
    with _followed() as progress:
        found = runtime.rebuild(log_id, names or NAMES, progress, accept=accept, fresh=fresh)
    _show_swapped(found)


@projections.command()
@click.argument("slug")
@_processes
@pass_desk
def rollback(desk: Desk, slug: str, processes: int) -> None:
    """Go back to the builds that were live before the last rebuild or rollback, brought up to date first."""
    runtime, log_id = runtime_of(desk, processes), desk.log_named(slug).log_id
    with _followed() as progress:
        found = runtime.roll_back(log_id, progress)
    _show_swapped(found)


@projections.command()
@click.argument("slug")
@_processes
@pass_desk
def verify(desk: Desk, slug: str, processes: int) -> None:
    """Fold all projections anew and compare with the live ones; exit 1 when a row differs."""
    runtime, log_id = runtime_of(desk, processes), desk.log_named(slug).log_id
    with _followed() as progress:
        digests = runtime.verify(log_id, progress)
    for name, value in digests.items():
        click.echo(f"{name:9} {value}")
    with desk.derived.connect() as connection:
        live = {name: one.build_id for name, one in live_builds(connection, log_id).items()}
        click.echo(f"{'outcome':9} {outcome_digest(connection, live)}")


@projections.command()
@click.argument("slug")
@_processes
@pass_desk
def retry(desk: Desk, slug: str, processes: int) -> None:
    """Fold what is parked once more; exit 1 when something still cannot be folded."""
    runtime, log_id = runtime_of(desk, processes), desk.log_named(slug).log_id
    with _followed() as progress:
        found = runtime.retry(log_id, progress)
    for one in found.folded:
        click.echo(f"folded: {_told_parked(one)}")
    for one in found.parked:
        click.echo(f"parked: {_told_parked(one)}")
    if found.parked:
        raise click.exceptions.Exit(1)


@projections.command()
@click.argument("slug")
@pass_desk
def prune(desk: Desk, slug: str) -> None:
    """Drop the builds that are kept for a rollback, and those that no rebuild finished."""
    for one in runtime_of(desk).prune(desk.log_named(slug).log_id):
        click.echo(f"dropped: {one.projection} build {one.build_id}, {one.state}")


@contextmanager
def _followed() -> Iterator[Progress]:
    """Show progress, and tell in words why a rebuild ended early."""
    try:
        with progress_bar() as progress:
            yield progress
    except (Differs, Overtaken, NothingRetired) as error:
        raise click.ClickException(str(error)) from None


def _show_swapped(found: Swapped) -> None:
    for name, value in found.digests.items():
        before = found.replaced.get(name)
        same = "as before" if before == value else f"before: {before}"
        click.echo(f"{name:9} {value} ({same})")
    click.echo(f"swapped; folding paused for {found.pause_seconds * 1000:.0f} ms, reading never")
