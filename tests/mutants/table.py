"""Every mutant by its name, under the part of the suite that should catch it and is therefore asked first."""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote

from tests.mutants import lasting
from tests.mutants.breaking import (
    Json,
    always,
    answers,
    anything,
    asks,
    dropping,
    each_sent,
    headed,
    ignoring,
    lists,
    of_documents,
    of_state,
    of_statements,
    one_language,
    pages,
    parameter,
    part_header,
    parts,
    saying,
    sending,
    shift,
    statements,
    status,
    to_milliseconds,
    values,
    walked,
    without_header,
    without_request_header,
)
from tests.mutants.proxy import Answer, Forward, Mutation, Request

VERSION: Final = "X-Experience-API-Version"
THROUGH: Final = "X-Experience-API-Consistent-Through"
SIGNATURE: Final = b"http://adlnet.gov/expapi/attachments/signature"
ANYBODY: Final = {"objectType": "Agent", "account": {"homePage": "https://example.org", "name": "anybody"}}
_numbers = itertools.count()


def _of_refusals(change: Mutation) -> Mutation:
    """Return a mutation that is made of refusals only."""

    def broken(request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        return change(request, lambda _: answer) if answer.status >= 400 else answer

    return broken


def _without_empty(name: str, value: Any) -> Any:
    if name != "extensions" or not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if one not in ("", {}, [])}


def _without_nulls(name: str, value: Any) -> Any:
    if name != "extensions" or not isinstance(value, dict):
        return value
    return {key: one for key, one in value.items() if one is not None}


def _text(change: Callable[[str], str]) -> Mutation:
    return values(lambda name, value: change(value) if isinstance(value, str) and name != "id" else value)


def _number(change: Callable[[Any], Any], kind: type) -> Mutation:
    return values(lambda name, value: change(value) if type(value) is kind else value)


def _more(change: Callable[[str], str]) -> Mutation:
    return pages(lambda request, page: {**page, "more": change(page["more"])} if page.get("more") else page)


def _without(text: str, name: str) -> str:
    path, _, query = text.partition("?")
    return f"{path}?{'&'.join(one for one in query.split('&') if not one.startswith(f'{name}='))}"


def _is_reference(one: Json) -> bool:
    return bool(one["object"].get("objectType") == "StatementRef")


def _lone(one: Json) -> None:
    kinds = one.get("context", {}).get("contextActivities", {})
    for kind, value in kinds.items():
        kinds[kind] = value[0] if len(value) == 1 else value


def _known_only(request: Request) -> Request:
    known = {name: value for name, value in request.query.items() if name not in {"foo", "Verb", "AgentId"}}
    return request.asking(known) if known != request.query else request


def _named_agents_are_others(request: Request) -> Request:
    query = request.query
    agent = json.loads(query["agent"]) if query.get("agent", "").startswith("{") else {}
    if "name" not in agent or "activityId" not in query:
        return request
    return request.asking({**query, "activityId": f"{query['activityId']}?{quote(agent['name'])}"})


def _posted_ids(change: Callable[[list[str]], list[str]]) -> Mutation:
    def changed(request: Request, answer: Answer) -> Answer:
        if request.method != "POST" or answer.status != 200 or request.query:
            return answer
        return answer.saying(change(answer.value()))

    return answers(changed)


def _of_list(change: Callable[[list[Any]], list[Any]]) -> Callable[[Any], Any]:
    return lambda value: change(value) if isinstance(value, list) else value


def _older_under_2(request: Request) -> Request:
    is_alternate = "method" in request.query and (request.header(VERSION) or "").startswith("2.")
    return request.with_header(VERSION, "1.0.3") if is_alternate else request


def _any_version(request: Request) -> Request:
    given = request.header(VERSION)
    is_known = given is None or given.startswith(("1.0", "2.0"))
    return request if is_known else request.with_header(VERSION, "1.0.3")


def _as_if_older(request: Request, forward: Forward) -> Answer:
    """Answer statements under 2.0 as 1.0.3 has them."""
    if not (of_statements(request) and request.is_read and request.header(VERSION) == "2.0.0"):
        return forward(request)
    return forward(request.with_header(VERSION, "1.0.3")).with_header(VERSION, "2.0.0")


