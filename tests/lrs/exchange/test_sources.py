"""Statements in a file: arrays, lines, one alone, zipped or not, and where each stood."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.errors import InvalidRequest
from lrs.exchange import sources
from lrs.exchange.sources import Item, items, opened

LIMIT = 1_000_000


def read(data: bytes, limit: int = LIMIT) -> list[Item]:
    """Return the items of some bytes."""
    return list(items(io.BufferedReader(io.BytesIO(data)), limit))


def test_each_line_is_a_statement_and_empty_lines_are_none() -> None:
    assert read(b'{"a":1}\n\n  {"b":2}\r\n{"c":3}') == [
        Item("line 1", b'{"a":1}'), Item("line 3", b'{"b":2}'), Item("line 4", b'{"c":3}')
    ]  # fmt: skip


def test_a_line_that_is_no_json_does_not_hide_the_next() -> None:
    assert [one.text for one in read(b'{"a":\n{"b":2}\n{"c":3}\n')] == [b'{"a":', b'{"b":2}', b'{"c":3}']


def test_one_statement_may_stand_over_several_lines() -> None:
    assert [json.loads(one.text) for one in read(b'{\n "a": 1,\n "b": 2\n}\n')] == [{"a": 1, "b": 2}]


def test_the_elements_of_an_array_keep_their_text_and_their_line() -> None:
    assert read(b'[\n {"a": 1.0},\n\n{"b":"\xc3\xa9"} ]') == [
        Item("line 2", b'{"a": 1.0}'), Item("line 4", '{"b":"é"}'.encode())
    ]  # fmt: skip


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read(b'\xef\xbb\xbf[{"a":1}]') == [Item("line 1", b'{"a":1}')]


@pytest.mark.parametrize("empty", [b"", b" \n ", b"[]", b"[ \n]"])
def test_nothing_has_no_statements(empty: bytes) -> None:
    assert read(empty) == []


@pytest.mark.parametrize("broken", [b'[{"a":1}', b'[{"a":1} {"b":2}]', b'[{"a":1},]', b'[{"a"]', b'[{"a":"\xff"}]'])
def test_an_array_that_cannot_be_read_on_says_in_which_line(broken: bytes) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read(broken)
    assert caught.value.problems[0].pointer == "line 1"


def test_what_is_larger_than_the_server_takes_ends_the_reading() -> None:
    with pytest.raises(InvalidRequest):
        read(b'[{"a":"' + b"x" * 2 * sources.CHUNK, limit=1_000)
    with pytest.raises(InvalidRequest, match="line 2"):
        read(b'{"a":1}\n{"a":"' + b"x" * 2_000, limit=1_000)


@given(st.lists(st.recursive(st.none() | st.integers() | st.text(), st.lists, max_leaves=5)), st.integers(1, 50))
def test_however_the_chunks_fall_the_elements_are_the_same(values: list[Any], chunk: int) -> None:
    found, sources.CHUNK = sources.CHUNK, chunk
    try:
        assert [json.loads(one.text) for one in read(json.dumps(values, ensure_ascii=False).encode())] == values
    finally:
        sources.CHUNK = found


@pytest.mark.parametrize("name", ["s.json", "s.json.gz"])
def test_a_zipped_file_is_known_by_its_content(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b'[{"a":1},{"b":2}]'))
    with opened(str(tmp_path / name)) as source:
        assert [one.text for one in items(source.stream, LIMIT)] == [b'{"a":1}', b'{"b":2}']


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b'{"a":1}\n' * 1000)[:-20])
    for name in ("missing.json", "cut.gz"):
        with pytest.raises(InvalidRequest, match=name), opened(str(tmp_path / name)) as source:
            list(items(source.stream, LIMIT))
