"""The commands of frameworks: adopt one from a CASE package, see what is adopted, compare, and hand one on."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from adapters.case.adoption import Adopted, adoptions, compared, is_published
from adapters.case.client import read_package
from adapters.case.native import exported
from adapters.case.strict import strict_bytes
from adapters.case.translate import framework_of
from adapters.case.values import made_uuid
from lrs.cli import Desk, pass_desk
from lrs.errors import InvalidRequest, NotFound
from lrs.progress import progress_bar
from lrs.store.log import Log
from lrs.xapi.values import iso
from projections import acts
from projections.commands import actor_of
from projections.frameworks.documents import framework_of as read_framework
from projections.frameworks.documents import without_levels

TIMEOUT_SECONDS = 30.0
MOST_NAMED: Final = 10
Json = dict[str, Any]


@click.group()
def framework() -> None:
    """Competency frameworks."""


document_option = click.option("--document", help="Identifier of the CFDocument, where SOURCE is a whole server.")


@framework.command()
@click.argument("slug")
@click.argument("source")
@document_option
@click.option("--scale", metavar="ID@VERSION", help="The scale whose levels hold for every competency.")
@click.option("--draft", "status", flag_value="draft", help="As a draft: seen, and no target of evidence.")
@click.option(
    "--live", "status", flag_value="live", help="Live (the default, unless it was adopted as a draft before)."
)
@pass_desk
def adopt(desk: Desk, /, slug: str, source: str, **options: Any) -> None:
    """Adopt a framework from a CASE package: a file, or the address of a CFPackage, a CFDocument or a server."""
    log, actor = actor_of(desk, slug)
    found = _read(source, options["document"])
    before = _adopted(desk, log, found["uri"])
    _settle(found, before, options["scale"], options["status"])
    _check_levels(desk, log, found)
    told = _with_changes(found, before)
    if told is None:
        click.echo(f"{found['title']} is adopted already: nothing appended")
        return
    desk.append(log, [acts.adopt(told, actor)])
    click.echo(_outcome(told))


@framework.command(name="list")
@click.argument("slug")
@pass_desk
def listed(desk: Desk, slug: str) -> None:
    """List the frameworks that are adopted, each in its newest version."""
    for one in _newest(desk, desk.log_named(slug)).values():
        document = one.document
        about = f"{document.get('status', 'live'):5}  {len(document['competencies']):5} competencies"
        click.echo(f"{document['uri']}  {about}  {iso(one.timestamp)}  {document['title']} ({document['version']})")


@framework.command()
@click.argument("slug")
@click.argument("source")
@document_option
@pass_desk
def diff(desk: Desk, slug: str, source: str, document: str | None) -> None:
    """Tell what adopting a CASE package would add, change and retire; nothing is appended."""
    log = desk.log_named(slug)
    found = _read(source, document)
    before = _adopted(desk, log, found["uri"])
    if before is None:
        click.echo(f"{found['title']} is not adopted yet: {len(found['competencies'])} competencies would be added")
        return
    _settle(found, before, None, None)
    changes = compared(before.document, found).changes
    names = {one["uri"]: one["name"] for one in (*before.document["competencies"], *found["competencies"])}
    for word in ("added", "changed", "retired"):
        click.echo(f"{word}: {len(changes[word])}")
        for uri in changes[word]:
            click.echo(f"  {uri}  {names[uri]}")


@framework.command()
@click.argument("slug")
@click.argument("name", metavar="FRAMEWORK")
@click.option("-o", "--output", type=click.Path(dir_okay=False), help="The file to write (default: standard output).")
@pass_desk
def export(desk: Desk, slug: str, name: str, output: str | None) -> None:
    """Write what is live of a framework, else its draft, as strict CASE 1.1; FRAMEWORK is its URI or identifier."""
    current = _current(desk, desk.log_named(slug))
    found = [one for uri, one in current.items() if name in (uri, made_uuid(uri), _identifier(one.document))]
    if not found:
        raise NotFound(f"no framework {name!r} is adopted; `cairn framework list {slug}` names them")
    content = strict_bytes(exported(found[0].document, iso(found[0].timestamp)))
    if output:
        Path(output).write_bytes(content)
    else:
        click.echo(content, nl=False)


def _read(source: str, document: str | None) -> Json:
    """Return the framework document at a source, with every warning told."""
    package = _package(source, document)
    if "competencies" in package:
        read_framework({**package, "status": "draft"})
        return package
    found, warnings = framework_of(package)
    for warning in warnings:
        click.echo(f"warning: {warning}", err=True)
    return found


def _package(source: str, document: str | None) -> Json:
    """Return what stands at a source; a server's bytes are counted on a line of their own."""
    if not source.lower().startswith("http"):
        return read_package(source, TIMEOUT_SECONDS)
    with progress_bar() as tell:
        return read_package(source, TIMEOUT_SECONDS, document, tell)


