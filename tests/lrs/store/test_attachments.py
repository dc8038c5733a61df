"""The data of attachments in the database: once, in chunks, kept with its statements and gone without them."""

from __future__ import annotations

import hashlib
import io
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import func, insert, select, text
from sqlalchemy.exc import DBAPIError

from lrs.errors import StatementConflict, StorageFailed
from lrs.store import attachments
from lrs.store.attachments import CHUNK_BYTES, PENDING_US, Data
from lrs.store.engine import immediate, is_postgresql
from lrs.store.log import erase_body
from lrs.store.rows import Enclosed, Request
from lrs.store.tables import attachment, attachment_chunk, attachment_pending, signature, statement_attachment
from lrs.xapi.signatures import Finding
from tests.district import District, ids, statement
from tests.lrs.store.store import Store, at_once, prepared
from tests.parcels import KIND, attached, declared, mixed, part

NOW = 1_800_000_000_000_000
ROOT = Path(__file__).parent.parent.parent.parent


def data(*contents: bytes) -> dict[str, Data]:
    """Return data as it comes with a request, all of it in one file."""
    file, found, start = io.BytesIO(b"".join(contents)), {}, 0
    for one in contents:
        sha2 = hashlib.sha256(one).hexdigest()
        found[sha2] = Data(sha2, file, start, len(one))
        start += len(one)
    return found


def counts(store: Store) -> tuple[int, ...]:
    """Return how many attachments, chunks, pending marks, links and signatures the log has."""
    tables = (attachment, attachment_chunk, attachment_pending, statement_attachment, signature)
    with store.engine.connect() as connection:
        queries = [select(func.count()).select_from(one).where(one.c.log_id == store.log.log_id) for one in tables]
        return tuple(connection.scalar(query) or 0 for query in queries)


def keep(store: Store, parts: Mapping[str, Data], now: int = NOW) -> list[str]:
    return attachments.keep(store.engine, store.log.log_id, parts, now)


def append(store: Store, *parts: Mapping[str, Data], findings: Sequence[Finding] = ()) -> list[str]:
    """Append a statement for each set of data; return their ids."""
    sent = [statement() for _ in parts]
    made = [prepared(one, enclosed=Enclosed(tuple(own), tuple(findings))) for one, own in zip(sent, parts, strict=True)]
    store.writer().append(store.log.log_id, Request(made, may_act=False))
    return ids(sent)


