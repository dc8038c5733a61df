"""Communication 2.2 and 3.1, purely: parameters, preconditions, and what a document becomes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lrs.errors import CairnError, DocumentConflict, InvalidRequest, PreconditionFailed
from lrs.xapi.documents import (
    ACTIVITY_PROFILE,
    AGENT_PROFILE,
    STATE,
    Conditions,
    Decision,
    Document,
    Kept,
    Place,
    Resource,
    delete,
    place,
    post,
    put,
    tags,
)
from tests.lrs.xapi.examples import ANN, PAIR

ACTIVITY = "https://learn.example.org/courses/fractions"
REGISTRATION = "F3A0C2D4-5B6E-4789-8A1B-2C3D4E5F6071"
FULL: dict[Resource, dict[str, str]] = {
    STATE: {"activityId": ACTIVITY, "agent": json.dumps(ANN), "registration": REGISTRATION, "stateId": "s"},
    ACTIVITY_PROFILE: {"activityId": ACTIVITY, "profileId": "p"},
    AGENT_PROFILE: {"agent": json.dumps(ANN), "profileId": "p"},
}
ALL = pytest.mark.parametrize("resource", FULL, ids=["state", "activity profile", "agent profile"])
OLD, NEW = Document(b'{"a":1}', "application/json"), Document(b'{"b":2}', "application/json")
OTHER = "0" * 40
NONE, ANY = Conditions(), Conditions(none_match=frozenset("*"))


def args(texts: dict[str, str]) -> dict[str, list[str]]:
    return {name: [text] for name, text in texts.items()}


def problems(resource: Resource, method: str, texts: dict[str, str]) -> list[str]:
    with pytest.raises(InvalidRequest) as caught:
        place(resource, method, args(texts))
    return [one.pointer for one in caught.value.problems]


def kept(document: Document) -> Kept:
    return Kept(document.sha1, 1, document.content_type, document.content)


def outcome(decide: Decision, stored: Document | None) -> Any:
    """Return what a decision ends in: a document's content, None for nothing, or the class of the refusal."""
    try:
        wanted = decide(kept(stored) if stored else None)
    except CairnError as error:
        return type(error)
    return wanted and wanted.content


@ALL
@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "DELETE"])
def test_a_document_is_named_by_all_its_parameters(resource: Resource, method: str) -> None:
    found = place(resource, method, args(FULL[resource]))
    assert found.document_id == FULL[resource][resource.id_name]
    if "agent" in resource.owner:
        assert found.agent == "account:https://sis.example.org|s-1042"
    if "activityId" in resource.owner:
        assert found.activity == ACTIVITY
    if resource is STATE:
        assert found.registration == REGISTRATION.lower()


@ALL
@pytest.mark.parametrize("method", ["PUT", "POST", "GET", "DELETE"])
def test_whom_a_document_belongs_to_must_always_be_named(resource: Resource, method: str) -> None:
    """XAPI-00207 to 00215, 00261 to 00264, 00294 to 00306."""
    for name in resource.owner:
        rest = {key: text for key, text in FULL[resource].items() if key != name}
        assert problems(resource, method, rest) == [f"?{name}"]


@ALL
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_what_is_written_must_be_named_by_its_id(resource: Resource, method: str) -> None:
    """XAPI-00206, 00211, 00265 to 00267; State alone may be cleared without an id (XAPI-00194)."""
    rest = {key: text for key, text in FULL[resource].items() if key != resource.id_name}
    if method == "DELETE" and resource is STATE:
        assert place(resource, method, args(rest)).document_id is None
    else:
        assert problems(resource, method, rest) == [f"?{resource.id_name}"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        *[("activityId", text) for text in ("", "course", "true")],
        *[("agent", text) for text in ("", "true", "not JSON", "{", json.dumps({"name": "Ann"}), json.dumps(PAIR))],
        *[("registration", text) for text in ("", "true", REGISTRATION + "0")],
        *[("stateId", text) for text in ("", "a\0b")],
    ],
)
def test_a_malformed_parameter_is_told_by_its_name(name: str, text: str) -> None:
    """XAPI-00196 to 00203, 00255 to 00258."""
    for method in ("PUT", "POST", "GET", "DELETE"):
        assert set(problems(STATE, method, {**FULL[STATE], name: text})) == {f"?{name}"}


