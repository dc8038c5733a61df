"""Import from another record store and pulls: a second Cairn on the loopback, and servers that misbehave."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from flask import Flask, Response, request

from lrs.errors import InvalidRequest
from lrs.exchange.commands.desk import puller_of
from lrs.exchange.importing import Intake, importer
from lrs.exchange.pulling import Puller, run_pull
from lrs.exchange.remote import Count, Remote, fetch
from lrs.settings import Settings
from lrs.store.claims import claimed_pull
from lrs.store.imports import Pull, checkpoint, provenance_of, pulls, refusals
from lrs.xapi.values import iso, timestamp_us
from tests.databases import migrate
from tests.district import Client, District, ids, open_district, statement
from tests.lrs.exchange.receiver import ran, run, served
from tests.parcels import attached, declared, send

MINUTE = 60_000_000


@dataclass(frozen=True)
class Other:
    """Another Cairn, on the loopback, with pages of four statements."""

    url: str
    district: District
    reader: Client

    def post(self, count: int) -> list[str]:
        """Let it have some more statements; return their ids."""
        sent = [statement() for _ in range(count)]
        assert self.district.someone.post(sent).status_code == 200
        return ids(sent)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, District]]:
    """Another Cairn over databases of its own."""
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("other")), page_limit=4)
    migrate(settings)
    with open_district(settings) as district, served(district.app) as url:
        yield url, district


@pytest.fixture
def other(another: tuple[str, District], district: District) -> Other:
    """A log of the other Cairn, empty but for the registrar's acts."""
    url, elsewhere = another
    own = elsewhere.with_new_log(f"o{district.log.slug}")
    return Other(url, own, own.client("statements/read"))


def remote_of(other: Other) -> Remote:
    """Return how the other is read."""
    return Remote(other.url, other.reader.key, other.reader.secret, "1.0.3", 5.0)


def intake_of(district: District, remote: Remote) -> Intake:
    """Return where its statements go in."""
    app = district.app.extensions["lrs"]
    return Intake(
        district.engine, app.writer, district.desk.gate, importer(district.log), remote.source, 1000, 10_000_000
    )  # fmt: skip


def brought(district: District, remote: Remote, pages: int = 1_000) -> Count:
    """Import from a remote, at most so many pages."""
    left = [pages]

    def hear(_count: Count, _refused: object) -> bool:
        left[0] -= 1
        return left[0] > 0

    return fetch(intake_of(district, remote), remote, None, hear)


def own_ids(district: District) -> list[str]:
    """Return the ids of all statements of a log that are no acts."""
    found = district.someone.found(ascending="true")
    return [one["id"] for one in found if not one["verb"]["id"].startswith(district.desk.gate.act_verbs)]


def command(district: District, other: Other, *options: str) -> Any:
    """Run `cairn import` from the other."""
    credential = "--key", other.reader.key, "--secret", other.reader.secret
    return run(district, "import", district.log.slug, other.url, *credential, *options)


def test_all_pages_come_in_in_the_other_stores_order(district: District, other: Other) -> None:
    sent = other.post(11)
    result = command(district, other)
    assert own_ids(district) == sent
    assert result.exit_code == 1  # the other log's own acts are the registrar's and are refused here
    assert "11 statement(s) are in the log" in result.stdout


def test_the_other_stores_stored_is_kept_as_provenance(district: District, other: Other) -> None:
    (name,) = other.post(1)
    brought(district, remote_of(other))
    (theirs,) = [one for one in other.district.someone.found() if one["id"] == name]
    with district.engine.connect() as connection:
        known = provenance_of(connection, district.log.log_id, name)
    assert known is not None
    assert known[1].stored == theirs["stored"]
    assert msgspec.json.decode(known[1].authority or "") == theirs["authority"]


def test_attachments_come_with_their_data(district: District, other: Other) -> None:
    data = secrets.token_bytes(300_000)
    sent = [statement(), statement(attachments=[declared(data)]), statement()]
    for one in sent:
        assert send(other.district.someone, one, *([data] if "attachments" in one else [])).status_code == 200
    brought(district, remote_of(other))
    assert own_ids(district) == ids(sent)
    answer = district.someone.get(query={"statementId": sent[1]["id"], "attachments": "true"})
    assert attached(answer) == {sent[1]["attachments"][0]["sha2"]: data}


