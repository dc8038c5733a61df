"""Statements' texts on disk: shorter, and always the same text again."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import LargeBinary, cast, select

from lrs.store.tables import statement_body
from lrs.store.texts import packed, unpacked
from tests.district import statement
from tests.lrs.store.store import Store

PUBLISHED = {1: "3279d916834c0c481399920115405098073d630adb765b467cc4935dba6a5bea"}


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.none()).map(msgspec.json.encode))
def test_every_text_comes_back_and_none_is_longer(text: bytes) -> None:
    assert unpacked(packed(text)) == text
    assert len(packed(text)) <= len(text)


def test_an_everyday_statement_takes_less_than_two_thirds_of_its_length() -> None:
    text = msgspec.json.encode(statement())
    assert len(packed(text)) < len(text) * 2 / 3


def test_a_text_that_was_stored_as_it_is_can_be_read() -> None:
    assert unpacked(b'{"id":1}') == b'{"id":1}'
    assert unpacked(b'\t{"id":1}') == b'\t{"id":1}'


def test_many_threads_pack_and_unpack_at_once() -> None:
    texts = [msgspec.json.encode(statement(learner=str(number))) for number in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: unpacked(packed(text)), texts)) == texts


def test_the_database_holds_the_short_form_and_gives_the_text(store: Store) -> None:
    store.append(statement())
    column = statement_body.c.body
    query = select(cast(column, LargeBinary), column).where(statement_body.c.log_id == store.log.log_id)
    with store.engine.connect() as connection:
        kept, text = connection.execute(query).one()
    assert kept == packed(text)
    assert len(kept) < len(text)


def test_a_published_vocabulary_never_changes() -> None:
    for number, digest in PUBLISHED.items():
        words = files("lrs.store").joinpath(f"vocabulary_{number}.txt").read_bytes()
        assert hashlib.sha256(words).hexdigest() == digest
