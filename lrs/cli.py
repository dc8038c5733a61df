"""The commands of the learning record store: serve it, its logs, its credentials."""

from __future__ import annotations

import os
import re
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import click
import msgspec
from sqlalchemy import Engine, Table
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError

from lrs.errors import CairnError, StatementConflict
from lrs.recording import Gate, record
from lrs.settings import Settings
from lrs.store.credentials import (
    SCOPES,
    Credential,
    authority_of,
    bind_client,
    create_credential,
    credentials_of,
    is_origin,
    origins_of,
    revoke_credential,
    set_origins,
)
from lrs.store.engine import immediate, is_postgresql
from lrs.store.log import Log, create_log, log_named, logs
from lrs.store.roles import grants
from lrs.store.signatures import issuers_of, trust, untrust
from lrs.store.writer import Writer

F = TypeVar("F", bound=Callable[..., Any])
Job: TypeAlias = tuple[Callable[[], object], float]
"""What a worker does beside folding, and every how many seconds."""
OPERATOR = "operator"
_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


@dataclass(slots=True)
class Desk:
    """What every command reaches for: settings, engines, the gate of the acts, and what the other packages add."""

    settings: Settings
    engine: Engine
    derived: Engine
    gate: Gate
    migrate: Callable[[], None]
    first_acts: Callable[[Log], list[dict[str, Any]]]
    derived_tables: Sequence[Table]
    jobs: Callable[[Callable[[], bool]], Sequence[Job]] = lambda _is_stopped: ()

    def operator(self, log: Log) -> Credential:
        """Return the credential of whoever runs commands on the server itself."""
        scopes = frozenset({"registrar", "all"})
        return Credential(OPERATOR, "Operator", log, scopes, b"", authority_of(log, OPERATOR, "Operator"))

    def append(self, log: Log, statements: list[dict[str, Any]], poster: Credential | None = None) -> list[str]:
        """Append statements, as the operator unless somebody else posts them, all or none; return their ids."""
        writer = Writer(self.engine, self.gate.act_verbs, self.settings.append_queue_limit)
        body = msgspec.json.encode(statements)
        return record(writer, self.gate, poster or self.operator(log), "1.0.3", body, len(statements))

    def log_named(self, slug: str) -> Log:
        """Return the log with this slug; raises NotFound."""
        with self.engine.connect() as connection:
            return log_named(connection, slug)


pass_desk = click.make_pass_decorator(Desk)