def test_a_statement_whose_data_is_not_to_be_had_is_refused(district: District) -> None:
    fine = statement()
    with answering(lambda _: listed([statement(attachments=[declared(b"x")]), fine])) as remote:
        count = brought(district, remote)
    assert (count.taken, count.refused, own_ids(district)) == (1, 1, [fine["id"]])


def test_an_import_goes_on_where_the_last_one_stopped(district: District, other: Other) -> None:
    sent = other.post(10)
    brought(district, remote_of(other), pages=2)
    assert own_ids(district) == sent[: len(own_ids(district))]
    assert len(own_ids(district)) < 10
    with district.engine.connect() as connection:
        reached = checkpoint(connection, district.log.log_id, remote_of(other).source)
    assert reached is not None
    brought(district, remote_of(other))
    assert own_ids(district) == sent
    sent += other.post(3)
    brought(district, remote_of(other))
    assert own_ids(district) == sent


def test_since_overrides_where_it_was_left(district: District, other: Other) -> None:
    other.post(2)
    last = max(one["stored"] for one in other.district.someone.found())
    later = other.post(2)
    command(district, other, "--since", last)
    assert own_ids(district) == later


def test_a_wrong_secret_is_told_in_words(district: District, other: Other) -> None:
    wrong = replace(remote_of(other), secret="wrong")
    with pytest.raises(InvalidRequest, match="answered 401; the key or the secret"):
        brought(district, wrong)


def test_an_address_needs_a_key(district: District) -> None:
    assert run(district, "import", district.log.slug, "https://e.org/xapi").exit_code == 2


Answer = Callable[[Mapping[str, str]], Any]


@contextmanager
def answering(answer: Answer) -> Iterator[Remote]:
    """Serve GET /xapi/statements by a function of its parameters."""
    app = Flask("other")

    @app.get("/xapi/statements")
    def statements() -> Any:
        return answer(request.args)

    with served(app) as url:
        yield Remote(url, "k", "s", "1.0.3", 5.0)


def listed(statements: list[dict[str, Any]], more: str = "") -> Response:
    """Return a StatementResult."""
    return Response(msgspec.json.encode({"statements": statements, "more": more}), mimetype="application/json")


def at(second: int) -> dict[str, Any]:
    """Return a statement that another store stored at a second."""
    return statement(stored=iso(1_700_000_000_000_000 + second * 1_000_000))


def test_a_server_that_fails_now_and_then_is_asked_again(district: District) -> None:
    answers: list[Any] = [("", 503), ("", 429, {"Retry-After": "0"}), listed([one := at(1)])]
    with answering(lambda _: answers.pop(0)) as remote:
        assert brought(district, remote).taken == 1
    assert own_ids(district) == [one["id"]]


def test_a_server_that_rounds_since_to_the_second_loses_nothing(district: District) -> None:
    held = [at(1)]

    def answer(args: Mapping[str, str]) -> Response:
        since = timestamp_us(args["since"]) // 1_000_000 if "since" in args else 0
        return listed([one for one in held if timestamp_us(one["stored"]) // 1_000_000 > since])

    with answering(answer) as remote:
        brought(district, remote)
        held.append({**statement(), "stored": held[0]["stored"]})
        brought(district, remote)
    assert own_ids(district) == ids(held)


def test_a_server_that_ignores_the_order_gets_no_checkpoint_before_the_end(district: District) -> None:
    first, second = [at(9), at(8)], [at(2), at(1)]

    def answer(args: Mapping[str, str]) -> Response:
        return listed(second) if "page" in args else listed(first, "/xapi/statements?page=2")

    with answering(answer) as remote:
        brought(district, remote, pages=1)
        with district.engine.connect() as connection:
            assert checkpoint(connection, district.log.log_id, remote.source) is None
        brought(district, remote)
        with district.engine.connect() as connection:
            assert checkpoint(connection, district.log.log_id, remote.source) == timestamp_us(first[0]["stored"])
    assert set(own_ids(district)) == set(ids([*first, *second]))


def test_a_checkpoint_goes_no_further_than_the_server_says_it_is_complete(district: District) -> None:
    late, told = at(20), iso(1_700_000_010_000_000)

    def answer(_args: Mapping[str, str]) -> Response:
        answered = listed([late])
        answered.headers["X-Experience-API-Consistent-Through"] = told
        return answered

    with answering(answer) as remote:
        brought(district, remote)
        with district.engine.connect() as connection:
            assert checkpoint(connection, district.log.log_id, remote.source) == timestamp_us(told)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: listed([], "/xapi/statements?ascending=true"), "in a circle"),
        (lambda: listed([], "http://elsewhere.example.org/more"), "another host"),
        (lambda: Response("<html>"), "no StatementResult"),
        (lambda: Response("", 404), "give the endpoint"),
        (lambda: Response("", 302, {"Location": "/login"}), "answered 302"),
    ],
)
def test_what_cannot_be_followed_is_told(district: District, answer: Callable[[], Response], words: str) -> None:
    with answering(lambda _: answer()) as remote, pytest.raises(InvalidRequest, match=words):
        brought(district, remote)