def _deduplicated(batch: list[Json]) -> list[Json]:
    return list({one.get("id", str(number)): one for number, one in enumerate(batch)}.values())


def _named_by_its_request(request: Request) -> Request:
    value = request.value()
    if request.method != "PUT" or not isinstance(value, dict) or "statementId" not in request.query:
        return request
    return replace(request, body=json.dumps({**value, "id": request.query["statementId"]}).encode())


def _none_for_0(request: Request, page: Json) -> Json:
    return {"statements": [], "more": ""} if request.query.get("limit") == "0" else page


def _next_without_first(request: Request, page: Json) -> Json:
    return {**page, "statements": page["statements"][1:]} if "more" in request.query else page


def _full_without_last(request: Request, page: Json) -> Json:
    return {**page, "statements": page["statements"][:-1]} if page.get("more") else page


def _no_third(request: Request, page: Json) -> Json:
    return {**page, "more": ""} if "more" in request.query else page


def _asking_for(*names: str) -> Callable[[Request], bool]:
    return lambda request: not request.query.keys().isdisjoint(names)


def _rewritten(request: Request, answer: Answer) -> Answer:
    """Write the JSON of a document anew."""
    return answer.saying(answer.value()) if request.is_read and answer.status == 200 and answer.is_json else answer


def _cut(request: Request, answer: Answer) -> Answer:
    return replace(answer, body=answer.body[:100_000])


def _flipped(data: bytes) -> bytes:
    head, end, body = data.partition(b"\r\n\r\n")
    return head + end + bytes([body[0] ^ 1]) + body[1:] if body.strip() else data


def _clipped(one: Json) -> None:
    score = one.get("result", {}).get("score", {})
    if isinstance(score.get("scaled"), float):
        score["scaled"] = min(1.0, score["scaled"])


