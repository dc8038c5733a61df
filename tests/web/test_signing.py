"""Signing in and out: who is let in, what the cookie holds, and what guessing costs."""

from __future__ import annotations

import pytest
from flask.sessions import SecureCookieSessionInterface

from lrs.store.credentials import revoke_credential
from lrs.web.session import local_address
from lrs.web.throttle import MOST_FAILURES
from tests.district import District
from tests.web.browser import browser, faults, signed_in


def test_a_stranger_is_sent_to_sign_in_and_comes_back(district: District) -> None:
    stranger = browser(district.app)
    answer = stranger.get("/quarantine?as_of=3")
    assert (answer.status_code, answer.location) == (303, "/sign-in?next=/quarantine?as_of%3D3")
    assert stranger.sign_in(district.client("all/read"), "/quarantine?as_of=3").location == "/quarantine?as_of=3"


def test_the_form_is_a_good_page(district: District) -> None:
    assert faults(browser(district.app).page("/sign-in")) == []


@pytest.mark.parametrize("scope", ["all/read", "all", "statements/read"])
def test_whoever_may_read_everything_may_see_pages(district: District, scope: str) -> None:
    reader = signed_in(district.client(scope))
    district.fold()
    assert reader.get("/").status_code == 200


@pytest.mark.parametrize("scope", ["statements/write", "statements/read/mine", "registrar"])
def test_other_credentials_are_not_let_in(district: District, scope: str) -> None:
    stranger = browser(district.app)
    answer = stranger.sign_in(district.client(scope))
    assert answer.status_code == 403
    assert "may not read" in answer.text
    assert stranger.get("/").status_code == 303


def test_a_wrong_secret_and_an_unknown_key_are_told_in_the_same_words(district: District) -> None:
    known = district.client("all/read")
    stranger = browser(district.app)
    wrong = stranger.post("/sign-in", token=stranger.token(), key=known.key, secret="wrong")
    unknown = stranger.post("/sign-in", token=stranger.token(), key="unknown", secret="wrong")
    assert wrong.status_code == unknown.status_code == 403
    assert "do not open anything" in wrong.text
    assert wrong.text == unknown.text
    assert faults(wrong.text) == []


def test_a_form_from_elsewhere_signs_nobody_in(district: District) -> None:
    known, stranger = district.client("all/read"), browser(district.app)
    stranger.token()
    answer = stranger.post("/sign-in", token="guessed", key=known.key, secret=known.secret)
    assert answer.status_code == 400
    assert stranger.get("/").status_code == 303


def test_signing_in_gives_the_session_a_new_token(district: District) -> None:
    stranger = browser(district.app)
    before = stranger.token()
    stranger.sign_in(district.client("all/read"))
    district.fold()
    assert before not in stranger.page("/")


def test_the_cookie_holds_the_key_alone_and_no_script_can_read_it(district: District) -> None:
    known, stranger = district.client("all/read"), browser(district.app)
    cookie = stranger.sign_in(known).headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    serializer = SecureCookieSessionInterface().get_signing_serializer(district.app)
    assert serializer is not None
    assert serializer.loads(cookie.partition("=")[2].partition(";")[0]) == {"credential": known.key}


def test_over_tls_the_cookie_stays_on_tls(district: District) -> None:
    answer = browser(district.app).client.get("/sign-in", base_url="https://localhost")
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


def test_a_forged_cookie_opens_nothing(district: District) -> None:
    stranger = browser(district.app)
    stranger.client.set_cookie("cairn", "eyJjcmVkZW50aWFsIjoieCJ9.aaaaaa.bbbbbbbbbbbbbbbbbbbbbbbbbbb")
    assert stranger.get("/").status_code == 303


def test_a_revoked_credential_is_out_at_the_next_page(district: District) -> None:
    known = district.client("all/read")
    reader = signed_in(known)
    with district.engine.begin() as connection:
        revoke_credential(connection, district.log, known.key, 1)
    assert reader.get("/quarantine").status_code == 303


def test_a_session_without_the_scope_sees_a_refusal(district: District) -> None:
    reader, tool = browser(district.app), district.client("statements/write")
    with reader.client.session_transaction() as session:
        session["credential"] = tool.key
    answer = reader.get("/")
    assert answer.status_code == 403
    assert "Sign out" in answer.text
    assert faults(answer.text) == []


def test_signing_out_ends_the_session(district: District) -> None:
    reader = signed_in(district.client("all/read"))
    district.fold()
    assert reader.post("/sign-out", token=reader.token()).status_code == 303
    assert reader.get("/").status_code == 303


def test_another_site_signs_nobody_out(district: District) -> None:
    reader = signed_in(district.client("all/read"))
    district.fold()
    reader.post("/sign-out", token="guessed")
    assert reader.get("/").status_code == 200


def test_guessing_has_to_wait_even_with_the_right_secret(district: District) -> None:
    known, stranger = district.client("all/read"), browser(district.app)
    for _ in range(MOST_FAILURES):
        stranger.post("/sign-in", token=stranger.token(), key=known.key, secret="wrong")
    answer = stranger.sign_in(known)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert "5 minutes" in answer.text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "javascript:x",
        "evil",
    ],
)
def test_nobody_is_sent_to_another_site(elsewhere: str) -> None:
    assert local_address(elsewhere) == "/"


def test_a_path_of_this_site_is_kept() -> None:
    assert local_address("/learners/1?as_of=2") == "/learners/1?as_of=2"
