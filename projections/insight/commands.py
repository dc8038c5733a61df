"""The commands of analysts: what if, its studies, and the roster that cohorts are counted by."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from lrs.cli import Desk, pass_desk
from lrs.errors import InvalidRequest
from lrs.progress import progress_bar
from lrs.store.engine import immediate
from lrs.store.log import Log, position_at
from lrs.xapi.values import timestamp_us
from projections import acts
from projections.building.upkeep import projections
from projections.commands import actor_of, read_json
from projections.insight import studies
from projections.insight.comparing import CHANGES
from projections.insight.studies import DONE, FAILED, Study
from projections.insight.working import Desk as StudyDesk
from projections.insight.working import jobs, settle
from projections.insight.written import GROUPS, changes_csv, json_of, totals_csv
from projections.view import view_of


@click.command()
@click.argument("slug")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@pass_desk
def enrol(desk: Desk, slug: str, path: str) -> None:
    """Enrol learners, from a JSON file with one enrolment or a list of them."""
    log, actor = actor_of(desk, slug)
    found = read_json(path)
    documents = found if isinstance(found, list) else [found]
    if not all(
        isinstance(one, dict) and all(isinstance(one.get(name), str) for name in ("id", "school")) for one in documents
    ):
        raise InvalidRequest("each enrolment must be an object with id and school")
    click.echo(f"{len(desk.append(log, [acts.enrol(one, actor) for one in documents]))} enrolment(s) recorded")


@click.command("what-if")
@click.argument("slug")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@click.option("--name", required=True, help="The study's name: it stands for this one question for ever.")
@click.option("--from", "first", help="First position, or time, of the span (default: the log's first).")
@click.option("--through", "last", help="Last position, or time, of the span (default: as far as the projections are).")
@click.option("-o", "--output", type=click.Path(file_okay=False), help="A folder to write the study's files to.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, type=click.IntRange(1))
@pass_desk
def what_if(
    desk: Desk, slug: str, path: str, name: str, first: str | None, last: str | None, output: str | None,
    processes: int,
) -> None:  # fmt: skip
    """Ask what the rule, alignment or normaliser in a JSON file would change; log and builds stay as they are."""
    log = desk.log_named(slug)
    one = _begun(desk, log, name, (read_json(path), first, last))
    if one.state != DONE:
        with progress_bar() as tell:
            settle(_study_desk(desk, processes), log, one, lambda done, of: tell("what if", done, of))
        one = _named(desk, log, name)
    if one.state == FAILED:
        raise click.ClickException(one.problem)
    _show(one.found())
    if output:
        _write(one, Path(output))


def _begun(desk: Desk, log: Log, name: str, asked: tuple[Any, str | None, str | None]) -> Study:
    document, first, last = asked
    with desk.engine.connect() as log_connection, desk.derived.connect() as connection:
        view = view_of(connection, log_connection, log, None)
        start = None if first is None else _position(log_connection, log, first, beyond=1)
        end = None if last is None else _position(log_connection, log, last)
        definition = studies.definition_of(view, document, start, end)
    with immediate(desk.derived).begin() as connection:
        return studies.begin(connection, log.log_id, name, definition, time.time_ns() // 1000)


def _position(connection: Any, log: Log, text: str, beyond: int = 0) -> int:
    """Return a position, or that of a time: the last one stored by then, or the one `beyond` it."""
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    try:
        return position_at(connection, log.log_id, timestamp_us(text)) + beyond
    except ValueError as error:
        raise InvalidRequest(f"{text!r} is neither a position nor a timestamp: {error}") from None


def _study_desk(desk: Desk, processes: int) -> StudyDesk:
    settings = desk.settings
    urls = (settings.log_url, settings.derived_url)
    return StudyDesk(desk.engine, desk.derived, urls, settings.smallest_group, processes)


def _named(desk: Desk, log: Log, name: str) -> Study:
    with desk.derived.connect() as connection:
        return studies.study_named(connection, log.log_id, name)


def _show(found: dict[str, Any]) -> None:
    totals = found["totals"]
    click.echo(
        f"{found['kind']} over positions {found['from']} to {found['through']}: "
        f"{totals['learners']} learners, {totals['compared']} standings compared"
    )
    table = Table("by", "name", *CHANGES)
    table.add_row("everyone", "", *(str(totals[change]) for change in CHANGES))
    for family in GROUPS:
        for one in found[f"by_{family}"]:
            table.add_row(family, one["title"], *(str(one[change]) for change in CHANGES))
    Console().print(table)


def _write(one: Study, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    found = one.found()
    (folder / "study.json").write_bytes(json_of(found, sees_learners=True))
    (folder / "changes.csv").write_text(changes_csv(found), encoding="utf-8")
    (folder / "totals.csv").write_text(totals_csv(found, sees_learners=True), encoding="utf-8")
    click.echo(f"written: {', '.join(str(folder / name) for name in ('study.json', 'changes.csv', 'totals.csv'))}")


@click.group("studies")
def studies_group() -> None:
    """The studies of what another rule would have said."""


@studies_group.command("list")
@click.argument("slug")
@pass_desk
def list_studies(desk: Desk, slug: str) -> None:
    """List the studies of a log, newest first."""
    log = desk.log_named(slug)
    with desk.derived.connect() as connection:
        for one in studies.studies(connection, log.log_id):
            asks = one.asks()
            click.echo(f"{one.name}\t{one.state}\tpositions {asks.after + 1} to {asks.through}")


@studies_group.command("show")
@click.argument("slug")
@click.argument("name")
@pass_desk
def show_study(desk: Desk, slug: str, name: str) -> None:
    """Show what a study found."""
    _show(_named(desk, desk.log_named(slug), name).found())


@studies_group.command("export")
@click.argument("slug")
@click.argument("name")
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False), help="A folder for the files.")
@pass_desk
def export_study(desk: Desk, slug: str, name: str, output: str) -> None:
    """Write a study as study.json, changes.csv and totals.csv."""
    _write(_named(desk, desk.log_named(slug), name), Path(output))


@studies_group.command("remove")
@click.argument("slug")
@click.argument("name")
@pass_desk
def remove_study(desk: Desk, slug: str, name: str) -> None:
    """Forget a study, with what it found."""
    log = desk.log_named(slug)
    with immediate(desk.derived).begin() as connection:
        studies.forget(connection, log.log_id, name)


def register(group: click.Group) -> None:
    """Add the commands of this room."""
    projections.add_command(what_if)
    group.add_command(enrol)
    group.add_command(studies_group)


def study_jobs(desk: Desk) -> list[Any]:
    """Return what the worker does for analysts."""
    return list(jobs(_study_desk(desk, os.cpu_count() or 1)))