def pulled(district: District, other: Other, tmp_path: Path) -> tuple[Puller, Pull]:
    """Create a pull by its command; return what it works with, and its row."""
    ran(
        district, "pulls", "create", district.log.slug, "--url", other.url, "--key", other.reader.key,
        "--secret", other.reader.secret, "--every", "15", "--name", "other",
    )  # fmt: skip
    with district.engine.connect() as connection:
        (found,) = pulls(connection, district.log.log_id)
    return puller_of(district.desk), found


def test_a_pull_fetches_when_it_is_due_and_not_before(district: District, other: Other, tmp_path: Path) -> None:
    puller, pull = pulled(district, other, tmp_path)
    sent = other.post(5)
    assert run_pull(puller, pull.pull_id) is not None
    sent += other.post(2)
    assert run_pull(puller, pull.pull_id) is None
    assert own_ids(district) == sent[:5]
    run_pull(replace(puller, clock=lambda: puller.clock() + 15 * MINUTE), pull.pull_id)
    assert own_ids(district) == sent


def test_what_a_pull_cannot_store_is_kept_once_with_its_problems(
    district: District, other: Other, tmp_path: Path
) -> None:
    puller, pull = pulled(district, other, tmp_path)
    for minutes in (0, 20):
        run_pull(replace(puller, clock=lambda by=minutes: puller.clock() + by * MINUTE), pull.pull_id)  # type: ignore[misc]
    told = ran(district, "pulls", "refused", district.log.slug, "other").splitlines()
    acts = [one for one in other.district.someone.found() if "cairn/verbs" in one["verb"]["id"]]
    with district.engine.connect() as connection:
        assert len(refusals(connection, district.log.log_id, remote_of(other).source)) == len(told)
    assert {msgspec.json.decode(one)["statement"]["id"] for one in told} <= set(ids(acts))
    assert "scope registrar" in msgspec.json.decode(told[0])["problems"][0]


def test_a_store_that_cannot_be_read_is_noted_and_tried_when_due(
    district: District, other: Other, tmp_path: Path
) -> None:
    puller, pull = pulled(district, replace(other, reader=replace(other.reader, secret="wrong")), tmp_path)
    assert run_pull(puller, pull.pull_id) == Count()
    assert "answered 401" in ran(district, "pulls", "list", district.log.slug)


def test_of_many_workers_one_pulls(district: District, other: Other, tmp_path: Path) -> None:
    puller, pull = pulled(district, other, tmp_path)
    with claimed_pull(district.engine, pull.pull_id) as is_ours:
        assert is_ours
        assert run_pull(puller, pull.pull_id) is None
    found: list[Count | None] = []
    threads = [threading.Thread(target=lambda: found.append(run_pull(puller, pull.pull_id))) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len([one for one in found if one is not None]) == 1


def test_a_removed_pull_leaves_what_it_brought(district: District, other: Other, tmp_path: Path) -> None:
    puller, pull = pulled(district, other, tmp_path)
    sent = other.post(2)
    ran(district, "pulls", "run", district.log.slug, "other")
    ran(district, "pulls", "remove", district.log.slug, "other")
    assert run_pull(puller, pull.pull_id) is None
    assert own_ids(district) == sent
