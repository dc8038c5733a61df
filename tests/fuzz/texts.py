"""JSON values and texts: valid statements, mutated at random places, and texts that are not quite JSON."""

from __future__ import annotations

import json
import uuid
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

from lrs.xapi.statement import VOIDED
from tests.lrs.xapi import examples


class Raw(str):
    """A value that stands in the text exactly so."""


class Twice(dict[str, Any]):
    """An object whose first member stands in it twice."""


def text_of(value: Any) -> str:
    """Return JSON text; what is Raw or Twice is no JSON, or not strictly."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        members = [f"{json.dumps(name)}:{text_of(one)}" for name, one in value.items()]
        return "{" + ",".join(members[:1] * isinstance(value, Twice) + members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text_of, value)) + "]"
    return json.dumps(value)


IDS = [str(uuid.UUID(int=number << 64 | 4 << 76 | 1 << 63)) for number in range(1, 40)]
"""Few, so that ids are taken, voided and referred to."""

TIMES = [
    "2026-11-20T09:30:00.250+01:00", "2026-11-20T09:30:00Z", "2026-11-20 09:30:00Z", "2026-11-20T09:30Z", "2026-11-20",
    "9999-12-31T23:59:59.999999999-14:00", "0001-01-01T00:00:00+14:00", "0000-01-01T00:00:00Z", "2026-02-30T00:00:00Z",
    "2026-06-30T23:59:60Z", "2026-01-01T24:00:00Z", "2026-W01-1T00:00:00Z", "2026-01-01T00:00:00-00:00",
    "2026-01-01T00:00:00,5Z", "20260101T000000Z", "2026-01-01T00:00:00", "+12026-01-01T00:00:00Z",
    "-0001-01-01T00:00:00Z",
    "2026-01-01T00:00:00+99:99", "٢٠٢٦-01-01T00:00:00Z", "2026-01-01T00:00:00." + "9" * 400 + "Z", "1e9", "now",
]  # fmt: skip
DURATIONS = ["PT1S", "P4W", "P3Y1M29DT4H35M59.14S", "P", "PT", "P4W1D", "-PT1S", "PT1,5S", "PT" + "9" * 5_000 + "S"]
IRIS = [
    "https://tool.example.org/a", "http://adlnet.gov/expapi/verbs/answered", VOIDED, "urn:x", "a:", ":", "", "no iri",
    "http://exämple.org/ü", "http://[::1", "http://a b", "http://a/%zz", "https://w3id.org/xapi/cairn/verbs/published",
    "javascript:alert(1)", "mailto:a@example.org", "mailto:", "mailto:a@b@c", "x:" + "y" * 3_000, "http://a/\u202e",
]  # fmt: skip
TAGS = [
    "en",
    "en-GB",
    "de-DE-1996",
    "x-klingon",
    "i-klingon",
    "en_US",
    "",
    "zh-cmn-Hans-CN",
    "a" * 9,
    "und",
    "en-a-a-a",
]
WORDS = [
    "", " ", "Agent", "Group", "Activity", "activity", "StatementRef", "SubStatement", "Person", "\x00", "a\x00b",
    "\ud800",
    "\udfff\ud800", "😀", "\u202e", "\ufeff", "\x7f", "a" * 5_000, "choice", "true-false", "1.0.3", "2.0.0", "0.9",
    "null",
    "http://adlnet.gov/expapi/attachments/signature", "application/octet-stream", "text/plain; charset=utf-8", "'\"<>&",
]  # fmt: skip
OTHERS: list[Any] = [
    None, True, False, 0, -1, 1, 1.5, 2**63, 2**64, 2**70, -(2**70), 10**400, 1e308, 5e-324, [], {}, [[]], [None],
    {"": ""},
    {"a": {"b": {"c": []}}}, {"id": "https://tool.example.org/a"}, [{"id": "a:b"}] * 3, {"objectType": "Agent"},
]  # fmt: skip
RAWS = [
    Raw(one)
    for one in (
        "NaN", "Infinity", "-Infinity", "1e400", "-0", "-0.0", "1E5", "01", "1.", ".5", "+1", "'a'", "undefined", "",
        '"\\ud800"', '"\\ud83d\\ude00"', '"\\u0000"', '"\\x41"', '"\n"', "1" * 5_000, "1." + "3" * 5_000,
        "[" * 99 + "]" * 99, "[" * 101 + "]" * 101, "[" * 5_000 + "]" * 5_000, '{"a":' * 150 + "1" + "}" * 150,
        '{"a":1,"a":2}', '{"\\u0061":1,"a":2}', "[1,]", "{,}", "/**/1", "\ufeff1", '"\x7f"', "0e99999999",
    )
]  # fmt: skip
KEYS = [
    "dummy",
    "",
    "id",
    "ID",
    "objectType",
    "definition",
    "name",
    "mbox",
    "extensions",
    "\x00",
    "\ud800",
    "a:b",
    "en",
]

odd = st.one_of(
    st.sampled_from([*OTHERS, *WORDS, *IRIS, *TIMES, *DURATIONS, *TAGS, *IDS[:5], *RAWS]),
    st.text(max_size=8),
    st.integers(),
    st.floats(),
    st.recursive(st.none() | st.booleans() | st.text(max_size=3), lambda one: st.lists(one, max_size=2), max_leaves=4),
)

agents = st.sampled_from(
    [
        examples.ANN, examples.BEN, {"mbox": "mailto:ann@example.org", "name": "Ann"}, {"mbox_sha1sum": "A" * 40},
        {"openid": "https://id.example.org/é"}, {"objectType": "Agent", "mbox": "mailto:😀@example.org"},
        {"account": {"homePage": "https://a.example.org", "name": ""}},
    ]
)  # fmt: skip
groups = st.sampled_from([examples.CLASS, examples.PAIR, {"objectType": "Group", "mbox": "mailto:g@example.org"}])
activities = st.sampled_from([examples.COURSE, examples.QUIZ, {"id": "urn:x"}, {"id": "http://exämple.org/ü"}])
references = st.builds(lambda one: {"objectType": "StatementRef", "id": one}, st.sampled_from(IDS))
typed_agents = agents.map(lambda one: {**one, "objectType": "Agent"})
verbs = st.sampled_from(
    [
        {"id": "http://adlnet.gov/expapi/verbs/answered", "display": {"en": "answered", "de": "antwortete"}},
        {"id": "a:b"},
    ]
)
_full = examples.full()
_extensions = st.dictionaries(
    st.sampled_from(["https://x.example.org/y", "a:b"]),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.text(max_size=4)
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=3),
        max_leaves=6,
    ),
    max_size=2,
)
_contexts = st.fixed_dictionaries(
    {},
    optional={
        "registration": st.sampled_from(IDS),
        "instructor": agents | groups,
        "team": groups,
        "contextActivities": st.dictionaries(
            st.sampled_from(["parent", "grouping", "category", "other"]),
            activities | st.lists(activities, max_size=2),
            max_size=2,
        ),
        "language": st.sampled_from(TAGS[:3]),
        "statement": references,
        "extensions": _extensions,
        "contextAgents": st.just([{"objectType": "contextAgent", "agent": examples.ANN, "relevantTypes": ["a:b"]}]),
        "contextGroups": st.just([{"objectType": "contextGroup", "group": examples.CLASS}]),
    },
)
_shared: dict[str, Any] = {
    "result": st.sampled_from([_full["result"], {"success": True}, {"score": {"raw": 0.1}}, {"duration": "PT0.001S"}]),
    "context": _contexts,
    "timestamp": st.sampled_from(TIMES[:3]),
    "attachments": st.just([examples.ATTACHMENT]),
}
_sub = st.fixed_dictionaries(
    {
        "objectType": st.just("SubStatement"),
        "actor": agents | groups,
        "verb": verbs,
        "object": activities | typed_agents | groups | references,
    },
    optional=_shared,
)
_plain = st.fixed_dictionaries(
    {"actor": agents | groups, "verb": verbs, "object": activities | typed_agents | groups | references | _sub},
    optional={
        **_shared,
        "id": st.sampled_from(IDS) | st.uuids().map(str),
        "version": st.sampled_from(["1.0.0", "1.0", "2.0.0"]),
        "authority": st.just(examples.PAIR),
        "stored": st.sampled_from(TIMES[:2]),
    },
)
_voiding = st.fixed_dictionaries(
    {"actor": agents, "verb": st.just({"id": VOIDED}), "object": references}, optional={"id": st.sampled_from(IDS)}
)
valid = st.one_of(
    _plain, _plain, _plain, _voiding, st.sampled_from([examples.least(), examples.full(), examples.nested()])
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A statement that was valid, changed at some places."""
    whole = deepcopy(draw(valid))
    for _ in range(draw(st.sampled_from([0, 1, 1, 1, 2, 4]))):
        whole = _changed(draw, whole)
    return whole


