"""`cairn forwards` and `cairn webhooks`: where a log's statements go. Both groups have the same upkeep."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec
from sqlalchemy.exc import IntegrityError

from lrs.cli import Desk, pass_desk
from lrs.errors import StatementConflict
from lrs.exchange.commands.desk import SECOND_US, VERSIONS, carrier_of, check_address, seal_of, selecting
from lrs.exchange.forwarding import retry_dead_letters, run_forward
from lrs.exchange.selection import query_of
from lrs.store.engine import immediate
from lrs.store.exchange import (
    Forward,
    create_forward,
    dead_letter_count,
    dead_letters,
    forward_named,
    forwards,
    remove_forward,
    replay_from,
    rows_at,
    set_paused,
)
from lrs.store.log import head
from lrs.store.sqlite import clock_us
from lrs.xapi.values import iso

SECRET_BYTES = 32
NAMES = {"lrs": "forward", "webhook": "webhook"}


@click.group("forwards")
def forwards_group() -> None:
    """Other record stores that a log's statements go to."""


@click.group("webhooks")
def webhooks_group() -> None:
    """Addresses that a log's statements are posted to, signed."""


def _create(desk: Desk, slug: str, kind: str, values: Mapping[str, Any]) -> None:
    log = desk.log_named(slug)
    chosen = {name: values[name] for name in ("verb", "activity", "agent") if values[name]}
    query_of(chosen)
    with desk.engine.connect() as connection:
        size, _ = head(connection, log.log_id)
    first = values["first"] if values["first"] is not None else (1 if kind == "lrs" else size + 1)
    filters = msgspec.json.encode({**chosen, **({"acts": True} if values["acts"] else {})}).decode()
    row = {name: values[name] for name in ("name", "url", "key", "version")}
    sealed = seal_of(desk).seal(values["secret"])
    try:
        with immediate(desk.engine).begin() as connection:
            created = {**row, "kind": kind, "sealed_secret": sealed, "filters": filters, "position": first - 1}
            create_forward(connection, log.log_id, created)
    except IntegrityError as error:
        raise StatementConflict(f"there is a {NAMES[kind]} named {row['name']!r} already") from error
    click.echo(f"{NAMES[kind]} {row['name']} created; it begins at position {first}, in the worker (`cairn work`)")


