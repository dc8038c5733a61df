"""`cairn doctor`: asks a running record store what a tool would ask, and explains what is wrong and how to mend it.

It speaks plain xAPI and so works against any record store, ours or another. Without leave to write it only asks.
"""

from __future__ import annotations

import json
import secrets
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, NamedTuple

import click
import requests

from lrs.xapi.values import timestamp_us

TIMEOUT_SECONDS = 15
MOST_SKEW_SECONDS = 30
VERSION = "X-Experience-API-Version"
CONSISTENT_THROUGH = "X-Experience-API-Consistent-Through"
PLACE = "https://w3id.org/xapi/cairn/doctor"
ACTOR = {"objectType": "Agent", "name": "cairn doctor", "account": {"homePage": PLACE, "name": "doctor"}}
VOIDED = "http://adlnet.gov/expapi/verbs/voided"
BOUNDARY = "cairn-doctor"


class Ailment(Exception):
    """Something is wrong; `fix` says what to do about it."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


class Finding(NamedTuple):
    """What one check found: `state` is ok, failed or skipped."""

    check: str
    state: str
    said: str
    fix: str = ""


@dataclass(frozen=True)
class Visit:
    """One look at a record store, with or without a credential."""

    endpoint: str
    key: str = ""
    secret: str = ""
    version: str = "1.0.3"
    origin: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, *, known: bool = True, **more: Any) -> requests.Response:
        """Send a request; a header of None is left out, and `known` says whether the credential goes with it."""
        headers = {VERSION: self.version, **more.pop("headers", {})}
        auth = (self.key, self.secret) if known and self.key else None
        sent = {name: value for name, value in headers.items() if value is not None}
        url = f"{self.endpoint.rstrip('/')}/{path}"
        return self.session.request(
            method, url, headers=sent, auth=auth, timeout=TIMEOUT_SECONDS, allow_redirects=False, **more
        )  # fmt: skip


def expect(answer: requests.Response, statuses: tuple[int, ...], what: str, fix: str) -> requests.Response:
    """Return an answer with one of these statuses; raises Ailment for any other."""
    if answer.status_code not in statuses:
        said = " ".join(answer.text[:200].split())
        wanted = " or ".join(map(str, statuses))
        raise Ailment(f"{what} is answered with {answer.status_code}, not {wanted}: {said}", fix)
    return answer


def object_in(answer: requests.Response, what: str) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Ailment(
            f"{what} is not answered with a JSON object", "see whether something else answers at this address"
        )
    return found


def about(visit: Visit) -> str:
    """The address answers as a record store, and speaks our version."""
    fix = (
        "give the address that the resources stand under, such as https://lrs.example.org/xapi, without a slash behind"
    )
    answer = expect(visit.ask("GET", "about", known=False), (200,), "GET about", fix)
    versions = object_in(answer, "GET about").get("version")
    if not isinstance(versions, list) or not any(str(one).startswith(visit.version[:3]) for one in versions):
        raise Ailment(f"it speaks {versions}, not {visit.version}", "choose another version with --xapi-version")
    return f"it speaks {', '.join(map(str, versions))}"


def version_header(visit: Visit) -> str:
    """Every answer names the version; a request that names none is refused."""
    answer = visit.ask("GET", "about", known=False)
    named = answer.headers.get(VERSION)
    if named is None:
        fix = "a proxy may take the header away: let it pass headers that begin with X-Experience-API-"
        raise Ailment(f"answers lack the header {VERSION}", fix)
    plain = visit.ask("GET", "statements", params={"limit": "1"}, headers={VERSION: None})
    expect(plain, (400,), f"a request without {VERSION}", "the header must be demanded (Communication 3.3)")
    return f"answers name {named}; requests must name theirs"


def credential(visit: Visit) -> str:
    """A stranger is refused, the credential is not."""
    fix = "the store must ask for a credential: whoever finds it can read it now"
    expect(visit.ask("GET", "statements", known=False), (401,), "a request without credential", fix)
    fix = "compare key and secret; a proxy may take the header Authorization away"
    answer = expect(visit.ask("GET", "statements", params={"limit": "1"}), (200, 401, 403), "GET statements", fix)
    if answer.status_code == 401:
        raise Ailment("the credential is not taken", fix)
    if answer.status_code == 403:
        raise Ailment("the credential may not read", "give it a scope that reads, or try with another")
    return "strangers are refused, the credential is taken"


def clock(visit: Visit) -> str:
    """The server's clock agrees with ours."""
    given = visit.ask("GET", "about", known=False).headers.get("Date")
    if given is None:
        raise Ailment("answers lack the header Date", "let the web server or the proxy set it")
    skew = (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds()
    if abs(skew) > MOST_SKEW_SECONDS:
        raise Ailment(f"its clock is {skew:+.0f} seconds from ours", "set both clocks by NTP")
    return f"its clock is within {max(1.0, abs(skew)):.0f} s of ours"


def consistent_through(visit: Visit) -> str:
    """It says up to when its answers are complete, and is not far behind."""
    answer = expect(visit.ask("GET", "statements", params={"limit": "1"}), (200,), "GET statements", "see `credential`")
    given = answer.headers.get(CONSISTENT_THROUGH, "")
    try:
        behind = datetime.now(UTC).timestamp() - timestamp_us(given) / 1_000_000
    except ValueError:
        raise Ailment(
            f"{CONSISTENT_THROUGH} is {given!r}", "it must be an ISO 8601 time (Communication 2.1.3)"
        ) from None
    if abs(behind) > MOST_SKEW_SECONDS:
        raise Ailment(f"its answers are complete up to {given}, {behind:.0f} s ago", "see what holds its appends back")
    return f"its answers are complete up to {given}"


def refuses_nonsense(visit: Visit) -> str:
    """A parameter that there is not, and a statement that is none, are refused."""
    fix = "a typing error in a tool would pass unseen (Communication 3.2)"
    expect(visit.ask("GET", "statements", params={"foo": "bar"}), (400,), "GET statements?foo=bar", fix)
    answer = visit.ask("POST", "statements", json={"actor": {}})
    expect(answer, (400, 403), "a statement without actor, verb and object", "statements must be checked (Data 2.2)")
    return "unknown parameters and unsound statements are refused"


def compression(visit: Visit) -> str:
    """gzip is a courtesy: it is told, and never a failure unless it is broken."""
    answer = visit.ask("GET", "statements", headers={"Accept-Encoding": "gzip"}, params={"limit": "50"})
    expect(answer, (200,), "GET statements with Accept-Encoding: gzip", "see whether a proxy compresses twice")
    object_in(answer, "GET statements with Accept-Encoding: gzip")
    packed = answer.headers.get("Content-Encoding") == "gzip"
    return f"answers {'are compressed' if packed else 'came uncompressed (short ones may)'}"


def cross_origin(visit: Visit) -> str:
    """Pages of the origin in question may speak to it."""
    fix = f"register the origin: `cairn credentials origins LOG {visit.key or 'KEY'} {visit.origin}`"
    asked = {"Origin": visit.origin, "Access-Control-Request-Method": "PUT", VERSION: None}
    asked["Access-Control-Request-Headers"] = f"authorization,content-type,{VERSION.lower()}"
    preflight = visit.ask("OPTIONS", "statements", known=False, headers=asked)
    expect(preflight, (200, 204), "a preflight", "OPTIONS must be answered without a credential")
    real = visit.ask("GET", "statements", params={"limit": "1"}, headers={"Origin": visit.origin})
    for answer, name in ((preflight, "a preflight"), (real, "an answer")):
        if answer.headers.get("Access-Control-Allow-Origin") not in {visit.origin, "*"}:
            raise Ailment(f"{name} does not allow {visit.origin}", fix)
    return f"pages of {visit.origin} may use this credential"


def statement(**more: Any) -> dict[str, Any]:
    """Return a statement that says of itself that it is a test."""
    definition = {"name": {"en": "A test of cairn doctor"}, "description": {"en": "Not about any learner; ignore it."}}
    return {
        "id": str(uuid.uuid4()),
        "actor": ACTOR,
        "verb": {"id": "http://adlnet.gov/expapi/verbs/experienced", "display": {"en": "tested"}},
        "object": {"objectType": "Activity", "id": f"{PLACE}/test", "definition": definition},
        **more,
    }


def statements(visit: Visit) -> str:
    """A statement is stored, read back and voided."""
    sent = statement(result={"response": "žluťoučký kůň \u2713"})
    fix = "give the credential a scope that writes, such as statements/write"
    answer = expect(visit.ask("POST", "statements", json=sent), (200,), "POST statements", fix)
    if answer.json() != [sent["id"]]:
        raise Ailment(f"POST statements answers {answer.text[:80]}", "it must answer the ids of what was stored")
    back = visit.ask("GET", "statements", params={"statementId": sent["id"]})
    found = object_in(expect(back, (200,), "the statement just stored", "appends must be seen at once"), "a statement")
    if found.get("result") != sent["result"]:
        raise Ailment("a statement comes back changed", "see whether a proxy changes the encoding; it must be UTF-8")
    _void(visit, sent["id"])
    gone = visit.ask("GET", "statements", params={"statementId": sent["id"]})
    expect(gone, (404,), "a voided statement", "voiding does not work (Data 2.3.2)")
    voided = visit.ask("GET", "statements", params={"voidedStatementId": sent["id"]})
    expect(voided, (200,), "voidedStatementId", "a voided statement must stay readable as one")
    return "a statement was stored, read back and voided"


def _void(visit: Visit, statement_id: str) -> None:
    target = {"objectType": "StatementRef", "id": statement_id}
    sent = statement(verb={"id": VOIDED, "display": {"en": "voided"}}, object=target)
    expect(visit.ask("POST", "statements", json=sent), (200,), "a voiding statement", "let the credential void")


def attachments(visit: Visit) -> str:
    """An attachment's data is stored and comes back byte for byte."""
    data = secrets.token_bytes(64)
    digest = sha256(data).hexdigest()
    said = {"usageType": f"{PLACE}/attachment", "display": {"en": "Test"}, "contentType": "application/octet-stream"}
    sent = statement(attachments=[{**said, "length": len(data), "sha2": digest}])
    lines = (
        f"--{BOUNDARY}", "Content-Type: application/json", "", json.dumps(sent), f"--{BOUNDARY}",
        "Content-Type: application/octet-stream", "Content-Transfer-Encoding: binary",
        f"X-Experience-API-Hash: {digest}", "", "",
    )  # fmt: skip
    body = "\r\n".join(lines).encode() + data + f"\r\n--{BOUNDARY}--\r\n".encode()
    answer = visit.ask(
        "POST", "statements", data=body, headers={"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"}
    )  # fmt: skip
    expect(answer, (200,), "a statement with an attachment", "multipart/mixed must be taken (Communication 1.5.2)")
    back = visit.ask("GET", "statements", params={"statementId": sent["id"], "attachments": "true"})
    _void(visit, sent["id"])
    if not back.headers.get("Content-Type", "").startswith("multipart/mixed") or data not in back.content:
        raise Ailment("the attachment does not come back", "a proxy may change binary bodies: let it pass them")
    return "an attachment was stored and came back byte for byte"


def state(visit: Visit) -> str:
    """A document of the State Resource lives its life."""
    named = {"activityId": f"{PLACE}/test", "agent": json.dumps(ACTOR), "stateId": f"doctor-{uuid.uuid4()}"}
    text = b'{"is":"a test of cairn doctor"}'
    sent = {"Content-Type": "application/json"}
    put = visit.ask("PUT", "activities/state", params=named, data=text, headers=sent)
    expect(put, (204,), "PUT activities/state", "give the credential the scope state")
    back = expect(visit.ask("GET", "activities/state", params=named), (200,), "the state just stored", "see PUT")
    removed = visit.ask("DELETE", "activities/state", params=named, headers={"If-Match": back.headers.get("ETag")})
    if back.content != text:
        raise Ailment("a document comes back changed", "a proxy may rewrite JSON: let it pass bodies as they are")
    expect(removed, (204,), "DELETE activities/state", "a proxy may refuse DELETE: let it pass all methods")
    gone = visit.ask("GET", "activities/state", params=named)
    expect(gone, (404,), "a state that was deleted", "deleting has no effect")
    return "a state was stored, read back and deleted"


def etags(visit: Visit) -> str:
    """Two who write the same document do not overwrite each other (Communication 3.1)."""
    named = {"agent": json.dumps(ACTOR), "profileId": f"doctor-{uuid.uuid4()}"}
    path, sent = "agents/profile", {"Content-Type": "application/json"}
    first = visit.ask("PUT", path, params=named, data=b"{}", headers={**sent, "If-None-Match": "*"})
    expect(first, (204,), "PUT agents/profile", "give the credential the scope profile")
    try:
        tag = visit.ask("GET", path, params=named).headers.get("ETag", "")
        if not tag.strip('W/"'):
            raise Ailment("documents have no ETag", "a proxy may take it away when it compresses; let it pass ETag")
        _refuses_to_overwrite(visit, path, named)
        again = visit.ask("PUT", path, params=named, data=b"[]", headers={**sent, "If-Match": tag})
        expect(again, (204,), "PUT with the right If-Match", "the ETag of a GET must be taken as If-Match")
    finally:
        visit.ask("DELETE", path, params=named, headers={"If-Match": "*"})
    return "ETags keep two writers apart"


def _refuses_to_overwrite(visit: Visit, path: str, named: Mapping[str, str]) -> None:
    fix = "writers overwrite each other's documents (Communication 3.1)"
    wanted: tuple[tuple[dict[str, str], int], ...] = (
        ({"If-Match": f'"{"0" * 40}"'}, 412), ({"If-None-Match": "*"}, 412), ({}, 409),
    )  # fmt: skip
    for condition, status in wanted:
        headers = {"Content-Type": "application/json", **condition}
        answer = visit.ask("PUT", path, params=named, data=b"[1]", headers=headers)
        expect(answer, (status,), f"PUT of a document that exists with {condition or 'no precondition'}", fix)


Check = Callable[[Visit], str]
ASKING: Mapping[str, Check] = {"about": about, "clock": clock}
KNOWN: Mapping[str, Check] = {
    "credential": credential, "version": version_header, "consistency": consistent_through, "gzip": compression,
}  # fmt: skip
WRITING: Mapping[str, Check] = {
    "refusals": refuses_nonsense, "statements": statements, "attachments": attachments, "state": state, "etags": etags,
}  # fmt: skip


def findings(visit: Visit, may_write: bool) -> Iterator[Finding]:
    """Yield what every check finds; nothing more is asked of an address where no record store answers."""
    for name, check in ASKING.items():
        found = _checked(name, check, visit)
        yield found
        if name == "about" and found.state == "failed":
            return
    yield from _group(KNOWN, visit, "" if visit.key else "give --key (and --secret)")
    yield from _group({"cors": cross_origin}, visit, "" if visit.origin else "give --origin to see whether a page may")
    missing = (
        "give --key (and --secret)" if not visit.key else "" if may_write else "give --write: it stores test statements"
    )
    yield from _group(WRITING, visit, missing)


def _group(checks: Mapping[str, Check], visit: Visit, missing: str) -> Iterator[Finding]:
    for name, check in checks.items():
        yield Finding(name, "skipped", missing) if missing else _checked(name, check, visit)


def _checked(name: str, check: Check, visit: Visit) -> Finding:
    try:
        return Finding(name, "ok", check(visit))
    except Ailment as error:
        return Finding(name, "failed", str(error), error.fix)
    except requests.RequestException as error:
        fix = "see whether the address is right, the server runs, and nothing between cuts the connection"
        return Finding(name, "failed", f"no answer: {type(error).__name__}", fix)
    except (ValueError, TypeError, AttributeError) as error:
        return Finding(name, "failed", f"the answer cannot be read: {error}", "see what answers at this address")


@click.command()
@click.option("--endpoint", required=True, help="The address of the resources, such as https://lrs.example.org/xapi.")
@click.option("--key", default="", help="The key of a credential.")
@click.option("--secret", default="", help="Its secret; asked for when it is left out.")
@click.option("--xapi-version", "version", default="1.0.3", show_default=True, help="The version to speak.")
@click.option("--origin", default="", help="A web origin whose pages should be able to use it.")
@click.option("--write", "may_write", is_flag=True, help="Store test statements and documents, marked as such.")
def doctor(endpoint: str, key: str, secret: str, version: str, origin: str, may_write: bool) -> None:
    """Check a running record store as a tool would, and explain each failure; exit 1 when there is one.

    With --write it stores a few statements, which say that they are tests and are voided at once, and deletes again
    the documents that it stores.
    """
    secret = secret or (click.prompt("Secret", hide_input=True) if key else "")
    has_failed = False
    for one in findings(Visit(endpoint, key, secret, version, origin), may_write):
        click.echo(f"{one.state:<8}{one.check:<13}{one.said}")
        if one.fix:
            click.echo(f"{'':<21}fix: {one.fix}")
        has_failed |= one.state == "failed"
    if has_failed:
        raise SystemExit(1)


def register(group: click.Group) -> None:
    """Add the command."""
    group.add_command(doctor)
