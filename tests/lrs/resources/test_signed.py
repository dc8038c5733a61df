"""Signed statements (Data 2.6): taken, refused, and what was found of them told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from werkzeug.test import TestResponse

from lrs.cli import Commands, credentials
from lrs.xapi.certificates import thumbprint
from tests.district import Client, District, said, statement
from tests.parcels import KIND, attached, declared, mixed, part, send
from tests.signing import Holder, holder, jws, key, signed
from tests.web.browser import faults, signed_in

ROOT = holder("school authority")
SIGNER = holder("a tool", ROOT)


def post(client: Client, *chain: Holder, sent: dict[str, Any] | None = None, **more: Any) -> tuple[TestResponse, str]:
    """POST a statement, signed by the tool with this chain; return the answer and the statement's id."""
    one = sent or statement()
    data = jws(one, key("a tool"), [each.certificate for each in chain])
    return send(client, signed(one, data, **more), data), one["id"]


def told(client: Client, statement_id: str) -> dict[str, Any]:
    answer = client.get(f"/api/v1/statements/{statement_id}/signatures")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = said(answer)
    return found


def command(district: District, *arguments: str) -> str:
    result = invoked(district, *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def invoked(district: District, *arguments: str) -> Result:
    """Run a command over the databases of the test."""
    group = Commands(commands={"credentials": credentials})
    return CliRunner().invoke(group, arguments, obj=district.desk)


@pytest.fixture
def pem(tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    path.write_bytes(ROOT.pem)
    return str(path)


def problem(answer: TestResponse) -> dict[str, str]:
    assert answer.status_code == 400, answer.text
    (one,) = said(answer)["problems"]
    found: dict[str, str] = one
    return found


@pytest.mark.parametrize("version", ["1.0.3", "2.0.0"])
def test_a_signed_statement_makes_the_round_trip(district: District, version: str) -> None:
    """XAPI-00115; the JWS comes back byte for byte."""
    one = statement()
    data = jws(one, key("a tool"))
    sent = signed(one, data)
    answer = district.someone.post(mixed(sent, part(data)), **KIND, X_Experience_API_Version=version)
    assert answer.status_code == 200, answer.text
    back = district.someone.get(query={"statementId": one["id"], "attachments": "true"})
    assert list(attached(back).values()) == [data]


def test_the_outcomes_are_told(district: District) -> None:
    plain = statement()
    district.someone.post(plain)
    _, unverified = post(district.someone)
    _, consistent = post(district.someone, SIGNER, ROOT)
    outcomes = [told(district.someone, one)["outcome"] for one in (plain["id"], unverified, consistent)]
    assert outcomes == ["unsigned", "unverified", "self-consistent"]
    (one,) = told(district.someone, consistent)["signatures"]
    assert (one["algorithm"], one["subject"], one["issuer"]) == ("RS256", "CN=a tool", None)
    assert one["thumbprint"] == thumbprint(SIGNER.certificate)


def test_a_pinned_issuer_makes_the_outcome_trusted_for_its_credential_alone(district: District, pem: str) -> None:
    tool, other = district.client("statements/write"), district.client("statements/write")
    slug = district.log.slug
    assert thumbprint(ROOT.certificate) in command(district, "credentials", "trust", slug, tool.key, pem)
    outcomes = []
    for client in (tool, other):
        answer, statement_id = post(client, SIGNER, ROOT)
        assert answer.status_code == 200
        outcomes.append(told(district.someone, statement_id))
    assert [one["outcome"] for one in outcomes] == ["trusted", "self-consistent"]
    assert outcomes[0]["signatures"][0]["issuer"] == thumbprint(ROOT.certificate)


def test_an_issuer_that_is_trusted_no_more_vouches_no_more_and_the_past_stays(district: District, pem: str) -> None:
    slug, owner = district.log.slug, district.someone.key
    for _ in range(2):
        command(district, "credentials", "trust", slug, owner, pem)
    assert command(district, "credentials", "issuers", slug, owner).count("CN=school authority") == 1
    _, before = post(district.someone, SIGNER)
    command(district, "credentials", "untrust", slug, owner, thumbprint(ROOT.certificate))
    assert command(district, "credentials", "issuers", slug, owner) == ""
    _, after = post(district.someone, SIGNER)
    assert [told(district.someone, one)["outcome"] for one in (before, after)] == ["trusted", "self-consistent"]


@pytest.mark.parametrize("name", ["trust", "untrust"])
def test_to_trust_names_what_is_not_there(district: District, pem: str, name: str) -> None:
    last = pem if name == "trust" else "00" * 32
    for owner in ("nobody", district.someone.key) if name == "untrust" else ("nobody",):
        result = invoked(district, "credentials", name, district.log.slug, owner, last)
        assert result.exit_code == 1
        assert "cairn credentials" in result.output


def test_a_file_without_certificate_is_not_trusted(district: District, tmp_path: Path) -> None:
    path = tmp_path / "no.pem"
    path.write_text("nothing")
    result = invoked(district, "credentials", "trust", district.log.slug, district.someone.key, str(path))
    assert result.exit_code == 2
    assert "exactly one certificate" in result.output


def test_the_content_type_of_a_signature_is_octet_stream(district: District) -> None:
    """XAPI-00115."""
    answer, _ = post(district.someone, contentType="text/plain; charset=ascii")
    assert "application/octet-stream" in problem(answer)["message"]


def test_a_wrong_signature_is_told_with_its_place(district: District) -> None:
    """XAPI-00117: its key is not the certificate's."""
    one, essay = statement(attachments=[declared(b"an essay")]), b"an essay"
    data = jws(one, key("forger"), [SIGNER.certificate])
    answer = send(district.someone, [statement(), signed(one, data)], data, essay)
    found = problem(answer)
    assert found["pointer"] == "/1/attachments/1"
    assert "key of the certificate" in found["message"]


def test_every_signature_of_a_statement_must_hold(district: District) -> None:
    one = statement()
    good = jws(one, key("a tool"), [SIGNER.certificate])
    plain, bad = jws(one, key("another")), jws(one, key("forger"), [SIGNER.certificate])
    assert problem(send(district.someone, signed(one, good, bad), good, bad))["pointer"] == "/attachments/1"
    assert send(district.someone, signed(one, good, plain), good, plain).status_code == 200
    found = told(district.someone, one["id"])
    assert found["outcome"] == "unverified"
    assert {each["outcome"] for each in found["signatures"]} == {"unverified", "self-consistent"}


def test_a_signature_at_an_address_is_refused_by_json_and_by_multipart(district: District) -> None:
    """Data 2.6: the LRS must look into the signature, so its data must come."""
    one = statement()
    data = jws(one, key("a tool"))
    sent = signed(one, data, fileUrl="https://example.org/signature")
    for answer in (district.someone.post(sent), district.someone.post(mixed(sent), **KIND)):
        found = problem(answer)
        assert found["pointer"] == "/attachments/0"
        assert "multipart/mixed" in found["message"]
    assert send(district.someone, sent, data).status_code == 200


def test_a_put_may_sign_the_id_of_its_request(district: District) -> None:
    one = statement()
    data = jws(one, key("a tool"))
    body = signed({name: value for name, value in one.items() if name != "id"}, data)
    assert district.someone.put(one["id"], mixed(body, part(data)), **KIND).status_code == 204


def test_a_duration_counts_to_the_hundredth_of_a_second(district: District) -> None:
    """2.0 4.2.7."""
    one = statement(result={"duration": "P1DT12H36M0.12S"})
    data = jws(one, key("a tool"))
    sent = signed({**one, "result": {"duration": "P1DT12H36M0.1237S"}}, data)
    assert send(district.someone, sent, data).status_code == 200


def test_an_old_signature_does_not_sign_a_new_statement(district: District) -> None:
    one = statement()
    data = jws(one, key("a tool"), [SIGNER.certificate])
    assert send(district.someone, signed(one, data), data).status_code == 200
    again = signed({**one, "id": statement()["id"]}, data)
    assert "id" in problem(send(district.someone, again, data))["message"]


def test_who_reads_its_own_is_told_of_its_own_alone(district: District) -> None:
    mine = district.client("statements/write", "statements/read/mine")
    _, own = post(mine)
    _, other = post(district.someone)
    assert told(mine, own)["outcome"] == "unverified"
    assert mine.get(f"/api/v1/statements/{other}/signatures").status_code == 404
    writer = district.client("statements/write")
    assert writer.get(f"/api/v1/statements/{own}/signatures").status_code == 403
    for unknown in (statement()["id"], "no-id"):
        assert district.someone.get(f"/api/v1/statements/{unknown}/signatures").status_code == 404


def test_the_page_of_a_statement_shows_its_attachments_and_its_signature(district: District) -> None:
    essay = b"<script>alert(1)</script>"
    html: dict[str, Any] = {"contentType": "text/html", "display": {"en": "<b>essay</b>"}}
    one = statement(attachments=[declared(essay, **html), declared(b"away", fileUrl="https://example.org/away")])
    data = jws(one, key("a tool"), [SIGNER.certificate])
    assert send(district.someone, signed(one, data), essay, data).status_code == 200
    browser = signed_in(district.someone)
    page = browser.page(f"/statements/{one['id']}")
    assert faults(page) == []
    assert "Self-consistent." in page
    assert "&lt;b&gt;essay&lt;/b&gt;" in page
    assert page.count("its data is not kept here") == 1
    sha2 = declared(essay)["sha2"]
    file = browser.get(f"/statements/{one['id']}/attachments/{sha2}")
    assert (file.status_code, file.data, file.content_length) == (200, essay, len(essay))
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert file.headers["X-Content-Type-Options"] == "nosniff"
    for unknown in (declared(b"away")["sha2"], "00" * 32):
        assert browser.get(f"/statements/{one['id']}/attachments/{unknown}").status_code == 404
