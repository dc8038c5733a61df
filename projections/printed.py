"""The resources of `/api/v1` on the command line: the same answers, as JSON or in columns for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from lrs.cli import Desk, pass_desk
from projections.answering import MOST_LISTED
from projections.audit.reading import credentials_of, trail
from projections.ids import decision_key, learner_key
from projections.progress import progress
from projections.publishing.job import office_of
from projections.publishing.outbox import publish, restart
from projections.resources import learners_page, mastery_of, record_of
from projections.rulebook import one_of, policies_of, rules_of
from projections.view import View, view_of
from projections.wording import STATUS_WORDS

F = TypeVar("F", bound=Callable[..., Any])
Row = Sequence[object]
GAP = "  "


@contextmanager
def _view(desk: Desk, slug: str, as_of: str | None) -> Iterator[View]:
    log = desk.log_named(slug)
    with desk.derived.connect() as connection, desk.engine.connect() as log_connection:
        yield view_of(connection, log_connection, log, as_of)


def _reading(command: F) -> F:
    """Add what every command that tells something takes: a moment, and whether JSON is wanted."""
    for one in (
        click.option("--json", "as_json", is_flag=True, help="The JSON that the API answers."),
        click.option("--as-of", help="A position of the log, or a time; now without it."),
        click.argument("slug"),
    ):
        command = one(command)
    return command


def _print(found: Mapping[str, Any], as_json: bool, lines: Iterable[str]) -> None:
    click.echo(json.dumps(found, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))


def table(rows: Iterable[Row]) -> list[str]:
    """Return rows as lines in columns; nothing is cut off, and what is None stands as a dash."""
    texts = [["-" if one is None else str(one) for one in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    padded = ([text.ljust(width) for text, width in zip(row, widths, strict=True)] for row in texts)
    return [GAP.join(row).rstrip() for row in padded]


@click.group()
def learners() -> None:
    """Learners: who there are, and where they stand."""


@learners.command("list")
@_reading
@click.option("--after", help="Begin behind this learner.")
@click.option("--limit", type=click.IntRange(1, MOST_LISTED), default=100, show_default=True)
@pass_desk
def list_learners(desk: Desk, slug: str, as_of: str | None, as_json: bool, after: str | None, limit: int) -> None:
    """List the learners who have any evidence."""
    with _view(desk, slug, as_of) as view:
        found = learners_page(view, after, limit)
    more = [f"more: --after {found['after']}"] if found["after"] else []
    _print(found, as_json, table((one["id"], one["name"]) for one in found["learners"]) + more)


@learners.command()
@_reading
@click.argument("learner")
@pass_desk
def mastery(desk: Desk, slug: str, learner: str, as_of: str | None, as_json: bool) -> None:
    """Tell where a learner stands in every competency."""
    with _view(desk, slug, as_of) as view:
        found = mastery_of(view, learner_key(learner))
    _print(found, as_json, _mastery_lines(found))


def _mastery_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield found["learner"]["name"]
    for part in found["frameworks"]:
        yield f"{part['title']} ({part['version']})"
        yield from table(_standing(one) for one in part["competencies"])


def _standing(one: Mapping[str, Any]) -> Row:
    return one["code"] or one["name"], STATUS_WORDS[one["status"]], one["level"], one["value"], one["decision"]


@learners.command("progress")
@_reading
@click.argument("learner")
@pass_desk
def show_progress(desk: Desk, slug: str, learner: str, as_of: str | None, as_json: bool) -> None:
    """Tell what a learner has mastered, what is missing, and what comes next."""
    with _view(desk, slug, as_of) as view:
        found = progress(view, learner_key(learner))
    _print(found, as_json, _progress_lines(found))


def _progress_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield found["learner"]["name"]
    for title, name in (("", "frameworks"), ("Work habits: ", "work_habits")):
        for part in found[name]:
            yield f"{title}{part['title']}: {len(part['mastered'])} of {len(part['mastered']) + len(part['missing'])}"
            yield from _part_lines(part)
    for one in found["retired"]:
        yield f"no longer asked for: {one['name']}: {STATUS_WORDS[one['status']]}"


def _part_lines(part: Mapping[str, Any]) -> list[str]:
    rows: list[Row] = [("mastered", one["name"], one["level"] or "") for one in part["mastered"]]
    rows += [("next", one["name"], one["next_step"]) for one in part["next"]]
    for one in part["missing"]:
        if one["waits_for"]:
            rows.append(("missing", one["name"], f"after {', '.join(each['name'] for each in one['waits_for'])}"))
    return table(rows)


@click.group()
def decisions() -> None:
    """Decisions: what proves them, and publishing them in the log."""


@decisions.command()
@_reading
@click.argument("decision")
@pass_desk
def show(desk: Desk, slug: str, decision: str, as_of: str | None, as_json: bool) -> None:
    """Tell one decision with everything that proves it."""
    with _view(desk, slug, as_of) as view:
        found = record_of(view, decision_key(decision))
    _print(found, as_json, _record_lines(found))


def _record_lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield from table(_facts(found))
    for one in found.get("inputs", ()):
        yield f"counted: {one['timestamp']} {one['evidence_kind']} {one['score']} (statement {one['statement_id']})"
    for one in found.get("excluded", ()):
        yield f"left out: {one['timestamp']} {one['evidence_kind']}: {one['reason']} (statement {one['statement_id']})"
    for one in found.get("leaves", ()):
        yield f"{'met' if one['met'] else 'not yet'}: {one['requirement']}: has {one['have']}, needs {one['need']}"
    for line in found.get("arithmetic", ()):
        yield f"arithmetic: {line}"
    yield found["policy" if found["kind"] == "credit" else "rule"]["text"]


def _facts(found: Mapping[str, Any]) -> Iterator[Row]:
    yield "decision", found["decision_id"]
    yield "learner", found["learner"]["name"]
    yield "on", found["course"]["title"] if found["kind"] == "credit" else found["competency"]["name"]
    yield "outcome", STATUS_WORDS[found["outcome" if found["kind"] == "credit" else "status"]]
    for name in ("level", "rounded", "cause", "next_step"):
        if found.get(name):
            yield name.replace("_", " "), found[name]
    yield "position", found["as_of"]["position"]
    yield "superseded by", found["superseded_by"]
    yield "published as", found["published"]["statement_id"] if found["published"] else None
    yield "verified", "yes" if found["verified"] else "NO: it cannot be derived again from the log"


@decisions.command()
@_reading
@click.argument("decision")
@pass_desk
def audit(desk: Desk, slug: str, decision: str, as_of: str | None, as_json: bool) -> None:
    """Walk from a decision to everything that it rests on."""
    with _view(desk, slug, as_of) as view:
        wanted = decision_key(decision)
        steps = trail(view, wanted)
        found = {"decision": record_of(view, wanted), "trail": steps, "credentials": credentials_of(steps)}
    _print(found, as_json, [*table((one["position"], one["step"]) for one in steps), *_credential_lines(found)])


def _credential_lines(found: Mapping[str, Any]) -> list[str]:
    return [f"credential {one['credential']}: {one['statements']} statement(s)" for one in found["credentials"]]


@decisions.command("publish")
@click.argument("slug")
@click.option("--after", type=click.IntRange(0), help="Look again at what was decided behind this position.")
@pass_desk
def publish_now(desk: Desk, slug: str, after: int | None) -> None:
    """Publish what is new and end, for cron; nothing goes out twice."""
    log = desk.log_named(slug)
    if after is not None:
        restart(office_of(desk), log, after)
    click.echo(f"{publish(office_of(desk), log)} statement(s) published")


@click.group()
def rules() -> None:
    """Mastery rules and credit policies, in plain words."""


@rules.command("list")
@_reading
@pass_desk
def list_rules(desk: Desk, slug: str, as_of: str | None, as_json: bool) -> None:
    """List every mastery rule and every credit policy."""
    with _view(desk, slug, as_of) as view:
        acts = view.acts()
        found = {"as_of": view.as_of(), "rules": rules_of(acts), "policies": policies_of(acts)}
    rows = [(one["key"], kind, one["title"], one["version"]) for kind, one in _each(found)]
    _print(found, as_json, table(rows))


def _each(found: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for kind, name in (("rule", "rules"), ("policy", "policies")):
        for one in found[name]:
            yield kind, one


@rules.command("show")
@_reading
@click.argument("key")
@pass_desk
def show_rule(desk: Desk, slug: str, key: str, as_of: str | None, as_json: bool) -> None:
    """Tell one rule or policy with all its versions."""
    with _view(desk, slug, as_of) as view:
        acts = view.acts()
        found = {"as_of": view.as_of(), **one_of([*rules_of(acts), *policies_of(acts)], key, "rules")}
    _print(found, as_json, _version_lines(found))


def _version_lines(found: Mapping[str, Any]) -> Iterator[str]:
    for one in reversed(found["versions"]):
        yield f"version {one['version']}, published {one['published']}, approved by {one['approver'] or 'nobody named'}"
        yield one["text"]


def register(group: click.Group) -> None:
    """Add the commands of this module."""
    for one in (learners, decisions, rules):
        group.add_command(one)
