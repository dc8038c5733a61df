"""Who may do what: xAPI 1.0.3 Communication 4.2, and the registrar's acts that only a registrar may store or void."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import pytest

from lrs.store.credentials import SCOPES, revoke_credential
from lrs.store.engine import immediate
from lrs.xapi.statement import VOIDED
from projections.acts import publish
from projections.profile import VERBS
from tests.district import VERSION, Client, District, ids, said, statement

MAY_WRITE = {"statements/write", "all"}
MAY_READ = {"statements/read", "statements/read/mine", "all/read", "all"}
SCALE = {
    "id": "https://district.example.org/scales/plain",
    "version": "1",
    "title": "Plain",
}


def act(number: int = 0) -> dict[str, Any]:
    """Return an act of the registrar that is complete but for its document."""
    sent = publish("scale", SCALE, {"mbox": "mailto:registrar@example.org"})
    return {**sent, "id": str(uuid.uuid4())}


def voiding(target: dict[str, Any]) -> dict[str, Any]:
    return {
        **statement(),
        "verb": {"id": VOIDED},
        "object": {"objectType": "StatementRef", "id": target["id"]},
    }


def granted(district: District) -> dict[str, Any]:
    """Return an act that is stored: the grant of the first credential."""
    return next(one for one in district.someone.found() if one["verb"]["id"] == f"{VERBS}granted")


@pytest.mark.parametrize("scope", SCOPES)
def test_each_scope_allows_what_the_specification_says(district: District, scope: str) -> None:
    known = statement()
    district.someone.post(known)
    client, new = district.client(scope), statement()
    write = 200 if scope in MAY_WRITE else 403
    assert client.post(new).status_code == write
    assert client.put(new["id"], new).status_code == (204 if write == 200 else 403)
    read = 200 if scope in MAY_READ else 403
    assert client.get().status_code == read
    assert client.send("HEAD").status_code == read
    one = client.get(query={"statementId": known["id"]}).status_code
    assert one == (404 if scope == "statements/read/mine" else read)


@pytest.mark.parametrize("scope", SCOPES)
def test_an_act_of_the_registrar_needs_the_scope_registrar(district: District, scope: str) -> None:
    """Refused as forbidden, not as invalid: a stranger is not told what is wrong with the act."""
    before = district.size()
    client = district.client(scope)
    answer = client.post(act())
    assert answer.status_code == (400 if scope == "registrar" else 403)
    sent = act()
    assert client.put(sent["id"], sent).status_code == (400 if scope == "registrar" else 403)
    assert client.post([statement(), act()]).status_code == 403
    assert district.size() == before + 1, "the grant of the client is all that was appended"


def test_a_registrar_may_store_an_act_and_no_ordinary_statement(district: District) -> None:
    registrar, before = district.client("registrar"), granted(district)
    again = {name: before[name] for name in ("actor", "verb", "object", "result")} | {"id": str(uuid.uuid4())}
    assert registrar.post(again).status_code == 200
    assert registrar.post(statement()).status_code == 403


def test_an_act_with_a_wrong_document_is_400_for_the_registrar(district: District) -> None:
    answer = district.someone.post([statement(), act()])
    assert answer.status_code == 400
    assert all(one["pointer"].startswith("/1/") for one in said(answer)["problems"])


@pytest.mark.parametrize("scopes", [("all",), ("statements/write",), ("statements/write", "all/read")])
def test_an_act_can_be_voided_by_a_registrar_only(district: District, scopes: tuple[str, ...]) -> None:
    client, stored_act = district.client(*scopes), granted(district)
    before = district.size()
    assert client.post([statement(), voiding(stored_act)]).status_code == 403
    assert district.size() == before
    assert district.someone.get(query={"statementId": stored_act["id"]}).status_code == 200
    assert district.someone.post(voiding(stored_act)).status_code == 200
    assert district.someone.get(query={"statementId": stored_act["id"]}).status_code == 404


def test_an_act_cannot_be_voided_before_it_arrives(district: District) -> None:
    """Who guesses the id of an act to come does not undo it: the act is refused, visibly, and sent with a new id."""
    before = granted(district)
    again = {name: before[name] for name in ("actor", "verb", "object", "result")} | {"id": str(uuid.uuid4())}
    assert district.client("statements/write").post(voiding(again)).status_code == 200
    assert district.someone.post(again).status_code == 409
    again["id"] = str(uuid.uuid4())
    assert district.someone.post(again).status_code == 200


def test_an_ordinary_statement_may_be_voided_by_whoever_may_write(district: District) -> None:
    sent = statement()
    district.someone.post(sent)
    assert district.client("statements/write").post(voiding(sent)).status_code == 200


def test_a_reader_of_its_own_sees_only_what_it_wrote(district: District) -> None:
    """statements/read/mine: statements with the authority that the LRS would give this credential."""
    own = district.client("statements/write", "statements/read/mine")
    mine, other = statement("ann"), statement("ann")
    own.post(mine)
    district.someone.post(other)
    assert ids(own.found()) == [mine["id"]]
    assert ids(own.found(agent=mine["actor"])) == [mine["id"]]
    assert ids(own.found(agent=mine["actor"], related_agents="true", verb=mine["verb"]["id"])) == [mine["id"]]
    assert own.get(query={"statementId": mine["id"]}).status_code == 200
    assert own.get(query={"statementId": other["id"]}).status_code == 404


def test_a_reader_of_its_own_learns_nothing_of_others_by_referring_to_them(district: District) -> None:
    """Else a filter that finds the reference would tell what the other statement says."""
    own = district.client("statements/write", "statements/read/mine")
    secret, mine = statement("ann", "failed"), statement("ann", "passed")
    district.someone.post(secret)
    own.post(mine)
    probes = [statement("own") | {"object": {"objectType": "StatementRef", "id": one["id"]}} for one in (secret, mine)]
    own.post(probes)
    assert own.found(verb=secret["verb"]["id"]) == []
    assert ids(own.found(agent=secret["actor"])) == [probes[1]["id"], mine["id"]]
    assert ids(own.found(verb=mine["verb"]["id"])) == [probes[1]["id"], mine["id"]]


def test_a_reader_of_its_own_finds_its_own_voided_statement(district: District) -> None:
    own = district.client("statements/write", "statements/read/mine")
    mine, other = statement(), statement()
    own.post(mine)
    district.someone.post([other, voiding(other), voiding(mine)])
    assert own.get(query={"voidedStatementId": mine["id"]}).status_code == 200
    assert own.get(query={"voidedStatementId": other["id"]}).status_code == 404


def test_a_revoked_credential_is_refused(district: District) -> None:
    client = district.client("all")
    assert client.get().status_code == 200
    with immediate(district.engine).begin() as connection:
        revoke_credential(connection, district.log, client.key, 1)
    for answer in (client.get(), client.post(statement()), client.send("HEAD")):
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def basic(text: bytes) -> str:
    return "Basic " + base64.b64encode(text).decode()


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer abc",
        "Basic",
        "Basic !!!",
        basic(b"no colon"),
        basic(b"unknown:secret"),
        basic(b":"),
        basic(b"a\0b:c"),
        basic(b"\xff\xfe:c"),
        basic("schlüssel:c".encode()),
        basic(b"k" * 100_000 + b":c"),
    ],
)
def test_who_shows_no_credential_of_ours_is_401(district: District, authorization: str | None) -> None:
    headers = dict(VERSION) if authorization is None else {**VERSION, "Authorization": authorization}
    client = district.app.test_client()
    for answer in (
        client.get("/xapi/statements", headers=headers),
        client.post("/xapi/statements", data=b"[]", headers={**headers, "Content-Type": "application/json"}),
    ):
        assert answer.status_code == 401
        assert answer.content_type == "application/problem+json"


def test_a_wrong_secret_is_401_and_is_not_told_from_a_wrong_key(district: District) -> None:
    known = Client(district.app, district.someone.key, "wrong").get()
    unknown = Client(district.app, "unknown", "wrong").get()
    assert (known.status_code, known.data) == (401, unknown.data)
    assert Client(district.app, district.someone.key, district.someone.secret + "x").get().status_code == 401
