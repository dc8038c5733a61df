"""`cairn pulls`: other record stores whose statements a log fetches on a schedule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from sqlalchemy.exc import IntegrityError

from lrs.cli import Desk, pass_desk
from lrs.errors import StatementConflict
from lrs.exchange.commands.desk import VERSIONS, check_address, puller_of, seal_of
from lrs.exchange.pulling import credential_for, run_pull
from lrs.exchange.remote import Remote
from lrs.store.engine import immediate
from lrs.store.imports import Pull, create_pull, pull_named, pulls, refusal_count, refusals, remove_pull
from lrs.xapi.values import iso


@click.group("pulls")
def group() -> None:
    """Other record stores whose statements a log fetches on a schedule."""


@group.command("create")
@click.argument("slug")
@click.option(
    "--url", required=True, callback=check_address, help="The endpoint, such as https://lrs.example.org/xapi."
)
@click.option("--key", required=True, help="The key of a credential that may read statements there.")
@click.option("--secret", help="Its secret; asked for when it is left out.")
@click.option("--every", "every_minutes", type=click.IntRange(1), required=True, metavar="MINUTES")
@click.option("--version", type=click.Choice(VERSIONS), default="1.0.3", show_default=True)
@click.option("--name", help="What it is called (default: the host).")
@click.option("--credential", "credential_key", default="", help="Key of the log's credential that stores them.")
@pass_desk
def create(desk: Desk, /, slug: str, name: str | None, secret: str | None, **values: Any) -> None:
    """Fetch another record store's statements every so many minutes, in the worker."""
    log = desk.log_named(slug)
    credential_for(desk.engine, log, values["credential_key"])
    sealed = seal_of(desk).seal(secret or click.prompt("secret", hide_input=True, err=True))
    named = name or urlsplit(values["url"]).hostname
    try:
        with immediate(desk.engine).begin() as connection:
            create_pull(connection, log.log_id, {**values, "name": named, "sealed_secret": sealed})
    except IntegrityError as error:
        raise StatementConflict(f"there is a pull named {named!r} already") from error
    click.echo(f"pull {named} created; the worker (`cairn work`) begins at once")


@group.command("list")
@click.argument("slug")
@pass_desk
def list_pulls(desk: Desk, slug: str) -> None:
    """Show the pulls of a log: when each is due, what went wrong, how many statements were refused."""
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        for one in pulls(connection, log.log_id):
            source = _source(one)
            trouble = f"\n  {one.trouble}" if one.trouble else ""
            click.echo(f"{one.name}  {one.url}  every {one.every_minutes} minute(s), due {iso(one.due)}")
            click.echo(f"  refused {refusal_count(connection, log.log_id, source)}{trouble}")


def _source(one: Pull) -> str:
    return Remote(one.url, one.key, "", one.version, 0).source


def _named(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments that name a pull of a log, and the desk."""
    return click.argument("slug")(click.argument("name")(pass_desk(command)))


@group.command("refused")
@_named
def list_refused(desk: Desk, slug: str, name: str) -> None:
    """Show each statement that a pull could not store, with every problem, as NDJSON."""
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        one = pull_named(connection, log.log_id, name)
        found = refusals(connection, log.log_id, _source(one))
    for refused in found:
        told = {"refused": iso(refused.refused), "problems": refused.problems.split("\n")}
        click.echo(msgspec.json.encode({**told, "statement": msgspec.Raw(refused.body)}))


@group.command("run")
@_named
def run_one(desk: Desk, slug: str, name: str) -> None:
    """Fetch what is new, if the pull is due."""
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        one = pull_named(connection, log.log_id, name)
    count = run_pull(puller_of(desk), one.pull_id)
    click.echo("not due, or at work elsewhere" if count is None else f"{count.taken} taken, {count.refused} refused")


@group.command("remove")
@_named
def remove_one(desk: Desk, slug: str, name: str) -> None:
    """Forget a pull and its secret; what it brought stays."""
    log = desk.log_named(slug)
    with immediate(desk.engine).begin() as connection:
        remove_pull(connection, pull_named(connection, log.log_id, name).pull_id)
    click.echo(f"{name} is removed")