def _adopted(desk: Desk, log: Log, uri: str) -> Adopted | None:
    with desk.engine.connect() as connection:
        found = adoptions(connection, log.log_id, uri)
    return found[-1] if found else None


def _newest(desk: Desk, log: Log) -> dict[str, Adopted]:
    with desk.engine.connect() as connection:
        return {one.document["uri"]: one for one in adoptions(connection, log.log_id)}


def _current(desk: Desk, log: Log) -> dict[str, Adopted]:
    """Return what is live of each framework, by URI; of one that never was, its newest draft."""
    with desk.engine.connect() as connection:
        known = adoptions(connection, log.log_id)
    live = {one.document["uri"]: one for one in known if one.document.get("status") != "draft"}
    return {one.document["uri"]: one for one in known} | live


def _settle(found: Json, before: Adopted | None, scale: str | None, status: str | None) -> None:
    """Put in what the command line says of status and levels; what it does not say stays as it was adopted before."""
    old = before.document if before else {}
    if scale is not None:
        found["scale"] = _scale_named(scale)
    elif "scale" in old:
        found.setdefault("scale", old["scale"])
    if status or "status" in old:
        found["status"] = status or old["status"]


def _scale_named(text: str) -> Json:
    identifier, at, version = text.rpartition("@")
    if not at or not version.isdecimal():
        raise InvalidRequest(f"--scale {text}: give the IRI of a scale and its version, as https://example.org/scale@1")
    return {"id": identifier, "version": int(version)}


def _check_levels(desk: Desk, log: Log, found: Json) -> None:
    """Refuse a framework that would go live without levels, and name the competencies and the way out."""
    if "scale" in found:
        with desk.engine.connect() as connection:
            if not is_published(connection, log.log_id, found["scale"]):
                named = f"{found['scale']['id']}@{found['scale']['version']}"
                raise InvalidRequest(f"no scale {named} is published in this log; `cairn publish` it first")
        return
    if found.get("status") == "draft":
        return
    read = read_framework({**found, "status": "draft"})
    bare = [read.competencies[place] for place in without_levels(read.competencies, read.rubrics)]
    if bare:
        named = "\n".join(f"  {one.code or one.name}  {one.uri}" for one in bare[:MOST_NAMED])
        more = f"\n  and {len(bare) - MOST_NAMED} more" if len(bare) > MOST_NAMED else ""
        raise InvalidRequest(
            f"{len(bare)} of {len(read.competencies)} competencies have no levels with thresholds:\n{named}{more}\n"
            "Name a scale for all of them with --scale ID@VERSION, or adopt the framework as a draft with --draft."
        )


def _with_changes(found: Json, before: Adopted | None) -> Json | None:
    """Return a framework with what it changes, or None if nothing; raises InvalidRequest for an older one."""
    if before is None:
        return found
    standing = compared(before.document, found)
    if standing.is_older:
        raise InvalidRequest(
            f"this package is older than version {before.document['version']}, which is adopted; "
            f"to go back to it, void the adoption {before.statement_id} first"
        )
    if standing.unmarked:
        words = "object(s) differ from what is adopted, though their lastChangeDateTime is the same"
        click.echo(f"warning: {standing.unmarked} {words}", err=True)
    return None if standing.is_same else {**found, "changes": standing.changes}


def _outcome(told: Json) -> str:
    count = len(told["competencies"])
    if "changes" not in told:
        return f"{told['title']} adopted: {count} competencies"
    counts = ", ".join(f"{len(told['changes'][word])} {word}" for word in ("added", "changed", "retired"))
    return f"{told['title']} adopted: {count} competencies; {counts}"


def _identifier(document: Json) -> str | None:
    source = document.get("source", {}).get("package", {})
    found: Json = source.get("CFDocument") or source.get("CFPackage", {}).get("CFDocument") or {}
    return found.get("identifier")


def register(group: click.Group) -> None:
    """Add the commands of this folder."""
    group.add_command(framework)