def erase(store: Store, position: int) -> None:
    with immediate(store.engine).begin() as connection:
        erase_body(connection, store.log.log_id, position)


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 9 * CHUNK_BYTES])
def test_data_comes_back_whole_in_chunks(store: Store, size: int) -> None:
    content = secrets.token_bytes(size)
    ((sha2, _),) = data(content).items()
    assert keep(store, data(content)) == [sha2]
    assert b"".join(attachments.read(store.engine, store.log.log_id, sha2)) == content
    assert counts(store)[:3] == (1, -(-size // CHUNK_BYTES), 1)


def test_data_that_the_log_has_is_not_stored_again(store: Store) -> None:
    keep(store, data(b"one"))
    assert keep(store, data(b"two", b"one")) == list(data(b"two"))
    assert keep(store.with_new_log(), data(b"one")) == list(data(b"one"))


def test_an_append_links_the_data_and_takes_the_mark_away(store: Store) -> None:
    both = data(b"one", b"two")
    keep(store, both)
    first, second = append(store, both, data(b"two"))
    assert counts(store) == (2, 2, 0, 3, 0)
    with store.engine.connect() as connection:
        held = attachments.held_by(connection, store.log.log_id, [first, second])
    assert {name: {one.sha2 for one in found} for name, found in held.items()} == {
        first: set(both),
        second: set(data(b"two")),
    }


def test_discarded_is_only_what_no_statement_has(store: Store) -> None:
    keep(store, data(b"one", b"two"))
    append(store, data(b"one"))
    attachments.discard(store.engine, store.log.log_id, data(b"one", b"two"))
    assert counts(store)[:4] == (1, 1, 0, 1)


def test_what_a_dead_process_left_goes_with_the_next_data_an_hour_later(store: Store) -> None:
    keep(store, data(b"left"))
    keep(store, data(b"one"), NOW + PENDING_US)
    assert counts(store)[:3] == (2, 2, 2)
    keep(store, data(b"two"), NOW + PENDING_US + 1)
    assert counts(store)[:3] == (2, 2, 2)
    assert keep(store, data(b"left"), NOW + PENDING_US + 1) == list(data(b"left"))


def test_an_append_that_counts_on_data_that_is_gone_is_refused_and_may_come_again(store: Store) -> None:
    keep(store, data(b"one"))
    attachments.discard(store.engine, store.log.log_id, data(b"one"))
    with pytest.raises(StorageFailed, match="again"):
        append(store, data(b"one"))
    assert store.sound_ids() == []
    keep(store, data(b"one"))
    again = append(store, data(b"one"))
    assert store.sound_ids() == again


def test_of_a_refused_request_no_link_is_left(store: Store) -> None:
    taken = statement()
    store.append(taken)
    keep(store, data(b"one"))
    new = prepared(statement(), enclosed=Enclosed(tuple(data(b"one"))))
    other = prepared({**taken, "verb": {"id": "https://verbs.example.org/other"}})
    with pytest.raises(StatementConflict):
        store.writer().append(store.log.log_id, Request([new, other], may_act=False))
    assert counts(store) == (1, 1, 1, 0, 0)


def test_to_erase_a_statement_takes_the_data_that_no_other_has(store: Store) -> None:
    keep(store, data(b"own", b"shared"))
    found = Finding(next(iter(data(b"own"))), "RS256", "self-consistent", "CN=Somebody", "ab" * 32)
    append(store, data(b"own", b"shared"), data(b"shared"), findings=[found])
    erase(store, 1)
    assert counts(store) == (1, 1, 0, 1, 1)
    erase(store, 2)
    assert counts(store) == (0, 0, 0, 0, 0)
    assert keep(store, data(b"own")) == list(data(b"own"))


REFUSED = r"append-only|is kept"
TABLES = ("attachment", "attachment_chunk", "statement_attachment", "signature")
CHANGES = [
    *(f"UPDATE {one} SET log_id = log_id" for one in ("attachment", "statement_attachment", "signature")),
    "UPDATE attachment SET length = length + 1",
    "UPDATE attachment_chunk SET data = data",
    *(f"DELETE FROM {one}" for one in TABLES),
]
REPLACEMENTS = [
    *(f"INSERT OR REPLACE INTO {one} SELECT * FROM {one}" for one in TABLES),
    """INSERT OR REPLACE INTO attachment_chunk (rowid, log_id, sha2, number, data)
    SELECT rowid, 0, sha2, 1, data FROM attachment_chunk""",
]


@pytest.mark.parametrize("command", CHANGES)
def test_what_came_beside_a_statement_is_never_changed_and_stays(store: Store, command: str) -> None:
    _refused(store, command)


@pytest.mark.parametrize("table", TABLES)
def test_on_postgresql_it_cannot_be_emptied(postgresql_store: Store, table: str) -> None:
    _refused(postgresql_store, f"TRUNCATE {table}")


@pytest.mark.parametrize("command", REPLACEMENTS)
def test_on_sqlite_nothing_of_it_can_be_replaced(sqlite_store: Store, command: str) -> None:
    _refused(sqlite_store, command)


def _refused(store: Store, command: str) -> None:
    content = secrets.token_bytes(8)
    keep(store, data(content))
    append(store, data(content), findings=[Finding(next(iter(data(content))), "RS256", "unverified")])
    before = counts(store)
    with pytest.raises(DBAPIError, match=REFUSED), immediate(store.engine).begin() as connection:
        connection.execute(text(command))
    assert counts(store) == before


def test_data_cannot_be_added_to(store: Store) -> None:
    keep(store, data(b"one"))
    row = {"log_id": store.log.log_id, "sha2": bytes.fromhex(next(iter(data(b"one")))), "number": 0, "data": b"x"}
    with pytest.raises(DBAPIError), immediate(store.engine).begin() as connection:
        connection.execute(insert(attachment_chunk).values(row))


@contextmanager
def _held_back(store: Store) -> Iterator[threading.Event]:
    """Hold the head's lock until the event is set."""
    released = threading.Event()
    locked = threading.Event()

    def hold() -> None:
        with immediate(store.engine).begin() as connection:
            connection.execute(text(f"SELECT size FROM log_head WHERE log_id = {store.log.log_id} FOR UPDATE"))
            locked.set()
            released.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    locked.wait(10)
    yield released
    released.set()
    thread.join()


def test_on_postgresql_data_is_stored_while_another_holds_the_log(server_store: Store) -> None:
    with _held_back(server_store) as released:
        assert keep(server_store, data(b"one")) == list(data(b"one"))
        assert not released.is_set()


def test_of_many_who_store_the_same_data_at_once_each_statement_has_it(own_district: District) -> None:
    """Half of them are refused, and what they stored goes, but never what an acknowledged statement counts on."""
    taken = statement()
    own_district.someone.post(taken)
    other = {**taken, "verb": {"id": "https://verbs.example.org/other"}}

    def post(number: int) -> tuple[int, str, bytes]:
        content = str(number % 5).encode() * 1_000
        one = statement(attachments=[declared(content)])
        batch = [one, other] if number % 2 else [one]
        return own_district.someone.post(mixed(batch, part(content)), **KIND).status_code, one["id"], content

    done = [one.result() for _ in range(5) for one in at_once([partial(post, number) for number in range(16)])]
    assert {status for status, *_ in done} <= {200, 409, 503}
    acknowledged = [(name, content) for status, name, content in done if status == 200]
    assert len(acknowledged) >= 20
    for name, content in acknowledged:
        back = own_district.someone.get(query={"statementId": name, "attachments": "true"})
        assert list(attached(back).values()) == [content]


KILLED_BEFORE_THE_APPEND = """
import os, signal, sys
import msgspec
from lrs.settings import Settings
from lrs.store.writer import Writer
from tests.district import open_district, Client
from tests.parcels import KIND

Writer.append = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with open_district(msgspec.convert(msgspec.json.decode(sys.argv[1]), Settings)) as one:
    Client(one.app, sys.argv[2], sys.argv[3]).post(sys.stdin.buffer.read(), **KIND)
"""


def test_a_kill_between_the_data_and_its_statement_leaves_nothing_to_see(own_district: District) -> None:
    client, content = own_district.someone, b"never seen"
    sent = statement(attachments=[declared(content)])
    settings = msgspec.json.encode(own_district.settings).decode()
    command = [sys.executable, "-c", KILLED_BEFORE_THE_APPEND, settings, client.key, client.secret]
    body = mixed(sent, part(content))
    ended = subprocess.run(command, input=body, cwd=ROOT, env=os.environ, check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    store = Store("", own_district.engine, own_district.log)
    assert counts(store) == (1, 1, 1, 0, 0)
    assert client.get(query={"statementId": sent["id"]}).status_code == 404
    assert attached(client.get(query={"attachments": "true"})) == {}
    assert client.post(body, **KIND).status_code == 200
    assert counts(store) == (1, 1, 0, 1, 0)


def test_on_postgresql_random_bytes_are_not_compressed_in_vain(postgresql_store: Store) -> None:
    assert is_postgresql(postgresql_store.engine)
    query = "SELECT attstorage FROM pg_attribute WHERE attrelid = 'attachment_chunk'::regclass AND attname = 'data'"
    with postgresql_store.engine.connect() as connection:
        assert connection.scalar(text(query)) in {"e", b"e"}