class Commands(click.Group):
    """A group whose commands tell an error of ours in words, every problem on a line, and exit 1."""

    def invoke(self, context: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(context)
        except CairnError as error:
            lines = [error.message, *(f"  {problem}" for problem in error.problems)]
        except (OperationalError, ProgrammingError) as error:
            lines = ["the database does not answer, or has no tables yet; run `cairn migrate`", f"  {error.orig}"]
        click.echo("cairn: " + "\n".join(lines), err=True)
        sys.exit(1)


def new_log(desk: Desk, slug: str, name: str, origin: str) -> Log:
    """Create a log and what every log begins with."""
    if not _SLUG.match(slug):
        raise click.BadParameter("use lower-case letters, digits and hyphens", param_hint="SLUG")
    try:
        with immediate(desk.engine).begin() as connection:
            log = create_log(connection, slug, name, origin)
    except IntegrityError as error:
        raise StatementConflict(f"there is a log named {slug!r} already") from error
    first = desk.first_acts(log)
    if first:
        desk.append(log, first)
    return log


def new_credential(desk: Desk, log: Log, name: str, scopes: frozenset[str]) -> tuple[str, str]:
    """Create a credential and record the grant in the log (never the secret); return its key and its secret."""
    with immediate(desk.engine).begin() as connection:
        created, secret = create_credential(connection, log, name, scopes, _now(), _token)
    desk.append(log, [_credential_act(desk, log, "granted", created.key, name, sorted(scopes))])
    return created.key, secret


def _credential_act(desk: Desk, log: Log, verb: str, key: str, name: str, scopes: list[str]) -> dict[str, Any]:
    profile = desk.gate.act_verbs.removesuffix("verbs/")
    return {
        "actor": msgspec.json.decode(desk.operator(log).authority),
        "verb": {"id": desk.gate.act_verbs + verb, "display": {"en": verb}},
        "object": {
            "objectType": "Activity",
            "id": f"{log.origin.rstrip('/')}/credentials/{key}",
            "definition": {"type": f"{profile}activity-types/credential", "name": {"en": name}},
        },
        "result": {"extensions": {f"{profile}extensions/credential": {"key": key, "name": name, "scopes": scopes}}},
    }


@click.command()
@click.option("--grant-to", "role", help="A PostgreSQL role that may serve and work, and not change the record.")
@pass_desk
def migrate(desk: Desk, role: str | None) -> None:
    """Bring the databases to the newest schema."""
    desk.migrate()
    if role:
        _grant(desk, role)
    click.echo(f"logs: {_shown(desk.engine)}\nprojections: {_shown(desk.derived)}")


def _grant(desk: Desk, role: str) -> None:
    if not is_postgresql(desk.engine) or desk.settings.log_url != desk.settings.derived_url:
        raise click.ClickException("--grant-to needs the logs and the projections in one PostgreSQL database")
    with desk.engine.begin() as connection:
        for one in grants(role, desk.derived_tables):
            connection.exec_driver_sql(one)


def _shown(engine: Engine) -> str:
    return engine.url.render_as_string(hide_password=True)


@click.command()
@pass_desk
def serve(desk: Desk) -> None:
    """Serve xAPI, the API and the pages, in the foreground."""
    os.execv(sys.executable, [sys.executable, "-m", "granian", *server_arguments(desk.settings)])  # noqa: S606


def server_arguments(settings: Settings) -> list[str]:
    """Return the web server's command line; SQLite takes one writing process, so one serves it."""
    workers = 1 if settings.log_url.startswith("sqlite") else settings.web_workers
    return [
        "--interface", "wsgi", "--host", settings.host, "--port", str(settings.port), "--workers", str(workers),
        "--blocking-threads", str(settings.web_threads), "--backlog", "1024", "--respawn-failed-workers",
        "--no-ws", "--log-level", "error", "--http", "1", "wsgi:app",
    ]  # fmt: skip


@click.group()
def log_group() -> None:
    """The districts' logs."""


@log_group.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="The district's name, for people.")
@click.option(
    "--origin", required=True, help="An IRL that stands for the log for ever, such as https://lrs.example.org/a"
)
@pass_desk
def create(desk: Desk, slug: str, name: str, origin: str) -> None:
    """Create a log; it begins with the default scale and mastery rule."""
    log = new_log(desk, slug, name, origin)
    click.echo(f"log {log.slug} created")


@log_group.command("list")
@pass_desk
def list_logs(desk: Desk) -> None:
    """List the logs."""
    with desk.engine.connect() as connection:
        for one in logs(connection):
            click.echo(f"{one.slug}\t{one.name}\t{one.origin}")


@click.group()
def credentials() -> None:
    """The credentials of a log."""


@credentials.command("create")
@click.argument("slug")
@click.option("--name", required=True, help="What the credential is for.")
@click.option("--scope", "scopes", multiple=True, required=True, type=click.Choice(SCOPES))
@pass_desk
def create_one(desk: Desk, slug: str, name: str, scopes: tuple[str, ...]) -> None:
    """Create a credential; its secret is shown this once."""
    key, secret = new_credential(desk, desk.log_named(slug), name, frozenset(scopes))
    click.echo(f"key     {key}\nsecret  {secret}\nThe secret is kept nowhere and cannot be shown again.")


@credentials.command("list")
@click.argument("slug")
@pass_desk
def list_credentials(desk: Desk, slug: str) -> None:
    """List the credentials of a log."""
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        for key, name, scopes, is_revoked in credentials_of(connection, log):
            click.echo(f"{key}\t{name}\t{scopes}\t{'revoked' if is_revoked else 'active'}")


