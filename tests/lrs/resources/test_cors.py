"""Web pages of other origins: who is registered may read the answers, and nobody else."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

import wsgi
from lrs.store.credentials import revoke_credential, set_origins
from lrs.store.engine import immediate
from tests.district import Client, District, statement

ORIGIN = "https://tool.example.org"
ALLOWED = "Access-Control-Allow-Origin"
RESOURCES = (
    "statements", "activities", "activities/state", "activities/profile", "agents", "agents/profile", "about",
)  # fmt: skip


def allow(district: District, client: Client, *origins: str) -> None:
    with immediate(district.engine).begin() as connection:
        set_origins(connection, district.log, client.key, origins)


def preflight(district: District, origin: str, path: str = "/xapi/statements") -> dict[str, str]:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "authorization,x-experience-api-version,content-type",
    }
    answer = district.app.test_client().options(path, headers=headers)
    assert answer.status_code in {200, 204}
    return dict(answer.headers)


def test_no_origin_is_allowed_unless_it_is_set(district: District) -> None:
    assert ALLOWED not in preflight(district, f"https://{district.log.slug}.nobody.example.org")
    answer = district.someone.get(Origin=ORIGIN)
    assert (answer.status_code, ALLOWED in answer.headers) == (200, False)
    assert "Origin" in answer.vary


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_preflight_of_an_allowed_origin_passes_on_every_resource(district: District, resource: str) -> None:
    origin = f"https://{district.log.slug}.example.net"
    allow(district, district.someone, origin)
    found = preflight(district, origin, f"/xapi/{resource}")
    assert found[ALLOWED] == origin
    assert {"PUT", "POST", "DELETE"} <= set(found["Access-Control-Allow-Methods"].split(", "))
    taken = found["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "x-experience-api-version", "content-type", "if-match", "if-none-match"} <= set(taken)
    assert "Origin" in found["Vary"]


def test_an_answer_is_readable_for_the_origins_of_its_own_credential_alone(district: District) -> None:
    own, other = district.client("all"), district.client("all")
    allow(district, own, ORIGIN, "http://localhost:3000")
    for answer in (own.get(Origin=ORIGIN), own.post(statement(), Origin=ORIGIN), own.post({}, Origin=ORIGIN)):
        assert answer.headers[ALLOWED] == ORIGIN
        shown = answer.headers["Access-Control-Expose-Headers"].split(", ")
        wanted = {"ETag", "Last-Modified", "X-Experience-API-Version", "X-Experience-API-Consistent-Through"}
        assert wanted <= set(shown)
    assert own.get(Origin="http://localhost:3000").headers[ALLOWED] == "http://localhost:3000"
    for answer in (other.get(Origin=ORIGIN), own.get(Origin=f"{ORIGIN}.evil.example"), own.get(Origin="null")):
        assert ALLOWED not in answer.headers


def test_a_stranger_is_not_readable_from_anywhere(district: District) -> None:
    allow(district, district.someone, ORIGIN)
    assert ALLOWED not in Client(district.app, district.someone.key, "wrong").get(Origin=ORIGIN).headers


def test_about_is_readable_from_any_registered_origin(district: District) -> None:
    allow(district, district.someone, ORIGIN)
    answer = district.app.test_client().get("/xapi/about", headers={"Origin": ORIGIN})
    assert answer.headers[ALLOWED] == ORIGIN


def test_the_origins_of_a_revoked_credential_pass_no_preflight(district: District) -> None:
    client, origin = district.client("all"), f"https://{district.log.slug}.gone.example.org"
    allow(district, client, origin)
    assert preflight(district, origin)[ALLOWED] == origin
    with immediate(district.engine).begin() as connection:
        revoke_credential(connection, district.log, client.key, 1)
    assert ALLOWED not in preflight(district, origin)


def run(district: District, *words: str) -> tuple[int, str]:
    """Run a command on the district's databases."""
    done = CliRunner().invoke(wsgi.cairn.commands["credentials"], list(words), obj=district.desk)
    return done.exit_code, done.output


def test_the_command_sets_shows_and_takes_away_origins(district: District) -> None:
    client = district.client("all")
    place = ("origins", district.log.slug, client.key)
    assert run(district, *place) == (0, "no web page may use this credential\n")
    assert run(district, *place, ORIGIN, "http://localhost:3000") == (0, f"http://localhost:3000\n{ORIGIN}\n")
    assert run(district, *place) == (0, f"http://localhost:3000\n{ORIGIN}\n")
    assert client.get(Origin=ORIGIN).headers[ALLOWED] == ORIGIN
    assert run(district, *place, "--none")[0] == 0
    assert ALLOWED not in client.get(Origin=ORIGIN).headers


@pytest.mark.parametrize("text", ["*", "null", "tool.example.org", f"{ORIGIN}/", f"{ORIGIN}/path", "HTTPS://A.example"])
def test_the_command_takes_nothing_that_is_no_origin(district: District, text: str) -> None:
    assert run(district, "origins", district.log.slug, district.someone.key, text)[0] == 2