@pytest.mark.parametrize("name", ["ActivityId", "activityid", "Agent", "stateID", "Registration", "profileId", "foo"])
def test_an_unknown_or_miscased_parameter_is_refused(name: str) -> None:
    """XAPI-00324, 00325."""
    assert problems(STATE, "GET", {**FULL[STATE], name: "x"}) == [f"?{name}"]


def test_a_near_miss_is_told_what_was_meant() -> None:
    with pytest.raises(InvalidRequest) as caught:
        place(STATE, "GET", args({**FULL[STATE], "stateid": "x"}))
    assert '"stateId"' in caught.value.problems[0].message


def test_a_parameter_twice_is_refused() -> None:
    with pytest.raises(InvalidRequest) as caught:
        place(STATE, "GET", {**args(FULL[STATE]), "stateId": ["a", "b"]})
    assert caught.value.problems[0].pointer == "?stateId"


@ALL
def test_since_goes_with_a_list_of_ids_alone(resource: Resource) -> None:
    many = {key: text for key, text in FULL[resource].items() if key != resource.id_name}
    since = {"since": "2026-11-21T08:00:00Z"}
    assert place(resource, "GET", args(many | since)).since_us == 1_795_248_000_000_000
    assert problems(resource, "GET", FULL[resource] | since) == ["?since"]
    for method in ("PUT", "POST", "DELETE"):
        assert problems(resource, method, FULL[resource] | since) == ["?since"]


@pytest.mark.parametrize("text", ["", "true", "not a timestamp", "2026-11-21"])
def test_since_must_be_a_timestamp(text: str) -> None:
    """XAPI-00204, 00260, 00301."""
    assert problems(AGENT_PROFILE, "GET", {"agent": json.dumps(ANN), "since": text}) == ["?since"]


def test_places_that_differ_in_one_name_have_other_keys() -> None:
    one = Place(STATE, ACTIVITY, "mbox:a", "", "s")
    others = [
        Place(ACTIVITY_PROFILE, ACTIVITY, "mbox:a", "", "s"),
        Place(STATE, ACTIVITY + "x", "mbox:a", "", "s"),
        Place(STATE, ACTIVITY, "mbox:b", "", "s"),
        Place(STATE, ACTIVITY, "mbox:a", REGISTRATION.lower(), "s"),
        Place(STATE, ACTIVITY, "mbox:a", "", "t"),
    ]
    assert len({each.key for each in (one, *others)}) == 6
    assert [each.owner == one.owner for each in others] == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("", set()),
        ("*", {"*"}),
        ('"abc"', {"abc"}),
        ("1234", {"1234"}),
        ('W/"abc"', {"abc"}),
        ('"a", "b",W/"c" , d', {"a", "b", "c", "d"}),
        ('"A, B"', {"a, b"}),
        ('"open', {"open"}),
    ],
)
def test_etags_are_read_with_and_without_quotes(header: str | None, wanted: set[str] | None) -> None:
    assert tags(header) == (None if wanted is None else frozenset(wanted))


def test_an_etag_is_the_sha1_of_the_content_in_40_hex_digits() -> None:
    """XAPI-00322."""
    assert kept(Document(b"abc", "text/plain")).tag == "a9993e364706816aba3e25717850c26c9cd0d89d"


@pytest.mark.parametrize(
    ("version", "resource", "when_missing", "when_there"),
    [
        ("1.0.3", STATE, NEW.content, NEW.content),
        ("1.0.3", ACTIVITY_PROFILE, InvalidRequest, DocumentConflict),
        ("1.0.3", AGENT_PROFILE, InvalidRequest, DocumentConflict),
        ("2.0.0", STATE, NEW.content, DocumentConflict),
        ("2.0.0", ACTIVITY_PROFILE, NEW.content, DocumentConflict),
        ("2.0.0", AGENT_PROFILE, NEW.content, DocumentConflict),
    ],
)
def test_a_put_without_precondition_is_answered_by_version(
    version: Any, resource: Resource, when_missing: Any, when_there: Any
) -> None:
    """XAPI-00273, 00287, 00322; 2.0 4.1.4."""
    assert outcome(put(version, resource, NONE, NEW), None) == when_missing
    assert outcome(put(version, resource, NONE, NEW), OLD) == when_there


