"""What the commands of the exchange share: what works with the desk's databases, addresses, filters, progress."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import click

from lrs.cli import Desk, secret_key
from lrs.exchange.forwarding import Carrier
from lrs.exchange.pulling import Puller
from lrs.exchange.sealing import Seal
from lrs.progress import progress_bar
from lrs.store.writer import Writer
from lrs.xapi.values import timestamp_us

QUIET_SECONDS = 2.0
SECOND_US = 1_000_000
VERSIONS = ("1.0.3", "2.0.0")

Told: TypeAlias = Callable[[str, int, int], None]


def seal_of(desk: Desk) -> Seal:
    """Return what seals and opens the secrets of the desk's databases."""
    return Seal(secret_key(desk.settings))


def carrier_of(desk: Desk) -> Carrier:
    """Return what forwards and webhooks of the desk's databases work with."""
    settings, act_verbs = desk.settings, desk.gate.act_verbs
    return Carrier(desk.engine, seal_of(desk), act_verbs, settings.forward_batch, settings.exchange_timeout_seconds)


def puller_of(desk: Desk) -> Puller:
    """Return what pulls of the desk's databases work with."""
    settings = desk.settings
    return Puller(
        desk.engine, writer_of(desk), desk.gate, seal_of(desk), settings.batch_limit, settings.body_limit_bytes,
        settings.attachment_limit_bytes, settings.exchange_timeout_seconds,
    )  # fmt: skip


def writer_of(desk: Desk) -> Writer:
    """Return a writer of the desk's logs."""
    return Writer(desk.engine, desk.gate.act_verbs, desk.settings.append_queue_limit)


@contextmanager
def progress() -> Iterator[Told]:
    """Yield `tell(what, done, total)`, which shows nothing before two seconds have gone by."""
    began = time.monotonic()
    with progress_bar() as tell:

        def told(what: str, done: int, total: int) -> None:
            if time.monotonic() - began > QUIET_SECONDS:
                tell(what, done, total)

        yield told


def read_time(_context: click.Context, parameter: click.Parameter, text: str | None) -> int | None:
    """Return the time that an option gives; click's callback."""
    if text is None:
        return None
    try:
        return timestamp_us(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from None


def check_address(_context: click.Context, parameter: click.Parameter, text: str) -> str:
    """Return the address that an option gives; click's callback."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.fragment:
        raise click.BadParameter("must be an http or https address without a key in it", param=parameter)
    return text


def selecting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that select statements."""
    for one in (
        click.option("--agent", help="Only statements of this Agent (JSON), as actor or object."),
        click.option("--activity", help="Only statements about this activity (IRI)."),
        click.option("--verb", help="Only statements with this verb (IRI)."),
    ):
        command = one(command)
    return command
