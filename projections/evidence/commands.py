"""Commands of the registrar about evidence: linked accounts, excusals, and how tools are read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import click

from lrs.cli import Desk, pass_desk
from lrs.errors import InvalidRequest, NotFound, Problem
from lrs.store.log import Log
from lrs.store.search import with_id
from lrs.xapi.values import is_uuid
from projections import acts
from projections.commands import actor_of, read_json
from projections.evidence.listing import identities_shown
from projections.evidence.producers import SHIPPED
from projections.evidence.reading import Wanted, quarantined
from projections.view import View, view_of


@click.group()
def identity() -> None:
    """The accounts that one learner has in several tools."""


@identity.command()
@click.argument("slug")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@pass_desk
def link(desk: Desk, slug: str, path: str) -> None:
    """Link accounts to a learner, from a JSON file {id, learner, accounts, reason}, or a list of these."""
    log, actor = actor_of(desk, slug)
    read = read_json(path)
    documents = read if isinstance(read, list) else [read]
    if not all(isinstance(one, dict) and isinstance(one.get("id"), str) for one in documents):
        raise InvalidRequest("each link must be an object with id, learner, accounts and reason")
    desk.append(log, [acts.link(one, actor) for one in documents])
    click.echo(f"{len(documents)} link(s) recorded")


@identity.command()
@click.argument("slug")
@click.argument("id_")
@click.option("--reason", required=True, help="Why the accounts are not one learner's.")
@pass_desk
def unlink(desk: Desk, slug: str, id_: str, reason: str) -> None:
    """End the link with this id: its accounts are learners of their own again."""
    log, actor = actor_of(desk, slug)
    for view in _views(desk, log):
        links = {one.act.document.id: one.act.document for one in view.acts().identities.links}
    if id_ not in links:
        raise NotFound(f"no link {id_} holds; `cairn identity list {slug}` shows those that do")
    held = links[id_]
    ended = {"id": id_, "learner": held.learner, "accounts": [], "reason": reason, "version": held.version}
    click.echo(desk.append(log, [acts.link(ended, actor)])[0])


@identity.command("list")
@click.argument("slug")
@pass_desk
def list_links(desk: Desk, slug: str) -> None:
    """List the links that hold, with what contradicts them."""
    for view in _views(desk, desk.log_named(slug)):
        for one in identities_shown(view):
            state = "" if one["has_effect"] else "  WITHOUT EFFECT"
            click.echo(f"{one['id']} version {one['version']}: {len(one['accounts'])} account(s){state}")
            for conflict in one["conflicts"]:
                click.echo(f"  {conflict['identifier']} is spoken of by {conflict['link']}, which was set before")


def _views(desk: Desk, log: Log) -> Iterator[View]:
    """Yield one view of a log, and close it behind its use."""
    with desk.derived.connect() as connection, desk.engine.connect() as log_connection:
        yield view_of(connection, log_connection, log, None)


@click.command()
@click.argument("slug")
@click.argument("statement_id")
@click.option("--reason", required=True, help="Why it does not count; shown wherever the evidence is.")
@pass_desk
def excuse(desk: Desk, slug: str, statement_id: str, reason: str) -> None:
    """Excuse a statement as evidence; voiding what this records takes it back."""
    log, actor = actor_of(desk, slug)
    if not is_uuid(statement_id):
        raise InvalidRequest("give the id of a statement", [Problem("/statement_id", "must be a UUID")])
    with desk.engine.connect() as connection:
        if with_id(connection, log.log_id, statement_id.lower()) is None:
            raise NotFound(f"no statement {statement_id} stands in this log")
    click.echo(desk.append(log, [acts.excuse(statement_id, reason, actor)])[0])


@click.command()
@click.argument("slug")
@pass_desk
def normalisers(desk: Desk, slug: str) -> None:
    """Publish the normalisers that come with this version and that the log does not have yet."""
    log, actor = actor_of(desk, slug)
    for view in _views(desk, log):
        known = {(act.document.id, act.document.version) for act in view.acts().published("normaliser")}
    missing = [one for one in SHIPPED if (one["id"], one["version"]) not in known]
    if missing:
        desk.append(log, [acts.publish("normaliser", one, actor) for one in missing])
    for line in _told(missing):
        click.echo(line)


def _told(published: Iterable[dict[str, Any]]) -> list[str]:
    return [f"{one['id']} version {one['version']}: {one['title']}" for one in published] or ["nothing is missing"]


@click.command()
@click.argument("slug")
@click.option("--reason", help="Only what waits for this reason.")
@click.option("--credential", help="Only what the credential with this key posted.")
@click.option("--json", "as_json", is_flag=True, help="The JSON that the API answers.")
@pass_desk
def quarantine(desk: Desk, slug: str, reason: str | None, credential: str | None, *, as_json: bool) -> None:
    """Tell what could be evidence and is not: by reason, by credential, and the newest statements."""
    for view in _views(desk, desk.log_named(slug)):
        found = {"as_of": view.as_of(), **quarantined(view, Wanted(reason, credential))}
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(_waiting(found)))


def _waiting(found: dict[str, Any]) -> Iterator[str]:
    for reason, count in found["by_reason"].items():
        yield f"{count:>9,}  {reason}"
    for one in found["by_credential"]:
        yield f"{one['count']:>9,}  posted by {one['name'] or 'unknown'} ({one['key']})"
    for one in found["newest"]:
        yield f"#{one['position']}  {one['reason']}  {one['detail']}"


def register(group: click.Group) -> None:
    """Add the commands."""
    for one in (identity, excuse, normalisers, quarantine):
        group.add_command(one)
