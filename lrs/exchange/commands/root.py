"""What the exchange adds to the command line and to the worker."""

from __future__ import annotations

from collections.abc import Callable

import click

from lrs.cli import Desk
from lrs.exchange.commands import forwards, pulls, transfer
from lrs.exchange.commands.desk import carrier_of, puller_of
from lrs.exchange.jobs import Job, jobs


def worker_jobs(desk: Desk, is_stopped: Callable[[], bool]) -> list[Job]:
    """Return what the worker of the desk's databases does beside folding."""
    return jobs(carrier_of(desk), puller_of(desk), is_stopped)


def register(group: click.Group) -> None:
    """Add the commands of this package."""
    for one in (transfer.export_command, transfer.import_command):
        group.add_command(one)
    for each in (forwards.forwards_group, forwards.webhooks_group, pulls.group):
        group.add_command(each)
