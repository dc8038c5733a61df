"""The commands of the sample district: load it, and start everything with it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec
import requests

from adapters.demo import district
from adapters.demo.roster import enrolments
from lrs.cli import Desk, new_credential, new_log, pass_desk
from lrs.errors import NotFound
from lrs.progress import progress_bar
from lrs.store.credentials import Credential, credential_with_key, credentials_of
from lrs.store.log import Log
from lrs.store.search import with_id
from projections import acts
from projections.commands import runtime_of
from projections.profile import VERBS

SLUG = "sample"
NAME = "Sample County Schools (invented)"
ORIGIN = "https://lrs.sample-county.example"
CREDENTIALS = {
    "tool": frozenset({"statements/write", "statements/read/mine"}),
    "auditor": frozenset({"all/read"}),
    "analyst": frozenset({"aggregates/read"}),
    "registrar": frozenset({"registrar", "all/read"}),
}
PLATFORMS = ("Moodle", "H5P", "Open edX")
REGISTRAR = {"objectType": "Agent", "name": "Registrar", "account": {"homePage": ORIGIN, "name": "registrar"}}
PUBLISHED = datetime(2026, 8, 17, 8, tzinfo=UTC)
PUBLISHED_LATE = datetime(2026, 11, 20, 16, tzinfo=UTC)
WAIT_SECONDS = 60.0


@click.command()
@pass_desk
def demo(desk: Desk) -> None:
    """Load the sample district: about 60 learners, 12 competencies, three tools. Loading it again changes nothing."""
    desk.migrate()
    load(desk)


def load(desk: Desk) -> None:
    """Load the sample district where it is not loaded yet, and fold it; an interrupted load is completed."""
    log = _log(desk)
    if not credentials_file(desk).exists():
        _create_credentials(desk, log)
    first = list(_statements([*district.acts(), *enrolments()], PUBLISHED))
    late = list(_statements(district.late_acts(), PUBLISHED_LATE))
    with desk.engine.connect() as connection:
        if with_id(connection, log.log_id, late[-1]["id"]):
            return
    posters = _posters(desk, log)
    batches = [first, *district.batches(), late]
    with progress_bar() as tell:
        for done, batch in enumerate(batches, 1):
            for name, poster in posters.items():
                desk.append(log, [one for one in batch if _poster_of(one) == name], poster)
            tell("sample district", done, len(batches))
        runtime_of(desk).catch_up(log.log_id, tell)


def _posters(desk: Desk, log: Log) -> dict[str, Credential]:
    """Return the credentials that the sample's statements are posted by: the registrar's and one for each tool."""
    names = {"registrar": CREDENTIALS["registrar"], **dict.fromkeys(PLATFORMS, frozenset({"statements/write"}))}
    with desk.engine.connect() as connection:
        known = {name: key for key, name, _, is_revoked in credentials_of(connection, log) if not is_revoked}
    keys = {name: known.get(name) or new_credential(desk, log, name, scopes)[0] for name, scopes in names.items()}
    with desk.engine.connect() as connection:
        found = {name: credential_with_key(connection, key) for name, key in keys.items()}
    return {name: one for name, one in found.items() if one}


def _poster_of(statement: dict[str, Any]) -> str:
    """Return whose statement it is: the registrar's acts, a tool's by its platform, and Moodle's voids."""
    if statement["verb"]["id"].startswith(VERBS):
        return "registrar"
    return str(statement.get("context", {}).get("platform", PLATFORMS[0]))


def _log(desk: Desk) -> Log:
    try:
        return desk.log_named(SLUG)
    except NotFound:
        return new_log(desk, SLUG, NAME, ORIGIN)


def _create_credentials(desk: Desk, log: Log) -> None:
    path = credentials_file(desk)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        for name, scopes in CREDENTIALS.items():
            key, secret = new_credential(desk, log, name, scopes)
            stream.write(f"{name} {key} {secret}\n")