def _changed(draw: st.DrawFn, whole: Any) -> Any:
    holders = [(None, None), *_holders(whole)]
    holder, key = draw(st.sampled_from(holders))
    if holder is None:
        return _one_odd(draw) if draw(st.integers(0, 20)) == 0 else whole
    how = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add", "wrap", "rename", "twice"]))
    if how == "remove":
        del holder[key]
    elif how == "add" and isinstance(holder, dict):
        holder[draw(st.sampled_from(KEYS))] = _one_odd(draw)
    elif how == "wrap":
        holder[key] = [holder[key]]
    elif how == "rename" and isinstance(key, str):
        holder[draw(st.sampled_from([key.upper(), f"{key} ", *KEYS]))] = holder.pop(key)
    elif how == "twice" and isinstance(holder[key], dict):
        holder[key] = Twice(holder[key])
    else:
        holder[key] = _one_odd(draw)
    return whole


def _one_odd(draw: st.DrawFn) -> Any:
    """Return an odd value that may be changed further: what stands in the lists above must stay as it is."""
    return deepcopy(draw(odd))


def _holders(value: Any) -> list[tuple[Any, Any]]:
    """Return every place in a value as what holds it and its key there."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    found: list[tuple[Any, Any]] = []
    for key, one in pairs:
        found += [(value, key), *_holders(one)]
    return found


@st.composite
def damaged(draw: st.DrawFn, text: str) -> bytes:
    """A text as bytes, as a rule unharmed."""
    data = text.encode("utf-8", "surrogatepass")
    how = draw(st.sampled_from(["", "", "", "", "", "", "", "cut", "byte", "bom", "behind", "space", "utf16", "latin"]))
    place = draw(st.integers(0, max(len(data) - 1, 0))) if how in {"cut", "byte"} else 0
    changes = {
        "cut": data[:place],
        "byte": data[:place] + draw(st.binary(min_size=1, max_size=1)) + data[place + 1 :] if how == "byte" else b"",
        "bom": b"\xef\xbb\xbf" + data,
        "behind": data + draw(st.sampled_from([b"{}", b",", b"\x00", b"]", b"\n\n", b"//"]))
        if how == "behind"
        else b"",
        "space": b" \t\r\n" + data + b" \n",
        "utf16": text.encode("utf-16", "surrogatepass") if how == "utf16" else b"",
        "latin": text.encode("latin-1", "replace"),
    }
    return changes.get(how, data)
