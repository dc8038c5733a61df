"""On PostgreSQL the role that serves can append and read; the record is out of its reach even without the triggers."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError

from lrs.settings import Settings
from lrs.store.credentials import revoke_credential
from lrs.store.log import erase_body
from lrs.store.roles import grants, grants_to_erase, quoted
from projections.building.catalogue import PROJECTIONS
from projections.tables import metadata
from tests.databases import migrate, new_database
from tests.district import District, ids, open_district, statement
from tests.lrs.exchange.receiver import ran, receiving
from tests.parcels import attached, declared, send

DENIED = "permission denied|must be owner"
OUT_OF_REACH = [
    *(f"UPDATE {table} SET log_id = log_id" for table in ("log", "log_head", "statement", "statement_body")),
    *(f"DELETE FROM {table}" for table in ("log", "log_head", "statement", "statement_body", "credential")),
    *(f"TRUNCATE {table} CASCADE" for table in ("log", "log_head", "statement", "statement_body", "posting")),
    "UPDATE statement SET commitment = commitment",
    *(f"UPDATE {table} SET log_id = log_id" for table in ("attachment", "attachment_chunk", "statement_attachment")),
    *(f"DELETE FROM {table}" for table in ("statement_attachment", "signature")),
    "UPDATE signature SET outcome = 'trusted'",
    "UPDATE statement_body SET body = NULL, salt = NULL",
    "INSERT INTO statement SELECT * FROM statement ON CONFLICT (log_id, position) DO UPDATE SET verb = 0",
    "ALTER TABLE statement DISABLE TRIGGER ALL",
    "DROP TRIGGER statement_is_kept ON statement",
    "SET session_replication_role = replica",
    "DROP TABLE statement",
]


class Served(NamedTuple):
    """A district that is served by a role without other rights, and the database's owner."""

    district: District
    owner: Engine
    role: str


@contextmanager
def _role(server: Engine) -> Iterator[tuple[str, str]]:
    """Create a role that may log in and owns nothing; yield its name and password."""
    name, password = f"cairn test {uuid.uuid4().hex[:12]}", secrets.token_hex(8)
    with server.connect() as connection:
        connection.execute(text(f"CREATE ROLE {quoted(name)} LOGIN PASSWORD '{password}'"))
    yield name, password
    with server.connect() as connection:
        connection.execute(text(f"DROP ROLE {quoted(name)}"))


def _run(engine: Engine, commands: Sequence[str]) -> None:
    with engine.begin() as connection:
        for command in commands:
            connection.execute(text(command))


@pytest.fixture(scope="module")
def served(postgresql: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A migrated database, a new role, and the application running as that role."""
    folder = tmp_path_factory.mktemp("data")
    with _role(postgresql) as (role, password), new_database(postgresql) as url:
        migrate(Settings(data_dir=str(folder), database_url=url))
        owner = create_engine(url)
        _run(owner, grants(role, metadata.sorted_tables))
        as_role = owner.url.set(username=role, password=password).render_as_string(hide_password=False)
        with open_district(Settings(data_dir=str(folder), database_url=as_role)) as one:
            yield Served(one.with_new_log("served"), owner, role)
        owner.dispose()


def test_the_role_serves_everything(served: Served) -> None:
    district, one = served.district, statement()
    refers = statement(object={"objectType": "StatementRef", "id": one["id"]})
    batch = [statement() for _ in range(150)]
    for sent in (one, refers, batch):
        assert district.someone.post(sent).status_code == 200
    district.fold()
    assert ids(district.someone.found(agent=one["actor"], ascending="true", verb=one["verb"]["id"]))[0] == one["id"]
    with district.engine.begin() as connection:
        revoke_credential(connection, district.log, district.someone.key, now=1)


def test_the_role_keeps_attachments_and_clears_away_what_was_refused(served: Served) -> None:
    client, taken = served.district.client("all"), statement()
    sent = statement(attachments=[declared(b"kept")])
    assert send(client, [taken, sent], b"kept").status_code == 200
    refused = [statement(attachments=[declared(b"gone")]), {**taken, "verb": {"id": "https://verbs.example.org/x"}}]
    assert send(client, refused, b"gone").status_code == 409
    back = client.get(query={"attachments": "true"})
    assert list(attached(back).values()) == [b"kept"]


def test_the_role_rebuilds_every_projection(served: Served) -> None:
    found = served.district.runtime.rebuild(served.district.log.log_id, [one.name for one in PROJECTIONS])
    assert len(found.digests) == len(PROJECTIONS)


def test_the_role_imports_and_forwards(served: Served) -> None:
    district, slug = served.district, served.district.log.slug
    sent = statement(verb="imported", stored="2020-01-01T00:00:00Z")
    ran(district, "import", slug, "-", stdin=msgspec.json.encode([sent]))
    with receiving() as receiver:
        options = "--url", receiver.url, "--key", "k", "--secret", "s", "--name", "x", "--verb", sent["verb"]["id"]
        ran(district, "forwards", "create", slug, *options)
        ran(district, "forwards", "run", slug)
        assert receiver.taken == [sent["id"]]
    for command in ("replay", "pause", "remove"):
        ran(district, "forwards", command, slug, "x", *(("--from", "1") if command == "replay" else ()))


@pytest.mark.parametrize("command", OUT_OF_REACH)
def test_the_record_is_out_of_its_reach_even_without_the_triggers(served: Served, command: str) -> None:
    tables = ("log", "log_head", "statement", "statement_body")
    _run(served.owner, [f"ALTER TABLE {table} DISABLE TRIGGER ALL" for table in tables])
    try:
        with pytest.raises(ProgrammingError, match=DENIED):
            _run(served.district.engine, [command])
    finally:
        _run(served.owner, [f"ALTER TABLE {table} ENABLE TRIGGER ALL" for table in tables])


def test_the_role_erases_only_where_it_was_granted(served: Served) -> None:
    district = served.district
    with pytest.raises(ProgrammingError, match=DENIED), district.engine.begin() as connection:
        erase_body(connection, district.log.log_id, 1)
    _run(served.owner, grants_to_erase(served.role))
    with district.engine.begin() as connection:
        erase_body(connection, district.log.log_id, 1)
    _run(served.owner, grants(served.role, metadata.sorted_tables))
    with pytest.raises(ProgrammingError, match=DENIED), district.engine.begin() as connection:
        erase_body(connection, district.log.log_id, 1)
