"""Signed statements: Data 2.6, of which no official suite looks at certificates."""

from __future__ import annotations

import pytest

from tests.conformance.tool import Answer, Json, Tool
from tests.parcels import KIND, mixed, part
from tests.signing import holder, jws, key, signed

OCTETS = {"Content_Type": "application/octet-stream"}


def posted(tool: Tool, statement: Json, *signatures: bytes, **more: str) -> Answer:
    """POST a statement with its signatures."""
    whole = signed(statement, *signatures, **more)
    return tool.post(mixed(whole, *(part(one, **OCTETS) for one in signatures)), **KIND)


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512"])
def test_XAPI_00117_a_signature_of_the_statement_is_taken_and_comes_back(tool: Tool, algorithm: str) -> None:
    """With and without a certificate (x5c)."""
    own = holder("signer")
    for chain in ((), (own.certificate,)):
        sent = tool.statement()
        signature = jws(sent, key("signer"), chain, algorithm)
        assert posted(tool, sent, signature).status == 200
        answer = tool.get(query={"statementId": sent["id"], "attachments": "true"})
        assert signature in answer.data


def test_XAPI_00116_a_signature_of_another_statement_is_400(tool: Tool) -> None:
    sent, other = tool.statement(), tool.statement("another")
    assert posted(tool, sent, jws({**other, "id": sent["id"]}, key("signer"))).status == 400
    assert tool.get(query={"statementId": sent["id"]}).status == 404


def test_D_2_6_a_signature_that_the_key_of_its_certificate_did_not_make_is_400(tool: Tool) -> None:
    sent = tool.statement()
    assert posted(tool, sent, jws(sent, key("forger"), (holder("signer").certificate,))).status == 400
    assert tool.get(query={"statementId": sent["id"]}).status == 404


@pytest.mark.parametrize("algorithm", ["HS256", "none", "ES256"])
def test_XAPI_00117_another_algorithm_is_400(tool: Tool, algorithm: str) -> None:
    sent = tool.statement()
    assert posted(tool, sent, jws(sent, key("signer"), (), algorithm)).status == 400


def test_XAPI_00115_what_is_no_jws_or_has_another_content_type_is_400(tool: Tool) -> None:
    sent = tool.statement()
    good = jws(sent, key("signer"))
    for signature in (b"no signature", good.rpartition(b".")[0], b"." + good):
        assert posted(tool, sent, signature).status == 400
    assert posted(tool, sent, good, contentType="application/json").status == 400