def _creating(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that every new forward and webhook has."""
    for one in (
        click.option("--from", "first", type=click.IntRange(1), help="Position of the first statement to send."),
        click.option("--acts", is_flag=True, help="The registrar's acts too."),
        click.option("--name", help="What it is called (default: the host)."),
        click.option("--url", required=True, callback=check_address),
    ):
        command = one(command)
    return selecting(command)


@forwards_group.command("create")
@click.argument("slug")
@click.option("--key", required=True, help="The key of a credential that may store statements there.")
@click.option("--secret", help="Its secret; asked for when it is left out.")
@click.option("--version", type=click.Choice(VERSIONS), default="1.0.3", show_default=True)
@_creating
@pass_desk
def create_forward_to(desk: Desk, /, slug: str, name: str | None, secret: str | None, **values: Any) -> None:
    """Send a log's statements, from the first on, to another record store's endpoint, such as https://…/xapi."""
    secret = secret or click.prompt("secret", hide_input=True, err=True)
    named = name or urlsplit(values["url"]).hostname
    _create(desk, slug, "lrs", {**values, "name": named, "secret": secret})


@webhooks_group.command("create")
@click.argument("slug")
@_creating
@pass_desk
def create_webhook(desk: Desk, /, slug: str, name: str | None, **values: Any) -> None:
    """Post a log's statements, those to come unless --from says otherwise, to an address; prints a secret once."""
    secret = secrets.token_hex(SECRET_BYTES)
    named = name or urlsplit(values["url"]).hostname
    _create(desk, slug, "webhook", {**values, "name": named, "secret": secret, "key": "", "version": ""})
    click.echo(f"secret  {secret}\nThe secret cannot be shown again.")


def _list(kind: str, desk: Desk, slug: str) -> None:
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        size, _ = head(connection, log.log_id)
        for one in forwards(connection, log.log_id):
            if one.kind == kind:
                following = rows_at(connection, log.log_id, [one.position + 1]).get(one.position + 1)
                click.echo(_described(one, size, following and following[1]))
                dead = dead_letter_count(connection, one.forward_id)
                click.echo(f"  dead letters {dead}, conflicts {one.conflicts}{_trouble(one)}")


def _described(one: Forward, size: int, waits_since: int | None) -> str:
    state = "paused" if one.is_paused else ("waiting" if one.failures else "active")
    behind = 0 if waits_since is None else max(0, clock_us() - waits_since) // SECOND_US
    return (
        f"{one.name}  {one.url}\n  {state}, position {one.position} of {size}, "
        f"lag {size - one.position} position(s), {behind} second(s)"
    )


def _trouble(one: Forward) -> str:
    return f"\n  failed {one.failures} time(s), next try {iso(one.due)}: {one.trouble}" if one.failures else ""


def _found(desk: Desk, slug: str, kind: str, name: str) -> Forward:
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        return forward_named(connection, log.log_id, kind, name)


def _change(desk: Desk, forward: Forward, change: Callable[..., None]) -> None:
    with immediate(desk.engine).begin() as connection:
        change(connection, forward.forward_id)


def _pause(kind: str, desk: Desk, slug: str, name: str) -> None:
    _change(desk, _found(desk, slug, kind, name), partial(set_paused, is_paused=True))
    click.echo(f"{name} is paused")


def _resume(kind: str, desk: Desk, slug: str, name: str) -> None:
    _change(desk, _found(desk, slug, kind, name), partial(set_paused, is_paused=False))
    click.echo(f"{name} goes on")


def _remove(kind: str, desk: Desk, slug: str, name: str) -> None:
    _change(desk, _found(desk, slug, kind, name), remove_forward)
    click.echo(f"{name} is removed")


def _replay(kind: str, desk: Desk, slug: str, name: str, first: int) -> None:
    _change(desk, _found(desk, slug, kind, name), partial(replay_from, position=first))
    click.echo(f"{name} goes on at position {first}")


def _dead_letters(kind: str, desk: Desk, slug: str, name: str) -> None:
    forward = _found(desk, slug, kind, name)
    with desk.engine.connect() as connection:
        for one in dead_letters(connection, forward.forward_id):
            answer = " ".join(one.answer.split())
            click.echo(f"{one.position}\t{one.statement_id}\t{iso(one.failed)}\t{one.status}\t{answer}")


def _retry(kind: str, desk: Desk, slug: str, name: str, positions: tuple[int, ...]) -> None:
    taken, dead = retry_dead_letters(carrier_of(desk), _found(desk, slug, kind, name), positions)
    click.echo(f"{taken} taken, {dead} still refused")
    if dead:
        sys.exit(1)


def _run(kind: str, desk: Desk, slug: str) -> None:
    """Run each once; exit 1 when one is in trouble."""
    carrier, log = carrier_of(desk), desk.log_named(slug)
    with desk.engine.connect() as connection:
        numbers = [one.forward_id for one in forwards(connection, log.log_id) if one.kind == kind]
    for number in numbers:
        run_forward(carrier, number)
    with desk.engine.connect() as connection:
        after = [one for one in forwards(connection, log.log_id) if one.kind == kind and not one.is_paused]
    for one in after:
        click.echo(f"{one.name} is at position {one.position}{_trouble(one)}")
    if any(one.failures for one in after):
        sys.exit(1)


SLUG, NAME = click.Argument(["slug"]), click.Argument(["name"])
FIRST = click.Option(
    ["--from", "first"], type=click.IntRange(1), required=True, help="Position of the first statement."
)
POSITIONS = click.Option(["--position", "positions"], type=int, multiple=True, help="Only these (default: all).")
UPKEEP: Mapping[str, tuple[Callable[..., None], list[click.Parameter], str]] = {
    "list": (_list, [SLUG], "Show each: place, lag, trouble, dead letters."),
    "pause": (_pause, [SLUG, NAME], "Let it rest; the log keeps what is not sent."),
    "resume": (_resume, [SLUG, NAME], "Let it go on, at once."),
    "remove": (_remove, [SLUG, NAME], "Forget it, its secret and its dead letters."),
    "replay": (_replay, [SLUG, NAME, FIRST], "Send again from a position on."),
    "dead-letters": (_dead_letters, [SLUG, NAME], "Show what the receiver refuses, and its answers."),
    "retry": (_retry, [SLUG, NAME, POSITIONS], "Send dead letters again, now."),
    "run": (_run, [SLUG], "Send now what is not sent yet, and end; exit 1 where a receiver is in trouble."),
}
for _kind, _group in (("lrs", forwards_group), ("webhook", webhooks_group)):
    for _name, (_act, _params, _help) in UPKEEP.items():
        _group.add_command(
            click.Command(_name, params=list(_params), callback=pass_desk(partial(_act, _kind)), help=_help)
        )
