"""Commands about overrides: what a person decides against, or without, what is computed."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import click

from lrs.cli import Desk, pass_desk
from lrs.errors import InvalidRequest
from lrs.store.log import Log
from projections import acts
from projections.commands import actor_of, read_json
from projections.ids import learner_id
from projections.mastery.fold import overrides_over_time
from projections.mastery.laws import Overrides
from projections.view import view_of


@click.group()
def override() -> None:
    """What a person decides of a learner against, or without, what is computed."""


@override.command("set")
@click.argument("slug")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@click.option("--author", help="The account name, in the district, of the person who decides; else the operator.")
@pass_desk
def set_(desk: Desk, slug: str, path: str, author: str | None) -> None:
    """Set an override, from a JSON file with its document (docs/decisions.md)."""
    log, actor = actor_of(desk, slug)
    document = read_json(path)
    if not isinstance(document, dict) or not isinstance(document.get("id"), str):
        raise InvalidRequest("an override must be an object with an id, which is an IRI")
    click.echo(desk.append(log, [acts.override(document, _author(log, author, actor))])[0])


@override.command()
@click.argument("slug")
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, help="Why the override no longer holds.")
@click.option("--author", help="The account name, in the district, of the person who decides; else the operator.")
@pass_desk
def clear(desk: Desk, slug: str, id_: str, reason: str, author: str | None) -> None:
    """End the override with this id: what is computed holds again."""
    log, actor = actor_of(desk, slug)
    document = {"id": uuid.uuid4().urn, "override": id_, "reason": reason}
    click.echo(desk.append(log, [acts.clear(document, _author(log, author, actor))])[0])


@override.command("list")
@click.argument("slug")
@pass_desk
def list_(desk: Desk, slug: str) -> None:
    """List the overrides that are set, by learner."""
    for line in _set_now(desk, desk.log_named(slug)):
        click.echo(line)


def _author(log: Log, name: str | None, operator: Mapping[str, Any]) -> Mapping[str, Any]:
    if name is None:
        return operator
    return {"objectType": "Agent", "name": name, "account": {"homePage": log.origin, "name": name}}


def _set_now(desk: Desk, log: Log) -> Iterator[str]:
    with desk.derived.connect() as connection, desk.engine.connect() as log_connection:
        view = view_of(connection, log_connection, log, None)
        for of_credit in (False, True):
            found = overrides_over_time(view.run("mastery"), Overrides(of_credit=of_credit), view.position)
            for learner in sorted(found.changes):
                for changes in found.of(learner).values():
                    held = changes[-1].override if changes else None
                    if held is not None:
                        one = held.override
                        yield f"{one.id}  {learner_id(learner)}  {one.policy or one.competency}: {one.status}"


def register(group: click.Group) -> None:
    """Add the commands about overrides."""
    group.add_command(override)
