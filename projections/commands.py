"""The commands of the projections: the registrar's acts and the worker; `upkeep` has those about builds."""

from __future__ import annotations

import json
import signal
import threading
from pathlib import Path
from typing import Any

import click
import msgspec

from lrs.cli import Desk, pass_desk
from lrs.errors import InvalidRequest, Problem
from lrs.memory import settle_memory
from lrs.store.log import Log
from projections import acts
from projections.building.builds import live_builds
from projections.building.upkeep import projections
from projections.building.upkeep import runtime_of as runtime_of
from projections.building.worker import work as run_worker
from projections.documents import load
from projections.evidence.fold import acts_at
from projections.mastery.rule_documents import RULE
from projections.rulebook import objection_to

KINDS = ("scale", "rule", "policy", "normaliser", "rubric", "assessment")


def actor_of(desk: Desk, slug: str) -> tuple[Any, dict[str, Any]]:
    """Return a log and the Agent of the operator, who acts for its registrar on the command line."""
    log = desk.log_named(slug)
    return log, msgspec.json.decode(desk.operator(log).authority)


def read_json(path: str) -> Any:
    """Return the JSON of a file; raises InvalidRequest naming the place."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidRequest(f"{path} is not JSON: {error}") from error


@click.command()
@click.argument("slug")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@pass_desk
def publish(desk: Desk, slug: str, kind: str, path: str) -> None:
    """Publish a version of a scale, rule, policy, normaliser, rubric or assessment from a JSON file."""
    log, actor = actor_of(desk, slug)
    document = read_json(path)
    _check_named(document, "id", "title")
    if kind == "rule":
        _refuse_clash(desk, log, document)
    click.echo(desk.append(log, [acts.publish(kind, document, actor)])[0])


def _refuse_clash(desk: Desk, log: Log, document: Any) -> None:
    """Refuse a rule that would never be in force beside those that the worker knows; an unsound one is told later."""
    rule = load(RULE, document)[0]
    if rule is None:
        return
    with desk.derived.connect() as connection:
        build = live_builds(connection, log.log_id).get("evidence")
        reason = objection_to(acts_at(connection, build.build_id, build.position), rule) if build else ""
    if reason:
        raise InvalidRequest("this rule would never be in force; nothing was published", [Problem("", reason)])


@click.command()
@click.argument("slug")
@click.argument("path", type=click.Path(exists=True, dir_okay=False))
@pass_desk
def align(desk: Desk, slug: str, path: str) -> None:
    """Align activities to competencies, from a JSON file with one alignment or a list of them."""
    log, actor = actor_of(desk, slug)
    documents = read_json(path)
    found = documents if isinstance(documents, list) else [documents]
    for one in found:
        _check_named(one, "activity")
    click.echo(f"{len(desk.append(log, [acts.align(one, actor) for one in found]))} alignment(s) recorded")


def _check_named(document: Any, *fields: str) -> None:
    if not isinstance(document, dict) or not all(isinstance(document.get(field), str) for field in fields):
        raise InvalidRequest(f"the document must be an object with {' and '.join(fields)}")


@click.command()
@pass_desk
def work(desk: Desk) -> None:
    """Fold whatever is new into the projections, until stopped."""
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    settle_memory()
    settings = desk.settings
    run_worker(
        runtime_of(desk), stop, settings.worker_poll_seconds, settings.verify_hour, desk.jobs(stop.is_set)
    )  # fmt: skip


def register(group: click.Group) -> None:
    """Add the commands of this package."""
    for one in (publish, align, work, projections):
        group.add_command(one)