def _statements(documents: Iterable[tuple[str, Any]], published: datetime) -> Iterator[dict[str, Any]]:
    """Yield the acts that carry these documents; ids and times follow from them, so that loading can be repeated."""
    for place, (kind, document) in enumerate(documents):
        text = msgspec.json.encode((kind, document), order="sorted").decode()
        told = {
            "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{ORIGIN}/acts/{text}")),
            "timestamp": (published + timedelta(seconds=place)).isoformat(timespec="milliseconds"),
        }
        yield {**told, **_act(kind, document, REGISTRAR)}


def _act(kind: str, document: Any, actor: dict[str, Any]) -> dict[str, Any]:
    if kind == "framework":
        return acts.adopt(document, actor)
    if kind == "roster":
        return acts.enrol(document, actor)
    return acts.align(document, actor) if kind == "alignment" else acts.publish(kind, document, actor)


def credentials_file(desk: Desk) -> Path:
    """Return the file that keeps the sample district's secrets, readable by its owner alone."""
    return Path(desk.settings.data_dir) / "sample-credentials"


@click.command()
@pass_desk
def start(desk: Desk) -> None:
    """Migrate, load the sample district, and run the web server and the worker until stopped."""
    _refuse_a_taken_port(desk)
    click.echo("Cairn: databases …")
    desk.migrate()
    click.echo("Cairn: sample district …")
    load(desk)
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.default_int_handler)
    processes = [subprocess.Popen([sys.executable, "-m", "wsgi", name]) for name in ("work", "serve")]  # noqa: S603
    try:
        _wait_until_ready(desk, processes)
        _greet(desk)
        while all(process.poll() is None for process in processes):
            time.sleep(0.5)
        raise click.ClickException("one of the processes ended; see the messages above")
    except KeyboardInterrupt:
        click.echo("\nCairn: stopping …")
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=20)


def _refuse_a_taken_port(desk: Desk) -> None:
    """Say so when something answers already: two servers can share a port, and then nobody knows which one answers."""
    with socket.socket() as probe:
        if probe.connect_ex((desk.settings.host, desk.settings.port)) == 0:
            raise click.ClickException(f"{_address(desk)} is taken; stop what runs there, or set CAIRN_PORT")


def _address(desk: Desk) -> str:
    return f"http://{desk.settings.host}:{desk.settings.port}"


def _wait_until_ready(desk: Desk, processes: list[subprocess.Popen[bytes]]) -> None:
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        if any(process.poll() is not None for process in processes):
            raise click.ClickException(
                f"a process ended at its start; is port {desk.settings.port} taken? Set CAIRN_PORT."
            )
        try:
            if requests.get(f"{_address(desk)}/ready", timeout=2).status_code == 200:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.2)
    raise click.ClickException(
        f"not ready after {WAIT_SECONDS:g} seconds; ask {_address(desk)}/ready which part is missing"
    )


def _greet(desk: Desk) -> None:
    address = _address(desk)
    known = [line.split() for line in credentials_file(desk).read_text().splitlines()]
    click.echo(f"\nCairn is up: {address}\n\nSign in there, or use HTTP Basic, with a key and its secret:")
    for name, key, secret in known:
        click.echo(f"  {name:9}  {key}  {secret}")
    _, key, secret = known[0]
    click.echo(
        f"\nPost a first statement:\n\n  curl -u {key}:{secret} -H 'X-Experience-API-Version: 1.0.3' "
        f"-H 'Content-Type: application/json' {address}/xapi/statements -d '"
        '{"actor":{"mbox":"mailto:learner@example.org"},"verb":{"id":"http://adlnet.gov/expapi/verbs/experienced"},'
        '"object":{"id":"https://example.org/first"}}'
        "'\n\nCtrl-C stops everything; the data stays.",
    )


def register(group: click.Group) -> None:
    """Add the commands of this folder."""
    group.add_command(demo)
    group.add_command(start)
