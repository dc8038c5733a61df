"""What statements tell is kept with the append, once, and costs nothing where it is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from lrs.store import canonical
from lrs.store.canonical import Memory, definitions, keep, names, news
from lrs.store.engine import immediate
from lrs.store.rows import Prepared, Request
from lrs.store.tables import told as kept
from lrs.xapi.canonical import told
from tests.district import statement
from tests.lrs.store.store import Store, at_once, prepared

ID = "https://tool.example.org/task"


def telling(name: str = "Task", learner: str = "Ann") -> Prepared:
    """Return a statement that defines an activity and names its actor."""
    body = statement()
    body["actor"]["name"] = learner
    body["object"] = {"id": ID, "definition": {"name": {"en": name}}}
    return prepared(body, told=told(body))


def append(store: Store, *statements: Prepared) -> None:
    store.writer().append(store.log.log_id, Request(statements, may_act=False))


def known(store: Store) -> Any:
    with store.engine.connect() as connection:
        return definitions(connection, store.log.log_id, [ID]).get(ID)


def count(store: Store) -> int:
    with store.engine.connect() as connection:
        query = select(func.count()).select_from(kept).where(kept.c.log_id == store.log.log_id)
        return connection.scalar(query) or 0


@contextmanager
def written(engine: Engine) -> Iterator[list[str]]:
    """Collect the statements that go to the table."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, text: str, *_: Any) -> None:
        if "INTO told" in text:
            seen.append(text)

    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


def test_each_text_is_kept_once_where_it_first_stood(store: Store) -> None:
    append(store, telling(), telling(), telling("Aufgabe"))
    append(store, telling(), telling("Aufgabe", "Anna"))
    with store.engine.connect() as connection:
        query = select(kept.c.position, kept.c.text).where(kept.c.log_id == store.log.log_id).order_by(kept.c.text)
        rows: Sequence[Any] = connection.execute(query).all()
    assert [(row.position, row.text) for row in rows] == [
        (1, b'"Ann"'),
        (5, b'"Anna"'),
        (3, b'{"name":{"en":"Aufgabe"}}'),
        (1, b'{"name":{"en":"Task"}}'),
    ]


def test_what_is_known_costs_no_query(store: Store) -> None:
    """The first time it is written, the second time it is seen to be there, from then on it is remembered.

    On PostgreSQL it is written in the append's one step, and remembered at once.
    """
    with written(store.engine) as seen:
        for expected in (0, 0, 0) if store.is_postgresql else (1, 2, 2):
            append(store, telling())
            assert len(seen) == expected
    assert known(store) == {"name": {"en": "Task"}}
    assert not news(store.engine, store.log.log_id, [telling()])
    assert news(store.engine, store.log.log_id, [telling("new")])
    assert news(store.engine, store.log.log_id + 1, [telling()])


def test_what_is_rolled_back_is_not_remembered(store: Store) -> None:
    log_id = store.log.log_id
    for _ in range(3):
        with immediate(store.engine).connect() as connection, connection.begin() as transaction:
            keep(connection, log_id, 1, [telling()])
            transaction.rollback()
    assert news(store.engine, log_id, [telling()])
    append(store, telling())
    assert known(store) == {"name": {"en": "Task"}}


def test_another_process_finds_what_this_one_kept(store: Store) -> None:
    append(store, telling())
    engine = store.another_engine()
    for _ in range(2):
        store.writer(engine).append(store.log.log_id, Request([telling()], may_act=False))
    assert count(store) == 2
    engine.dispose()


def test_many_writers_of_the_same_activity_lose_nothing(store: Store) -> None:
    engine = store.another_engine()
    writers = store.writer(), store.writer(engine)

    def write(number: int) -> None:
        request = Request([telling(f"name {number % 5}"), telling("shared")], may_act=False)
        writers[number % 2].append(store.log.log_id, request)

    assert [done.exception() for done in at_once([lambda n=n: write(n) for n in range(20)])] == [None] * 20  # type: ignore[misc]
    assert count(store) == 7
    engine.dispose()


def test_names_come_in_the_order_in_which_they_were_given(store: Store) -> None:
    append(store, telling(learner="Zoe"), telling(learner="Ann"), telling(learner="Zoe"))
    with store.engine.connect() as connection:
        assert names(connection, store.log.log_id, "account:https://sis.example.org|one") == ["Zoe", "Ann"]


def test_of_endless_definitions_the_latest_count(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "MOST_TEXTS", 2)
    for tag in ("de", "en", "fr"):
        body = statement(object={"id": ID, "definition": {"name": {tag: "x"}}})
        append(store, prepared(body, told=told(body)))
    assert known(store) == {"name": {"en": "x", "fr": "x"}}


def test_a_memory_forgets_what_was_not_used_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "MOST_SEEN", 10)
    memory, used = Memory(), (1, b"used")
    memory.add(used)
    for number in range(100):
        memory.add((1, b"%d" % number))
        assert used in memory
    assert (1, b"0") not in memory
    assert (1, b"99") in memory


def test_many_new_texts_go_in_at_once(store: Store) -> None:
    with written(store.engine) as seen:
        append(store, *[telling(f"name {number}") for number in range(300)])
    assert len(seen) == 1
    assert count(store) == 301
