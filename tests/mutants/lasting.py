"""Faults that take more than one request: they remember what passed, or ask once more."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

from tests.mutants.breaking import Json, of_documents, of_statements
from tests.mutants.proxy import Answer, Forward, Mutation, Request

VOIDED = "http://adlnet.gov/expapi/verbs/voided"


class Trusting:
    """Repeats what is refused with a status, with the first credential that was ever let in."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.known: str | None = None

    def __call__(self, request: Request, forward: Forward) -> Answer:
        answer, given = forward(request), request.header("Authorization")
        if self.known is None and given and answer.status == 200:
            self.known = given
        return forward(request.with_header("Authorization", self.known)) if answer.status == self.status else answer


class ByOffset:
    """Counts what was stored since a page was given, and begins the next one so much too early."""

    def __init__(self) -> None:
        self.posted = 0
        self.given: dict[str, tuple[int, list[Json]]] = {}

    def __call__(self, request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if of_statements(request) and not request.is_read:
            self.posted += 1
        if not (of_statements(request) and request.is_read and answer.status == 200 and answer.is_json):
            return answer
        page, (posted, before) = answer.value(), self.given.get(request.target, (self.posted, []))
        if page.get("more"):
            self.given[page["more"]] = self.posted, page["statements"]
        repeated = before[-min(self.posted - posted, len(before)) :] if self.posted > posted else []
        return answer.saying({**page, "statements": repeated + page["statements"]}) if repeated else answer


class Repeating:
    """Begins each page with the last statement of the one before."""

    def __init__(self) -> None:
        self.last: dict[str, Json] = {}

    def __call__(self, request: Request, forward: Forward) -> Answer:
        answer = forward(request)
        if not (of_statements(request) and request.is_read and answer.status == 200 and answer.is_json):
            return answer
        page = answer.value()
        if page.get("more") and page["statements"]:
            self.last[page["more"]] = page["statements"][-1]
        before = [self.last[request.target]] if request.target in self.last else []
        return answer.saying({**page, "statements": before + page["statements"]}) if before else answer


class Once:
    """Lets each link to a further page be followed once."""

    def __init__(self) -> None:
        self.followed: Counter[str] = Counter()

    def __call__(self, request: Request, forward: Forward) -> Answer:
        if "more" in request.query:
            self.followed[request.target] += 1
        answer = forward(request)
        if self.followed[request.target] > 1:
            return replace(answer, status=404, body=b"{}")
        return answer


def by_other_id(name: str, other: str) -> Mutation:
    """Look a statement that is not found by one parameter up by the other."""

    def broken(request: Request, forward: Forward) -> Answer:
        answer, query = forward(request), request.query
        if answer.status != 404 or name not in query:
            return answer
        return forward(request.asking({other: query.pop(name), **query}))

    return broken


def showing_voided(request: Request, forward: Forward) -> Answer:
    """Add to each list the voided statement of every voiding one."""
    answer = forward(request)
    if not (of_statements(request) and request.is_read and answer.status == 200 and answer.is_json):
        return answer
    page: Json = answer.value()
    if "statements" not in page:
        return answer
    targets = [one["object"]["id"] for one in page["statements"] if one["verb"]["id"] == VOIDED]
    asked = [forward(request.asking({"voidedStatementId": one})) for one in targets]
    voided = [one.value() for one in asked if one.status == 200]
    return answer.saying({**page, "statements": page["statements"] + voided})


def one_by_one(request: Request, forward: Forward) -> Answer:
    """Store each statement of a batch for itself when the batch is refused."""
    answer, batch = forward(request), request.value()
    if of_statements(request) and request.method == "POST" and answer.status == 400 and isinstance(batch, list):
        for one in batch:
            forward(replace(request, body=json.dumps(one).encode()))
    return answer


def deep(stored: Any, sent: Any) -> Any:
    """Return two JSON values merged at every level."""
    if isinstance(stored, dict) and isinstance(sent, dict):
        return stored | {name: deep(stored.get(name), value) for name, value in sent.items()}
    return sent


def merging_deeply(request: Request, forward: Forward) -> Answer:
    """Merge documents at every level."""
    if not (of_documents(request) and request.method == "POST"):
        return forward(request)
    known = forward(replace(request, method="GET", body=b""))
    if known.status != 200 or not known.is_json or not isinstance(request.value(), dict):
        return forward(request)
    return forward(replace(request, body=json.dumps(deep(known.value(), request.value())).encode()))


def replacing(request: Request, forward: Forward) -> Answer:
    """Take a POST of a JSON document for a PUT of what is there."""
    if of_documents(request) and request.method == "POST" and isinstance(request.value(), dict):
        known = forward(replace(request, method="GET", body=b""))
        if known.status == 200 and known.is_json:
            return forward(replace(request, method="PUT").with_header("If-Match", known.header("ETag")))
    return forward(request)


def insisting(request: Request, forward: Forward) -> Answer:
    """Replace a document whether the request knows it or not."""
    answer = forward(request)
    if of_documents(request) and request.method == "PUT" and answer.status == 409:
        return forward(request.with_header("If-Match", "*"))
    return answer


def overwriting(request: Request, forward: Forward) -> Answer:
    """Create a document where there is one."""
    answer = forward(request)
    if answer.status == 412 and request.method == "PUT" and request.header("If-None-Match"):
        return forward(request.with_header("If-None-Match", None).with_header("If-Match", "*"))
    return answer


def without_certificates(request: Request, forward: Forward) -> Answer:
    """Pass over what is refused because of a certificate."""
    answer = forward(request)
    is_refused = answer.status == 400 and (b"x5c" in answer.body or b"certificate" in answer.body)
    return replace(answer, status=200, body=b"[]") if is_refused else answer


def without_doing(*methods: str) -> Mutation:
    """Answer that documents were changed, and change nothing."""

    def broken(request: Request, forward: Forward) -> Answer:
        if of_documents(request) and request.method in methods:
            told = forward(replace(request, method="GET", body=b""))
            return replace(told, status=204, body=b"") if told.status == 200 else forward(request)
        return forward(request)

    return broken
