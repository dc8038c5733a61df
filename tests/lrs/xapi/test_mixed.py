"""Communication 1.5.2 and RFC 2046 section 5.1: a body cut into its parts, however it comes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.errors import BodyTooLarge, CairnError, InvalidRequest
from lrs.xapi.mixed import HEADER_LIMIT_BYTES, OUTSIDE_LIMIT_BYTES, boundary_of, part_head, parts, tail

BODY = b"--b\r\nA: 1\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"


def cut(body: bytes, size: int = 1 << 20, boundary: bytes = b"b") -> list[tuple[dict[str, str], bytes]]:
    """Return the parts of a body that comes in pieces of a size."""
    return [(dict(one.headers), b"".join(one.data)) for one in parts(_in_pieces(body, size), boundary)]


def _in_pieces(body: bytes, size: int) -> Iterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


def test_each_part_has_its_headers_and_its_data() -> None:
    assert cut(BODY) == [({"a": "1"}, b"one"), ({}, b"two")]


@pytest.mark.parametrize("size", range(1, len(BODY) + 1))
def test_where_a_body_is_cut_on_its_way_changes_nothing(size: int) -> None:
    assert cut(BODY, size) == cut(BODY)


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"", b""), (b"\r\n", b"\r\n"), (b"a preamble\r\n", b"\r\nan epilogue"), (b"--bb\r\n", b"  \r\n--b\r\nmore")],
)
def test_what_stands_before_and_behind_is_skipped(before: bytes, after: bytes) -> None:
    assert cut(before + BODY.removesuffix(b"\r\n") + after) == cut(BODY)


def test_too_much_before_and_behind_is_refused() -> None:
    more = b"x" * (OUTSIDE_LIMIT_BYTES + 1)
    for body in (more + b"\r\n" + BODY, BODY + more):
        with pytest.raises(InvalidRequest, match="bytes stand"):
            cut(body)


def test_blanks_may_pad_the_line_of_a_boundary() -> None:
    assert cut(b"--b \t\r\n\r\none\r\n--b-- \t\r\n") == [({}, b"one")]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        b"\r\n\r\n",
        b"\0\xff",
        b"x--b\r\nx",
        b"-b\r\n-b--\r\n",
        b"\r\n--",
        b"\r\n--B\r\n",
        b"\r\n--bb\r\n",
        b"\r\n--b-\r\n",
        b"\r\n--b -\r\n",
        b"\r\n--b\r",
        b"\r\n--b\n",
        b"\n--b\n",
        b"\r\n--b--x",
        b"\r\r\n\r",
    ],
    ids=repr,
)
def test_data_that_only_looks_like_a_boundary_stays_data(data: bytes) -> None:
    body = b"--b\r\n\r\n" + data + b"\r\n--b--\r\n"
    for size in (1, 2, 3, 1000):
        assert cut(body, size) == [({}, data)]


@given(
    st.lists(st.tuples(st.dictionaries(st.sampled_from("xyz"), st.sampled_from(["", "1", "a b"])), st.binary())),
    st.integers(1, 40),
)
def test_whatever_is_written_is_read_again(written: list[tuple[dict[str, str], bytes]], size: int) -> None:
    boundary = "0123456789abcdef"
    body = b"".join(part_head(boundary, headers) + data for headers, data in written) + tail(boundary)
    if written:
        assert cut(body, size, boundary.encode()) == written


@given(st.lists(st.sampled_from([b"--b", b"--", b"\r\n", b"\r", b" ", b"A: 1", b":", b"x"]), max_size=12))
def test_whatever_comes_is_cut_or_refused_alike_in_any_pieces(words: list[bytes]) -> None:
    outcomes = []
    for size in (1, 7, 1000):
        try:
            outcomes.append(str(cut(b"".join(words), size)))
        except CairnError as error:
            outcomes.append(f"{type(error)} {error}")
    assert len(set(outcomes)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"one",
        b"--b",
        b"--b--",
        b"--b\r\n\r\none",
        b"--b\r\n\r\none\r\n--b\r\n",
        b"--b\r\n\r\none--b--",
        b"--b\n\none\n--b--\n",
        BODY[:-4],
    ],
    ids=repr,
)
def test_a_body_without_parts_or_without_its_end_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        cut(body)


def test_a_part_may_end_behind_its_headers() -> None:
    assert cut(b"--b\r\nA: 1\r\n\r\n--b--") == [({"a": "1"}, b"")]
    assert cut(b"--b\r\n\r\n--b--") == [({}, b"")]


@pytest.mark.parametrize("line", [b"A", b" A: 1", b"A : 1", b"A: \x00", b": 1", b"A: 1\r\na: 2", b"\xe9: 1"], ids=repr)
def test_a_header_that_is_none_or_stands_twice_is_refused(line: bytes) -> None:
    with pytest.raises(InvalidRequest):
        cut(b"--b\r\n" + line + b"\r\n\r\none\r\n--b--")


def test_a_folded_header_is_one_line() -> None:
    assert cut(b"--b\r\nA: 1;\r\n\t2\r\n\r\none\r\n--b--") == [({"a": "1; 2"}, b"one")]


def test_headers_without_an_end_are_refused_before_they_fill_the_memory() -> None:
    for line in (b"x" * (HEADER_LIMIT_BYTES + 1), b"A: 1\r\n" * 1_000):
        with pytest.raises(BodyTooLarge):
            cut(b"--b\r\n" + line + b"\r\n\r\none\r\n--b--", 100)


def test_a_reader_may_leave_the_data_of_a_part() -> None:
    assert [dict(one.headers) for one in parts(iter([BODY]), b"b")] == [{"a": "1"}, {}]


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ("multipart/mixed; boundary=b", b"b"),
        ('multipart/mixed;boundary="b"', b"b"),
        ("multipart/mixed; charset=utf-8; BOUNDARY = b ", b"b"),
        ('multipart/mixed; a="; boundary=x"; boundary=b', b"b"),
        ('multipart/mixed; boundary="abcABC0123\'()+_,-./:=?"', b"abcABC0123'()+_,-./:=?"),
        ("multipart/mixed; boundary=abcABC0123'()+_,-./:=?", b"abcABC0123'()+_,-./:=?"),
        ('multipart/mixed; boundary="a b"', b"a b"),
        (r'multipart/mixed; boundary="a\b"', b"ab"),
        ("multipart/mixed; boundary=" + "b" * 70, b"b" * 70),
    ],
)
def test_a_boundary_is_quoted_or_bare(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "parameters",
    [
        *("", ";", "; boundary", "; boundary=", '; boundary=""', '; boundary="a "', "; boundary=" + "b" * 71),
        *("; boundary=é", "; boundary=a@b", "; boundary=a; boundary=b", '; boundary="a'),
    ],
)
def test_what_is_no_boundary_is_refused(parameters: str) -> None:
    with pytest.raises(InvalidRequest, match="boundary"):
        boundary_of(f"multipart/mixed{parameters}")