@credentials.command("revoke")
@click.argument("slug")
@click.argument("key")
@pass_desk
def revoke(desk: Desk, slug: str, key: str) -> None:
    """Revoke a credential."""
    log = desk.log_named(slug)
    with immediate(desk.engine).begin() as connection:
        revoke_credential(connection, log, key, _now())
    desk.append(log, [_credential_act(desk, log, "revoked", key, key, [])])
    click.echo(f"{key} is revoked; web processes forget it within {desk.settings.credential_cache_seconds:g} seconds")


@credentials.command("origins")
@click.argument("slug")
@click.argument("key")
@click.argument("origins", nargs=-1)
@click.option("--none", "is_none", is_flag=True, help="Let no web page use it any more.")
@pass_desk
def origins_command(desk: Desk, slug: str, key: str, origins: tuple[str, ...], is_none: bool) -> None:
    """Set the web origins (https://tool.example.org) whose pages may use a credential; without any, show them."""
    log = desk.log_named(slug)
    for origin in origins:
        if not is_origin(origin):
            raise click.BadParameter(f"{origin} is no origin: write scheme://host[:port] in lower case, without a path")
    with immediate(desk.engine).begin() as connection:
        if origins or is_none:
            set_origins(connection, log, key, origins)
        shown = origins_of(connection, key)
    click.echo("\n".join(shown) or "no web page may use this credential")


@credentials.command("bind")
@click.argument("slug")
@click.argument("key")
@click.option("--client", required=True, help="The client_id (or azp, or sub) in the tokens of the configured issuer.")
@pass_desk
def bind_command(desk: Desk, slug: str, key: str, client: str) -> None:
    """Let an OAuth client act as a credential, with the scopes that both its token and the credential have."""
    with immediate(desk.engine).begin() as connection:
        bind_client(connection, desk.log_named(slug), key, client)
    click.echo(f"{client} acts as {key} from now on")


@credentials.command("trust")
@click.argument("slug")
@click.argument("key")
@click.argument("certificate", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@pass_desk
def trust_command(desk: Desk, slug: str, key: str, certificate: Path) -> None:
    """Let the CERTIFICATE, a PEM file, vouch for who signs the statements of a credential, from now on."""
    from lrs.xapi.certificates import from_pem

    try:
        der = from_pem(certificate.read_bytes())
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="CERTIFICATE") from error
    with immediate(desk.engine).begin() as connection:
        issuer = trust(connection, desk.log_named(slug), key, der, _now())
    click.echo(f"{issuer.thumbprint}\t{issuer.subject}")


@credentials.command("issuers")
@click.argument("slug")
@click.argument("key")
@pass_desk
def issuers_command(desk: Desk, slug: str, key: str) -> None:
    """List the certificates that vouch for the signers of a credential, by their SHA-256."""
    log = desk.log_named(slug)
    with desk.engine.connect() as connection:
        for issuer in issuers_of(connection, log, key):
            click.echo(f"{issuer.thumbprint}\t{issuer.subject}")


@credentials.command("untrust")
@click.argument("slug")
@click.argument("key")
@click.argument("thumbprint")
@pass_desk
def untrust_command(desk: Desk, slug: str, key: str, thumbprint: str) -> None:
    """Let the certificate with this SHA-256 vouch no more; what was found of signatures until now stays."""
    with immediate(desk.engine).begin() as connection:
        untrust(connection, desk.log_named(slug), key, thumbprint)
    click.echo(f"{thumbprint} vouches for nobody of {key} from now on")


def _now() -> int:
    return time.time_ns() // 1000


def _token() -> str:
    return secrets.token_urlsafe(32).replace("-", "a").replace("_", "b")


def secret_key(settings: Settings) -> str:
    """Return the key that signs browser sessions: the setting, or one made once and kept in the data folder."""
    if settings.secret_key:
        return settings.secret_key
    path = Path(settings.data_dir) / "secret-key"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
            stream.write(secrets.token_hex(32))
    return path.read_text()


def register(group: click.Group) -> None:
    """Add the commands of this package."""
    group.add_command(migrate)
    group.add_command(serve)
    group.add_command(log_group, "logs")
    group.add_command(credentials)
