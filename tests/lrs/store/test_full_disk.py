"""A full disk is an error that says so, and leaves the log as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from secrets import token_hex
from typing import Any

import pytest
from sqlalchemy import Engine, event

from lrs.errors import StorageFailed
from tests.district import District, ids, statement
from tests.lrs.store.store import Store

FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON statement_body FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


def full_disk(engine: Engine) -> AbstractContextManager[None]:
    """Let the disk under an engine's database be full for a while."""
    return _full_server(engine) if engine.dialect.name == "postgresql" else _full_file(engine)


@contextmanager
def _full_server(engine: Engine) -> Iterator[None]:
    with engine.begin() as connection:
        connection.exec_driver_sql(FULL)
    yield
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP FUNCTION full_disk CASCADE")


@contextmanager
def _full_file(engine: Engine) -> Iterator[None]:
    """SQLite then finds no page for what does not fit into those that the file has."""
    pages = "PRAGMA max_page_count = 1"

    def limit(connection: Any, *_: object) -> None:
        connection.execute(pages)

    event.listen(engine, "checkout", limit)
    yield
    pages = "PRAGMA max_page_count = 4294967294"


def _filling() -> list[dict[str, Any]]:
    """Return a batch that does not fit into pages that are there already."""
    return [statement(context={"platform": token_hex(2_500)}) for _ in range(20)]


def test_a_full_disk_stores_nothing_and_later_appends_work(own_store: Store) -> None:
    kept = statement()
    own_store.append(kept)
    before = own_store.head()
    with full_disk(own_store.engine):
        with pytest.raises(StorageFailed):
            own_store.append(*_filling())
        assert own_store.head() == before
        assert own_store.sound_ids() == [kept["id"]]
    again = _filling()
    own_store.append(*again)
    assert own_store.sound_ids() == ids([kept, *again])


def test_over_http_a_full_disk_is_503_and_the_same_request_succeeds_later(own_district: District) -> None:
    someone, sent = own_district.someone, _filling()
    before = own_district.size()
    with full_disk(own_district.app.extensions["lrs"].engine):
        answer = someone.post(sent)
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "1"
        assert "No space left" not in answer.text
        assert own_district.size() == before
    assert someone.post(sent).status_code == 200
    assert own_district.size() == before + len(sent)
