"""`cairn export` and `cairn import`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import IO, Any, TypeAlias

import click

from lrs.cli import Desk, pass_desk
from lrs.exchange import export, sources
from lrs.exchange.commands.desk import SECOND_US, VERSIONS, Told, progress, read_time, selecting, writer_of
from lrs.exchange.importing import Intake, Refused, batches, take
from lrs.exchange.pulling import credential_for
from lrs.exchange.remote import Count, Remote, fetch
from lrs.exchange.selection import Selection, query_of
from lrs.store.log import Log
from lrs.store.sqlite import clock_us
from lrs.xapi.values import iso

Hear: TypeAlias = Callable[[Sequence[Refused]], None]


@click.command("export")
@click.argument("slug")
@click.option("--format", "form", type=click.Choice(("ndjson", "csv")), default="ndjson", show_default=True)
@click.option("--columns", multiple=True, help="Paths into the statement, separated by commas (CSV).")
@click.option("--since", callback=read_time, help="Only what was stored after this time.")
@click.option("--until", callback=read_time, help="Only what was stored at or before this time.")
@selecting
@click.option("--voided", is_flag=True, help="Voided statements too.")
@click.option("-o", "--output", "target", default="-", help="A file (.gz: compressed); -: standard output.")
@pass_desk
def export_command(desk: Desk, /, slug: str, form: str, columns: tuple[str, ...], target: str, **chosen: Any) -> None:
    """Write the statements of a log to a file or to standard output, in the log's order."""
    log = desk.log_named(slug)
    extract = _extract(desk, log, chosen)
    header, lines = _form(form, columns)
    with progress() as tell, export.opened(target) as out:
        count = export.write(desk.engine, extract, out, header, lines, partial(tell, "export"))
    click.echo(f"{count} statement(s) exported", err=True)


def _form(form: str, columns: Sequence[str]) -> tuple[bytes, export.Lines]:
    """Return what stands in front of an export, and how statements become its lines."""
    if form == "csv":
        named = [one.strip() for given in columns for one in given.split(",") if one.strip()]
        return export.table(named or export.COLUMNS)
    if columns:
        raise click.UsageError("--columns goes with --format csv")
    return b"", export.whole_lines


def _extract(desk: Desk, log: Log, chosen: Mapping[str, Any]) -> export.Extract:
    given = {name: chosen[name] for name in ("verb", "activity", "agent")}
    times = {name: None if chosen[name] is None else iso(chosen[name]) for name in ("since", "until")}
    selection = Selection(query_of({**given, **times}), desk.gate.act_verbs)
    return export.Extract(log.log_id, selection, with_voided=chosen["voided"])


@click.command("import")
@click.argument("slug")
@click.argument("names", metavar="SOURCE...", nargs=-1, required=True)
@click.option("--key", help="The key of a credential of the other record store.")
@click.option("--secret", help="Its secret; asked for when it is left out.")
@click.option(
    "--since", callback=read_time, help="Only what the other store stored after this time, not where it was left."
)
@click.option("--version", type=click.Choice(VERSIONS), default="1.0.3", show_default=True, help="xAPI to speak there.")
@click.option("--credential", default="", help="Key of the log's credential whose statements they become.")
@click.option("--refused", type=click.Path(dir_okay=False), help="Write what is refused to this file, as NDJSON.")
@pass_desk
def import_command(desk: Desk, /, slug: str, names: tuple[str, ...], refused: str | None, **how: Any) -> None:
    """Take statements in from files (JSON, NDJSON, .gz; -: standard input) or from the endpoints of other stores."""
    log = desk.log_named(slug)
    credential = credential_for(desk.engine, log, how["credential"])
    total = Count()
    with progress() as tell, Path(refused).open("wb") if refused else nullcontext() as file:
        for name in names:
            make = partial(
                Intake, desk.engine, writer_of(desk), desk.gate, credential,
                batch_limit=desk.settings.batch_limit, limit_bytes=desk.settings.body_limit_bytes,
            )  # fmt: skip
            is_remote = name.lower().startswith(("http://", "https://"))
            bring = _bring_remote(desk, name, how) if is_remote else _bring_file(desk, name)
            count = bring(make, tell, partial(_tell_refused, file, name))
            total.taken += count.taken
            total.refused += count.refused
    click.echo(f"{total.taken} statement(s) are in the log, {total.refused} refused")
    if total.refused:
        sys.exit(1)


def _bring_file(desk: Desk, name: str) -> Callable[..., Count]:
    """Return how a file is taken in."""

    def bring(make: Callable[..., Intake], tell: Told, hear: Hear) -> Count:
        count, limit = Count(), desk.settings.body_limit_bytes
        with sources.opened(name) as source:
            intake = make(source=source.name)
            for batch in batches(sources.items(source.stream, limit), intake.batch_limit, limit):
                taken, refused = take(intake, batch)
                count.taken += taken
                count.refused += len(refused)
                hear(refused)
                tell(source.name[:14], source.done(), source.total or source.done())
        return count

    return bring


def _bring_remote(desk: Desk, url: str, how: Mapping[str, Any]) -> Callable[..., Count]:
    """Return how another record store's statements are taken in."""
    if not how["key"]:
        raise click.UsageError("--key goes with an address: the key of a credential that may read statements there")
    secret = how["secret"] or click.prompt("secret", hide_input=True, err=True)
    settings = desk.settings
    remote = Remote(
        url, how["key"], secret, how["version"], settings.exchange_timeout_seconds, settings.attachment_limit_bytes
    )

    def bring(make: Callable[..., Intake], tell: Told, hear: Hear) -> Count:
        began = [0]

        def heard(count: Count, refused: Sequence[Refused]) -> bool:
            hear(refused)
            began[0] = began[0] or count.stored
            tell("seconds read", *_seconds_read(began[0], count.stored, clock_us()))
            return True

        return fetch(make(source=remote.source), remote, how["since"], heard)

    return bring


def _seconds_read(first: int, last: int, now: int) -> tuple[int, int]:
    """Return how much of the other store's time has been read, and how much there is."""
    return (last - first) // SECOND_US, max(1, (now - first) // SECOND_US)


def _tell_refused(file: IO[bytes] | None, source: str, refused: Sequence[Refused]) -> None:
    for one in refused:
        named = f" {one.statement_id}" if one.statement_id else ""
        click.echo(f"{source}: {one.item.place}{named} refused", err=True)
        for problem in one.problems:
            click.echo(f"  {problem}", err=True)
        if file:
            file.write(one.item.text.replace(b"\n", b" ").replace(b"\r", b" ") + b"\n")