TABLE: Final[Mapping[str, Mapping[str, Mutation]]] = {
    "http": {
        "no Consistent-Through": without_header(THROUGH),
        "no Consistent-Through on refusals": _of_refusals(without_header(THROUGH)),
        "Consistent-Through an hour ahead": headed(THROUGH, lambda text: shift(text, hours=1)),
        "Consistent-Through a day behind": headed(THROUGH, lambda text: shift(text, days=-1)),
        "no version on answers": without_header(VERSION),
        "no version on refusals": _of_refusals(without_header(VERSION)),
        "the same version on all answers": headed(VERSION, lambda text: "1.0.3"),
        "the version of a request is told back": answers(
            lambda request, answer: answer.with_header(VERSION, request.header(VERSION) or "1.0.3"), anything
        ),
        "a version on every other answer": headed(VERSION, lambda text: text if next(_numbers) % 2 else None),
        "requests without version are taken": asks(
            lambda request: request if request.header(VERSION) else request.with_header(VERSION, "1.0.3"), anything
        ),
        "requests of any version are taken": asks(_any_version, anything),
        "no Last-Modified": without_header("Last-Modified"),
        "Last-Modified of the moment": headed(
            "Last-Modified", lambda text: "Mon, 01 Jan 2035 00:00:00 GMT", of_statements
        ),
        "401 is 403": status(401, 403),
        "403 is 401": status(403, 401),
        "403 is 404": status(403, 404),
        "no WWW-Authenticate": without_header("WWW-Authenticate"),
        "strangers are let in": lasting.Trusting(401),
        "writers may do everything": lasting.Trusting(403),
        "500 for HEAD": answers(lambda request, answer: replace(answer, status=500), lambda one: one.method == "HEAD"),
        "HEAD without the headers of GET": answers(
            lambda request, answer: answer.with_header("Last-Modified", None).with_header("ETag", None),
            lambda one: one.method == "HEAD",
        ),
        "HEAD without Consistent-Through": without_header(THROUGH, lambda one: one.method == "HEAD"),
        "everybody's pages are let in": answers(
            lambda request, answer: answer.with_header("Access-Control-Allow-Origin", "*"), anything
        ),
        "gzip is said and not done": answers(
            lambda request, answer: answer.with_header("Content-Encoding", "gzip") if answer.body else answer,
            lambda one: one.is_read and one.header("Accept-Encoding") == "gzip",
        ),
        "gzip for who did not ask": asks(lambda request: request.with_header("Accept-Encoding", "gzip"), anything),
        "gzip is not unpacked": without_request_header("Content-Encoding"),
        "cut bodies are taken for whole": asks(lambda request: replace(request, missing=0), anything),
        "any Content-Type is JSON": asks(
            lambda request: (
                request.with_header("Content-Type", "application/json")
                if request.method in {"POST", "PUT"} and request.body[:1] in b"[{"
                else request
            )
        ),
    },
    "storing": {
        "200 for 204": status(204, 200, body=b"{}"),
        "201 for a POST": answers(
            lambda request, answer: replace(answer, status=201) if answer.status == 200 else answer,
            lambda one: of_statements(one) and one.method == "POST",
        ),
        "unsound statements are taken": status(
            400, 200, lambda one: of_statements(one) and one.method == "POST", b'["x"]'
        ),
        "unsound statements are taken by PUT": status(
            400, 204, lambda one: of_statements(one) and one.method == "PUT", b""
        ),
        "unknown properties are left out": each_sent(lambda one: (one.pop("dummy", None), one.pop("Result", None))),
        "nulls are left out": sending(
            lambda value: walked(
                value,
                lambda name, one: (
                    {key: part for key, part in one.items() if part is not None}
                    if isinstance(one, dict) and name in {"definition", ""}
                    else one
                ),
            )
        ),
        "scores are cut down to 1": each_sent(_clipped),
        "an id of a batch is not answered": _posted_ids(lambda ids: ids[:-1] if len(ids) > 1 else ids),
        "the ids of a batch in another order": _posted_ids(lambda ids: ids[::-1]),
        "the last statement of a batch is lost": sending(_of_list(lambda batch: batch[:-1] or batch)),
        "a batch is stored in another order": sending(_of_list(lambda batch: batch[::-1])),
        "the good ones of a bad batch are stored": lasting.one_by_one,
        "an id twice in a batch is taken": sending(_of_list(_deduplicated)),
        "PUT takes a statement of another id": asks(_named_by_its_request),
        "a conflict is passed over by POST": status(409, 200, lambda one: one.method == "POST", b"[]"),
        "a conflict is passed over by PUT": status(
            409, 204, lambda one: of_statements(one) and one.method == "PUT", b""
        ),
        "a conflict for what was stored as it is": answers(
            lambda request, answer: (
                replace(answer, status=409)
                if b'"display": {"fr"' in request.body and answer.status in {200, 204}
                else answer
            ),
        ),
        "ids in capitals": statements(lambda one: one | {"id": one["id"].upper()}),
        "stored without fraction": statements(lambda one: one | {"stored": one["stored"][:19] + "Z"}),
        "timestamp without fraction": statements(lambda one: one | {"timestamp": one["timestamp"][:19] + "Z"}),
        "stored is the timestamp": statements(lambda one: one | {"stored": one["timestamp"]}),
        "another authority": statements(lambda one: one | {"authority": ANYBODY}),
        "no authority": dropping("authority"),
        "every version is 1.0.0": statements(lambda one: one | {"version": "1.0.0"}),
        "no version": dropping("version"),
    },
    "round_trip": {
        "extensions without nulls": values(_without_nulls),
        "extensions without empty values": values(_without_empty),
        "numbers to six digits": _number(lambda value: float(f"{value:.6g}"), float),
        "numbers in single precision": _number(lambda value: float(f"{value:.9g}"), float),
        "whole numbers as doubles": _number(lambda value: int(float(value)), int),
        "numbers as text": _number(str, float),
        "UTF-8 encoded twice": _text(lambda text: text.encode().decode("latin-1")),
        "characters beyond the first plane as marks": _text(
            lambda text: "".join(one if ord(one) < 0x10000 else "\ufffd" for one in text)
        ),
        "text in another normal form": _text(lambda text: unicodedata.normalize("NFC", text)),
        "text without control characters": _text(lambda text: "".join(one for one in text if one >= " ")),
        "long text is cut": _text(lambda text: text[:65_535]),
        "one language of a map": values(one_language),
        "a timestamp an hour later": statements(lambda one: one | {"timestamp": shift(one["timestamp"], hours=1)}),
        "a timestamp without its zone": statements(lambda one: one | {"timestamp": one["timestamp"][:23] + "Z"}),
        "times under 2.0 as they were sent": _as_if_older,
        "a lone context activity stands alone": statements(_lone),
        "durations are rounded": values(
            lambda name, value: value.replace(".14S", "S") if name == "duration" else value
        ),
        "no contextAgents": dropping("context", "contextAgents"),
        "no contextGroups of SubStatements": dropping("object", "context", "contextGroups"),
        "no name of an actor": dropping("actor", "name"),
        "no members of an identified group": dropping("context", "team", "member"),
        "no display of the verb": dropping("verb", "display"),
        "no moreInfo": dropping("object", "definition", "moreInfo"),
        "no choices": dropping("object", "definition", "choices"),
        "no least score": dropping("result", "score", "min"),
        "no response": dropping("result", "response"),
        "no language": dropping("context", "language"),
        "no StatementRef in the context": dropping("context", "statement"),
        "no grouping": dropping("context", "contextActivities", "grouping"),
        "no context of SubStatements": dropping("object", "context"),
        "no description of attachments": dropping("attachments", "description"),
        "no fileUrl": dropping("attachments", "fileUrl"),
    },
    "filters": {
        **{f"{name} is ignored": ignoring(name) for name in ("agent", "verb", "activity", "registration")},
        "related_agents is ignored": ignoring("related_agents"),
        "related_activities is ignored": ignoring("related_activities"),
        "related_agents always": always("related_agents", "true"),
        "related_activities always": always("related_activities", "true"),
        "a registration in capitals is another": parameter(
            "registration", lambda text: str(uuid.uuid4()) if text != text.lower() else text
        ),
        "verbs in any case": parameter("verb", lambda text: text.replace("PASSED", "passed")),
        "agents by their name too": parameter(
            "agent", lambda text: text.replace("/", "//") if "Another name" in text else text
        ),
        "unknown parameters are ignored": asks(_known_only, anything),
        "members of groups are not found": lists(
            lambda found: [one for one in found if "member" not in one["actor"]], _asking_for("agent")
        ),
        "agents as objects are not found": lists(
            lambda found: [one for one in found if one["object"].get("objectType") != "Agent"],
            _asking_for("agent"),
        ),
        "SubStatements are not looked into": lists(
            lambda found: [one for one in found if one["object"].get("objectType") != "SubStatement"],
            _asking_for("related_agents", "related_activities"),
        ),
        "instructors are not found": lists(
            lambda found: [one for one in found if "instructor" not in one.get("context", {})],
            _asking_for("related_agents"),
        ),
        "teams are not found": lists(
            lambda found: [one for one in found if "team" not in one.get("context", {})],
            _asking_for("related_agents"),
        ),
        "contextAgents are not found": lists(
            lambda found: [one for one in found if "contextAgents" not in one.get("context", {})],
            _asking_for("related_agents"),
        ),
        "contextGroups are not found": lists(
            lambda found: [one for one in found if "contextGroups" not in one.get("context", {})],
            _asking_for("related_agents"),
        ),
        "other context activities are not found": lists(
            lambda found: [one for one in found if "other" not in one.get("context", {}).get("contextActivities", {})],
            _asking_for("related_activities"),
        ),
        "an empty list is 404": answers(
            lambda request, answer: replace(answer, status=404) if b'"statements":[]' in answer.body else answer
        ),
    },
    "references": {
        "references are not followed": lists(
            lambda found: [one for one in found if not _is_reference(one)],
            _asking_for("agent", "activity", "registration"),
        ),
        "references are not followed by verb": lists(
            lambda found: [one for one in found if not _is_reference(one)],
            lambda one: one.query.keys() == {"verb"} and "passed" in one.query["verb"],
        ),
        "voiding statements are not shown": lists(
            lambda found: [one for one in found if one["verb"]["id"] != lasting.VOIDED]
        ),
        "voided statements are shown in lists": lasting.showing_voided,
        "voided statements are found by statementId": lasting.by_other_id("statementId", "voidedStatementId"),
        "any statement is found by voidedStatementId": lasting.by_other_id("voidedStatementId", "statementId"),
        "voidedStatementId is not found": status(200, 404, _asking_for("voidedStatementId")),
    },
    "paging": {
        "since is ignored": ignoring("since"),
        "until is ignored": ignoring("until"),
        "limit is ignored": ignoring("limit"),
        "ascending is ignored": ignoring("ascending"),
        "ascending always": always("ascending", "true"),
        "since is inclusive": parameter("since", lambda text: shift(text, microseconds=-1)),
        "until is exclusive": parameter("until", lambda text: shift(text, microseconds=-1)),
        "since in milliseconds": parameter("since", to_milliseconds),
        "until in milliseconds": parameter("until", to_milliseconds),
        "the zone of since is ignored": parameter("since", lambda text: re.sub(r"[+-]\d\d:\d\d$", "Z", text)),
        "one more than the limit": parameter("limit", lambda text: str(int(text) + 1) if text != "0" else text),
        "one less than the limit": parameter("limit", lambda text: str(max(int(text) - 1, 1)) if text != "0" else text),
        "nothing for a limit of 0": pages(_none_for_0),
        "a statement of a page is lost": lists(lambda found: found[:1] + found[2:]),
        "the last statement of a full page is lost": pages(_full_without_last),
        "the first statement of the next page is lost": pages(_next_without_first),
        "a page begins with the end of the one before": lasting.Repeating(),
        "pages by offset": lasting.ByOffset(),
        "two neighbours change places": lists(lambda found: found[1:2] + found[:1] + found[2:]),
        "no more": _more(lambda more: ""),
        "no third page": pages(_no_third),
        "more forgets the limit": _more(lambda more: _without(more, "limit")),
        "more forgets the filter": _more(lambda more: _without(more, "verb")),
        "more forgets the order": _more(lambda more: _without(more, "ascending")),
        "more forgets since": _more(lambda more: _without(more, "since")),
        "more forgets until": _more(lambda more: _without(more, "until")),
        "more is good once": lasting.Once(),
        "Consistent-Through of a moment later": headed(THROUGH, lambda text: shift(text, milliseconds=100)),
    },
    "formats": {
        "format is ignored": ignoring("format"),
        "canonical is exact": parameter("format", lambda text: text.replace("canonical", "exact")),
        "ids is exact": parameter("format", lambda text: text.replace("ids", "exact")),
        "canonical always": always("format", "canonical"),
        "ids only": always("format", "ids"),
        "Accept-Language is ignored": without_request_header("Accept-Language"),
        "the first language is taken for the most wanted": asks(
            lambda request: request.with_header(
                "Accept-Language", (request.header("Accept-Language") or "").partition(",")[0].partition(";")[0] or None
            )
        ),
        "canonical without SubStatements": statements(
            lambda one: (
                one["object"]["verb"].update(display={"de": "Farbe", "en-US": "Color"})
                if one["object"].get("objectType") == "SubStatement"
                else None
            )
        ),
        "more forgets the format": _more(lambda more: _without(more, "format")),
    },
    "attachments": {
        "attachments is ignored": ignoring("attachments"),
        "attachments always": always("attachments", "true"),
        "a part is lost": parts(lambda found: found[:-1]),
        "a part comes twice": parts(lambda found: [*found, *found[-1:]]),
        "parts of another type": part_header(b"Content-Type", lambda line: b"Content-Type: text/plain\r\n"),
        "parts without hash": part_header(b"X-Experience-API-Hash", lambda line: b""),
        "parts without transfer encoding": part_header(b"Content-Transfer-Encoding", lambda line: b""),
        "a bit of the data is another": parts(lambda found: [_flipped(one) for one in found]),
        "data with other line ends": parts(
            lambda found: [
                head + end + data[:-2].replace(b"\r\n", b"\n") + data[-2:]
                for head, end, data in (one.partition(b"\r\n\r\n") for one in found)
            ]
        ),
        "parts that do not fit are taken": status(
            400, 200, lambda one: (one.header("Content-Type") or "").startswith("multipart/mixed"), b"[]"
        ),
        "large data is cut": parts(lambda found: [one[:1_000_000].removesuffix(b"\r\n") + b"\r\n" for one in found]),
    },
    "signed": {
        "signatures are not looked at": asks(
            lambda request: replace(request, body=request.body.replace(SIGNATURE, b"https://example.org/other"))
        ),
        "no signature is taken": status(200, 400, lambda one: one.method == "POST" and SIGNATURE in one.body),
        "certificates are not looked at": lasting.without_certificates,
    },
    "documents": {
        "the registration of State is ignored": asks(
            lambda request: request.asking({k: v for k, v in request.query.items() if k != "registration"}), of_state
        ),
        "since of documents is ignored": ignoring("since", of_documents),
        "documents are merged deeply": lasting.merging_deeply,
        "a POST replaces": lasting.replacing,
        "JSON is written anew": answers(_rewritten, of_documents),
        "large documents are cut": answers(_cut, of_documents),
        "types without parameters": headed("Content-Type", lambda text: text.partition(";")[0], of_documents),
        "one type for all documents": headed("Content-Type", lambda text: "application/octet-stream", of_documents),
        "DELETE deletes nothing": lasting.without_doing("DELETE"),
        "DELETE without an id ignores the registration": asks(
            lambda request: (
                request.asking({k: v for k, v in request.query.items() if k != "registration"})
                if request.method == "DELETE" and "stateId" not in request.query
                else request
            ),
            of_state,
        ),
        "an id is missing in the list": saying(_of_list(lambda ids: ids[1:]), of_documents),
        "a name makes another agent": asks(_named_agents_are_others, of_state),
        "what cannot be merged is passed over": status(
            400, 204, lambda one: of_documents(one) and one.method == "POST", b""
        ),
        "Last-Modified never changes": headed(
            "Last-Modified", lambda text: "Wed, 01 Jan 2025 00:00:00 GMT", of_documents
        ),
    },
    "concurrency": {
        "no ETag": without_header("ETag"),
        "weak ETags": headed("ETag", lambda text: f"W/{text}"),
        "another ETag each time": headed("ETag", lambda text: f'"{next(_numbers):040x}"'),
        "one ETag for all": headed("ETag", lambda text: f'"{"a" * 40}"'),
        "ETags without quotes": headed("ETag", lambda text: text.strip('"')),
        "If-Match is ignored": without_request_header("If-Match"),
        "If-Match of PUT is ignored": asks(
            lambda request: request.with_header("If-Match", "*") if request.header("If-Match") else request,
            lambda one: one.method == "PUT",
        ),
        "If-Match of POST is ignored": without_request_header("If-Match", "POST"),
        "If-Match of DELETE is ignored": without_request_header("If-Match", "DELETE"),
        "If-None-Match is ignored": lasting.overwriting,
        "412 is passed over": status(412, 204, body=b""),
        "412 is 409": status(412, 409),
        "a PUT without precondition replaces": lasting.insisting,
    },
    "activities_and_agents": {
        "no definition of activities": saying(
            lambda value: {key: one for key, one in value.items() if key != "definition"},
            lambda one: one.path == "activities",
        ),
        "one language of a definition": saying(
            lambda value: walked(value, one_language), lambda one: one.path == "activities"
        ),
        "definitions without extensions": saying(
            lambda value: walked(value, lambda name, one: {} if name == "extensions" else one),
            lambda one: one.path == "activities",
        ),
        "an activity that nobody told of is 404": answers(
            lambda request, answer: answer if b"definition" in answer.body else replace(answer, status=404),
            lambda one: one.path == "activities",
        ),
        "no names of a Person": saying(
            lambda value: {key: one for key, one in value.items() if key != "name"}, lambda one: one.path == "agents"
        ),
        "one name of a Person": saying(
            lambda value: value | {"name": value["name"][:1]} if "name" in value else value,
            lambda one: one.path == "agents",
        ),
        "a Person is an Agent": saying(lambda value: value | {"objectType": "Agent"}, lambda one: one.path == "agents"),
        "about for nobody without a credential": answers(
            lambda request, answer: answer if request.header("Authorization") else replace(answer, status=401),
            lambda one: one.path == "about",
        ),
        "about tells of one version": saying(lambda value: {"version": ["1.0.3"]}, lambda one: one.path == "about"),
    },
    "alternate": {
        "?method= is ignored": asks(
            lambda request: request.asking({}) if "method" in request.query else request, anything
        ),
        "2.0 has the alternate syntax": asks(_older_under_2, anything),
        "parameters beside method are ignored": asks(
            lambda request: (
                request.asking({"method": request.query["method"]}) if "method" in request.query else request
            ),
            anything,
        ),
        "a form cannot hold the credential": asks(
            lambda request: replace(request, body=request.body.replace(b"Authorization=", b"Nothing=")), anything
        ),
    },
}
MUTANTS: Final = {name: (part, mutation) for part, found in TABLE.items() for name, mutation in found.items()}
