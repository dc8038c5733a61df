"""The commands of the CASE adapter."""

from __future__ import annotations

import click

from adapters.case.client import read_package
from adapters.case.translate import framework_of
from lrs.cli import Desk, pass_desk
from projections import acts
from projections.commands import actor_of
from projections.evidence.documents import framework_of as read_framework

TIMEOUT_SECONDS = 30.0


@click.group()
def framework() -> None:
    """Competency frameworks."""


@framework.command()
@click.argument("slug")
@click.argument("source")
@pass_desk
def adopt(desk: Desk, slug: str, source: str) -> None:
    """Adopt a framework from a CASE package: a file, or the address of a CFPackage."""
    log, actor = actor_of(desk, slug)
    document, warnings = framework_of(read_package(source, TIMEOUT_SECONDS))
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    desk.append(log, [acts.adopt(document, actor)])
    adopted = read_framework(document)
    click.echo(f"{adopted.title} adopted: {len(adopted.competencies)} competencies")


def register(group: click.Group) -> None:
    """Add the commands of this folder."""
    group.add_command(framework)