TAG = kept(OLD).tag
CONDITIONS: list[tuple[Conditions, bool, bool]] = [
    (Conditions(match=frozenset([TAG])), False, True),
    (Conditions(match=frozenset([OTHER, TAG])), False, True),
    (Conditions(match=frozenset([OTHER])), False, False),
    (Conditions(match=frozenset("*")), False, True),
    (Conditions(match=frozenset()), False, False),
    (Conditions(none_match=frozenset("*")), True, False),
    (Conditions(none_match=frozenset([TAG])), True, False),
    (Conditions(none_match=frozenset([OTHER])), True, True),
    (Conditions(match=frozenset([TAG]), none_match=frozenset([OTHER])), False, True),
    (Conditions(match=frozenset([TAG]), none_match=frozenset("*")), False, False),
]


@ALL
@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
@pytest.mark.parametrize(("conditions", "when_missing", "when_there"), CONDITIONS)
def test_preconditions_hold_or_nothing_changes(
    resource: Resource, version: Any, conditions: Conditions, when_missing: bool, when_there: bool
) -> None:
    """XAPI-00322; 2.0 4.1.4: on PUT, POST and DELETE alike."""
    refused = PreconditionFailed
    for decide, made, changed in (
        (put(version, resource, conditions, NEW), NEW.content, NEW.content),
        (post(conditions, NEW), NEW.content, b'{"a":1,"b":2}'),
        (delete(conditions), None, None),
    ):
        assert outcome(decide, None) == (made if when_missing else refused)
        assert outcome(decide, OLD) == (changed if when_there else refused)


def test_a_refusal_says_what_to_do() -> None:
    for decide, stored in (
        (put("2.0.0", STATE, NONE, NEW), OLD),
        (put("2.0.0", STATE, Conditions(match=frozenset([OTHER])), NEW), OLD),
        (put("2.0.0", STATE, Conditions(none_match=frozenset("*")), NEW), OLD),
    ):
        with pytest.raises((DocumentConflict, PreconditionFailed), match=f'If-Match: "{TAG}"'):
            decide(kept(stored))
    with pytest.raises(PreconditionFailed, match=r"If-None-Match: \*"):
        put("2.0.0", STATE, Conditions(match=frozenset([OTHER])), NEW)(None)


@pytest.mark.parametrize(
    ("stored", "sent", "wanted"),
    [
        (b'{"car":"MKX"}', b'{"car":"MKZ"}', b'{"car":"MKZ"}'),
        (b'{"a":{"x":1},"b":2}', b'{"a":{"y":3}}', b'{"a":{"y":3},"b":2}'),
        (b'{ "a" : 1.10 }', b'{"b":1180591620717411303424}', b'{"a":1.10,"b":1180591620717411303424}'),
        (b"{}", b"{}", b"{}"),
        (b'{"a":1}', b'{"a":null}', b'{"a":null}'),
    ],
)
def test_a_merge_goes_one_level_deep_and_keeps_each_value_as_it_was_written(
    stored: bytes, sent: bytes, wanted: bytes
) -> None:
    """XAPI-00183, 00184, 00234, 00279, 00307."""
    json_type = "application/json; charset=utf-8"
    assert outcome(post(NONE, Document(sent, json_type)), Document(stored, "Application/JSON")) == wanted


@pytest.mark.parametrize(
    ("stored", "sent"),
    [
        (OLD, Document(b'{"b":2}', "application/octet-stream")),
        (Document(b'{"a":1}', "text/plain"), NEW),
        (Document(b"abc", "text/plain"), Document(b"abc", "text/plain")),
        (Document(b"[1]", "application/json"), NEW),
        (Document(b"{", "application/json"), NEW),
        (OLD, Document(b"[1]", "application/json")),
        (OLD, Document(b'"text"', "application/json")),
    ],
)
def test_only_two_json_objects_are_merged(stored: Document, sent: Document) -> None:
    """XAPI-00229, 00232, 00278, 00281, 00308."""
    assert outcome(post(NONE, sent), stored) is InvalidRequest


@pytest.mark.parametrize(
    "content", [b"{", b'{"a":1}{', b"", b"{'a':1}", b'{"a":NaN}', b'{"a":1,"a":2}', b'{"a":"\xff"}']
)
def test_posted_json_must_be_well_formed_even_where_nothing_is_stored(content: bytes) -> None:
    """XAPI-00235, 00284, 00314."""
    with pytest.raises(InvalidRequest):
        post(NONE, Document(content, "application/json"))


@pytest.mark.parametrize("sent", [Document(b"abc", "text/plain"), Document(b"[1]", "application/json")])
def test_a_post_to_an_empty_place_stores_anything_as_a_put_does(sent: Document) -> None:
    """XAPI-00233, 00280, 00313."""
    assert outcome(post(NONE, sent), None) == sent.content
