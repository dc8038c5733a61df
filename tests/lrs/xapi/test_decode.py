"""Data 2.2: JSON text in, the same text kept; what JSON leaves open is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.errors import InvalidJson
from lrs.xapi.decode import completed, decode, statements_of
from tests.lrs.xapi.examples import full, text

plain_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | plain_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_text, inner, max_size=4),
    max_leaves=20,
)
json_objects = st.dictionaries(plain_text, json_values, max_size=5)


def problems_of(body: bytes) -> list[str]:
    with pytest.raises(InvalidJson) as caught:
        statements_of(body)
    return [str(problem) for problem in caught.value.problems]


def test_an_object_is_one_statement_with_its_exact_text() -> None:
    assert statements_of(b' {"a" : 1.50}\r\n') == [(b'{"a" : 1.50}', {"a": 1.5})]


def test_each_element_of_an_array_is_a_statement_with_its_exact_text() -> None:
    body = b'[ {"a" : 1e2},\t{"b":["\\u00e9"]} , 7 ]'
    assert statements_of(body) == [(b'{"a" : 1e2}', {"a": 100.0}), (b'{"b":["\\u00e9"]}', {"b": ["é"]}), (b"7", 7)]


def test_an_empty_array_holds_no_statement() -> None:
    assert statements_of(b"[]") == []


def test_whole_numbers_keep_their_value_however_large() -> None:
    ((_, value),) = statements_of(b'{"a": %d, "b": -%d}' % (2**70, 2**70))
    assert value == {"a": 2**70, "b": -(2**70)}


@given(json_objects)
def test_whatever_is_strict_json_comes_back_with_its_value(value: dict[str, Any]) -> None:
    for raw in (json.dumps(value).encode(), text(value), json.dumps(value, indent=1).encode()):
        assert statements_of(raw) == [(raw, value)]
        assert statements_of(b"[" + raw + b"," + raw + b"]") == [(raw, value)] * 2
        assert decode(raw) == value


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b" ", "empty"),
        (b"{", "ends too early"),
        (b'{"a":1,}', "trailing comma"),
        (b"{} {}", "trailing characters"),
        (b"{}x", "trailing characters"),
        (b"[] []", "trailing characters"),
        (b'{"a":NaN}', "invalid character"),
        (b'{"a":Infinity}', "invalid character"),
        (b'{"a":-Infinity}', "invalid"),
        (b'{"a":01}', "invalid number"),
        (b'{"a":"\x01"}', "invalid character"),
        (b"{'a':1}", "not JSON"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"a":"\\udc00\\ud800"}', "surrogate"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b'{"a":"\xed\xa0\x80"}', "not UTF-8"),
        (b'{"\xff":1}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "byte order mark"),
        ('{"a":1}'.encode("utf-16"), "not JSON"),
        (b"1", "an object"),
        (b'"text"', "an object"),
        (b"null", "an object"),
        (b'{"a":1e400}', "too large"),
        (b'{"a":-1e400}', "too large"),
        (b'{"a":' + b"9" * 5000 + b"}", "too large"),
        (b'{"a":"x\\u0000"}', "U+0000"),
        (b'{"\\u0000":1}', "U+0000"),
        (b"[" * 100_000, "nested deeper"),
        (b'{"a":' * 50_000, "nested deeper"),
    ],
)
def test_text_that_is_not_strict_json_is_refused_in_words(body: bytes, words: str) -> None:
    assert words in " ".join(problems_of(body))


def test_problems_in_a_batch_name_the_statement() -> None:
    problems = problems_of(b'[{"a":1},{"a":"\xff"},{"a":[1e999]}]')
    assert [problem.split(":")[0] for problem in problems] == ["/1", "/2"]


def test_a_backslash_before_u0000_is_no_nul() -> None:
    assert statements_of(b'{"a":"\\\\u0000"}') == [(b'{"a":"\\\\u0000"}', {"a": "\\u0000"})]


def test_a_hundred_levels_are_kept_and_one_more_is_refused() -> None:
    deepest = b'{"a":' + b"[" * 99 + b"]" * 99 + b"}"
    assert statements_of(deepest)[0][0] == deepest
    assert statements_of(b"[" + deepest + b"]")[0][0] == deepest
    assert problems_of(b'{"a":' + b"[" * 100 + b"]" * 100 + b"}") == ["/: nested deeper than 100 levels: flatten it"]


def test_many_parts_side_by_side_are_not_deep() -> None:
    raw = text({"a": [{} for _ in range(1000)]})
    assert statements_of(raw)[0][0] == raw


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        (b'{"a":1,"a":1}', ["/a"]),
        (b'{"a":1,"\\u0061":2}', ["/a"]),
        (b'{"a":"\\"","a":1}', ["/a"]),
        (b'{"a":{"b":[0,{"c":1,"c":2}]}}', ["/a/b/1/c"]),
        (b'{"a/b":1,"a/b":2,"m~n":3,"m~n":4}', ["/a~1b", "/m~0n"]),
        (b'[{"a":1},{"b":1,"b":2},{"c":{"d":1,"d":1}}]', ["/1/b", "/2/c/d"]),
        (b'{"":1,"":2}', ["/"]),
    ],
)
def test_a_key_that_stands_twice_is_named(body: bytes, pointers: list[str]) -> None:
    problems = problems_of(body)
    assert [problem.split(": ")[0] for problem in problems] == pointers
    assert all("twice" in problem for problem in problems)


@given(json_objects.filter(bool), st.data())
def test_no_repeated_key_is_overlooked(value: dict[str, Any], data: st.DataObject) -> None:
    key = data.draw(st.sampled_from(sorted(value)))
    raw = json.dumps(value, ensure_ascii=data.draw(st.booleans())).encode()
    again = raw[:-1] + b"," + json.dumps(key).encode() + b": null}"
    assert "twice" in problems_of(again)[0]


def test_additions_stand_in_front_of_the_untouched_text() -> None:
    raw = b'{ "actor" : {"name": "Ann"},\n "n":1.0}'
    assert completed(raw, {"id": b'"x"', "version": b'"1.0.3"'}, ()) == b'{"id":"x","version":"1.0.3", ' + raw[2:]


def test_nothing_to_add_or_remove_leaves_the_text() -> None:
    raw = b'{ "a" : 1 }'
    assert completed(raw, {}, ("stored",)) == raw


def test_an_empty_object_takes_additions() -> None:
    assert decode(completed(b"{ }", {"id": b'"x"'}, ())) == {"id": "x"}


def test_members_left_out_or_replaced_are_those_at_the_top_only() -> None:
    raw = b'{"id":"1","object":{"id" : "2","stored":3},"stored":"now"}'
    assert completed(raw, {"id": b'"9"'}, ("stored",)) == b'{"id":"9","object":{"id" : "2","stored":3}}'


@given(json_objects, st.dictionaries(plain_text, json_values, max_size=3), st.sets(plain_text, max_size=3))
def test_completing_changes_members_and_keeps_nested_bytes(
    value: dict[str, Any], additions: dict[str, Any], left_out: set[str]
) -> None:
    pieces = {key: json.dumps(member, indent=2).encode() for key, member in value.items()}
    raw = b"{" + b" , ".join(json.dumps(key).encode() + b" : " + piece for key, piece in pieces.items()) + b"}"
    done = completed(raw, {key: text(member) for key, member in additions.items()}, left_out)
    kept = {key: member for key, member in value.items() if key not in left_out}
    assert decode(done) == {**kept, **additions}
    assert all(pieces[key] in done for key in kept if key not in additions)


def test_a_whole_statement_survives_completion() -> None:
    statement = full()
    done = completed(text(statement), {"authority": b"{}"}, ("stored",))
    assert decode(done) == {key: value for key, value in {**statement, "authority": {}}.items() if key != "stored"}
