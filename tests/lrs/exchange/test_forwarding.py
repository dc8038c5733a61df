"""Forwards against a receiver that is down, or refuses: nothing is lost, the order holds, poison is put aside."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lrs.errors import NotFound
from lrs.exchange.commands.desk import carrier_of
from lrs.exchange.enclosed import WITHOUT_DATA
from lrs.exchange.forwarding import Carrier, run_forward
from lrs.settings import Settings
from lrs.store.claims import claimed_forward
from lrs.store.exchange import DeadLetter, Forward, Settled, dead_letters, forward_named, settle
from tests.databases import migrate
from tests.district import District, ids, open_district, statement
from tests.lrs.exchange.receiver import CUT, Receiver, posted, ran, receiving, run, served
from tests.lrs.store.store import request
from tests.parcels import attached, declared, send

SECOND = 1_000_000
VERB = "http://adlnet.gov/expapi/verbs/{}"


@dataclass
class Clock:
    """A clock that stands until it is set forward."""

    now: int = 1_800_000_000 * SECOND

    def __call__(self) -> int:
        return self.now


@dataclass(frozen=True)
class Scene:
    """A log with one forward, its receiver, and the clock of both."""

    district: District
    receiver: Receiver
    carrier: Carrier
    clock: Clock

    @property
    def forward(self) -> Forward:
        """The forward as it is now."""
        with self.district.engine.connect() as connection:
            return forward_named(connection, self.district.log.log_id, "lrs", "there")

    def run(self) -> int:
        """Let it run once."""
        return run_forward(self.carrier, self.forward.forward_id)

    def dead(self) -> list[DeadLetter]:
        """Return its dead letters."""
        with self.district.engine.connect() as connection:
            return dead_letters(connection, self.forward.forward_id)

    def wait(self, seconds: float) -> None:
        """Let time go by."""
        self.clock.now += int(seconds * SECOND)

    def command(self, name: str, *more: str) -> str:
        """Run a command of the forward that must succeed."""
        return ran(self.district, "forwards", name, self.district.log.slug, *more)


def create(district: District, receiver: Receiver, *options: str) -> None:
    """Create a forward by its command."""
    ran(
        district, "forwards", "create", district.log.slug, "--url", receiver.url, "--name", "there",
        "--key", "k", "--secret", "s3cret", *options,
    )  # fmt: skip


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything until it is told otherwise."""
    with receiving() as one:
        yield one


@pytest.fixture
def scene(district: District, receiver: Receiver) -> Scene:
    """A log with one forward, in batches of ten."""
    create(district, receiver)
    clock = Clock()
    return Scene(district, receiver, replace(carrier_of(district.desk), batch=10, clock=clock), clock)


def refusing(poison: Sequence[str], status: int) -> Any:
    """Return a judge that refuses whatever holds one of these ids."""
    return lambda statements: status if any(one["id"] in poison for one in statements) else 200


def test_everything_is_sent_once_in_the_logs_order(scene: Scene) -> None:
    sent = ids(posted(scene.district, 25))
    assert scene.run() == scene.district.size()
    assert scene.receiver.taken == sent
    assert [len(one.ids) for one in scene.receiver.heard] == [10, 10, 5]
    assert (scene.run(), len(scene.receiver.heard)) == (0, 3)


def test_what_is_sent_is_what_get_answers(scene: Scene) -> None:
    sent = posted(scene.district, 2)
    scene.run()
    found = scene.district.someone.found(ascending="true")
    assert scene.receiver.heard[0].statements == [one for one in found if one["id"] in ids(sent)]


def test_a_request_carries_version_and_credential(scene: Scene) -> None:
    posted(scene.district, 1)
    scene.run()
    (heard,) = scene.receiver.heard
    assert heard.path == "/xapi/statements"
    assert heard.headers["X-Experience-API-Version"] == "1.0.3"
    assert heard.headers["Authorization"] == "Basic azpzM2NyZXQ="


def test_a_receiver_that_is_down_for_an_hour_misses_nothing(scene: Scene) -> None:
    sent = ids(posted(scene.district, 15))
    scene.receiver.judge = lambda _: 503
    begin = scene.clock.now
    while scene.clock.now < begin + 3600 * SECOND:
        scene.run()
        assert scene.forward.due > scene.clock.now
        scene.clock.now = scene.forward.due
    assert len(scene.receiver.heard) < 40
    scene.receiver.judge = lambda _: 200
    scene.run()
    assert scene.receiver.taken == sent
    assert (scene.forward.failures, scene.forward.trouble) == (0, "")


def test_nobody_listening_is_trouble_and_not_a_loss(scene: Scene, receiver: Receiver) -> None:
    ran(scene.district, "forwards", "remove", scene.district.log.slug, "there")
    create(scene.district, Receiver("http://127.0.0.1:9/xapi"))
    posted(scene.district, 1)
    assert (scene.run(), scene.forward.position) == (0, 0)
    assert scene.forward.trouble.startswith("no status: no answer")


def test_retry_after_is_kept(scene: Scene) -> None:
    posted(scene.district, 1)
    scene.receiver.judge, scene.receiver.headers = (lambda _: 429), {"Retry-After": "120"}
    scene.run()
    scene.wait(119)
    scene.run()
    assert len(scene.receiver.heard) == 1
    scene.wait(1)
    scene.run()
    assert len(scene.receiver.heard) == 2


def test_poison_becomes_dead_letters_and_the_rest_goes_on(scene: Scene) -> None:
    sent = ids(posted(scene.district, 30))
    poison = [sent[0], sent[7], sent[8], sent[29]]
    scene.receiver.judge = refusing(poison, 400)
    scene.run()
    assert scene.receiver.taken == [one for one in sent if one not in poison]
    assert [(one.statement_id, one.status, one.answer) for one in scene.dead()] == [
        (one, 400, "refused with 400") for one in poison
    ]


def test_a_conflict_counts_as_taken_and_is_noted(scene: Scene) -> None:
    sent = ids(posted(scene.district, 12))
    scene.receiver.judge = refusing(sent[3:5], 409)
    scene.run()
    assert scene.receiver.taken == [one for one in sent if one not in sent[3:5]]
    assert (scene.forward.conflicts, scene.dead()) == (2, [])


@pytest.mark.parametrize("status", [301, 401, 403, 404])
def test_a_wrong_address_or_credential_makes_no_dead_letters(scene: Scene, status: int) -> None:
    posted(scene.district, 12)
    scene.receiver.judge = lambda _: status
    scene.run()
    assert (len(scene.receiver.heard), scene.dead(), scene.forward.position) == (1, [], 0)
    assert scene.forward.trouble.startswith(f"{status}: ")


def test_an_answer_without_ids_is_no_proof(scene: Scene) -> None:
    posted(scene.district, 1)
    scene.receiver.judge = lambda _: 204
    scene.run()
    assert scene.forward.position == 0


def test_an_answer_that_is_lost_is_asked_for_again(scene: Scene) -> None:
    sent = ids(posted(scene.district, 20))
    answers = iter([200, CUT, 500, CUT])
    scene.receiver.judge = lambda _: next(answers, 200)
    while scene.forward.position < scene.district.size():
        scene.run()
        scene.wait(600)
    assert list(dict.fromkeys(scene.receiver.taken)) == sent
    assert set(scene.receiver.taken) == set(sent)


def test_filters_are_those_of_get_and_a_void_follows_what_it_voids(district: District, receiver: Receiver) -> None:
    create(district, receiver, "--verb", VERB.format("passed"))
    passed, other = statement(verb="passed"), statement()
    voids = [
        statement(verb="voided", object={"objectType": "StatementRef", "id": one["id"]}) for one in (passed, other)
    ]
    district.someone.post([passed, other, *voids])
    district.someone.post([statement() for _ in range(40)])
    scene = Scene(district, receiver, replace(carrier_of(district.desk), batch=10), Clock())
    scene.run()
    assert receiver.taken == [passed["id"], voids[0]["id"]]
    assert scene.forward.position == district.size()


def test_the_registrars_acts_stay_unless_they_are_asked_for(district: District, receiver: Receiver) -> None:
    create(district, receiver, "--acts")
    run_forward(carrier_of(district.desk), _first(district).forward_id)
    assert receiver.taken == ids(district.someone.found(ascending="true"))[: len(receiver.taken)]
    assert receiver.taken


def _first(district: District) -> Forward:
    with district.engine.connect() as connection:
        return forward_named(connection, district.log.log_id, "lrs", "there")


def test_attachments_go_out_with_their_data(district: District, another: District) -> None:
    there = another.with_new_log(f"there-{district.log.slug}")
    writer, data = there.client("statements/write"), b"an essay" * 100_000
    with_data = statement(attachments=[declared(data)])
    elsewhere = statement(attachments=[declared(b"a", fileUrl="https://e.org/a")])
    for sent in (with_data, elsewhere):
        assert send(district.someone, sent, *([data] if sent is with_data else [])).status_code == 200
    with served(there.app) as url:
        options = "--url", url, "--name", "there", "--key", writer.key, "--secret", writer.secret
        ran(district, "forwards", "create", district.log.slug, *options)
        ran(district, "forwards", "run", district.log.slug)
    found = there.someone.found(ascending="true", verb=VERB.format("answered"))
    assert ids(found) == [with_data["id"], elsewhere["id"]]
    answer = there.someone.get(query={"statementId": with_data["id"], "attachments": "true"})
    assert attached(answer) == {with_data["attachments"][0]["sha2"]: data}


def test_an_attachment_whose_data_nobody_has_is_a_dead_letter_with_the_reason(scene: Scene) -> None:
    sent, fine = statement(attachments=[declared(b"gone")]), statement()
    scene.district.app.extensions["lrs"].writer.append(scene.district.log.log_id, request(sent, fine))
    scene.run()
    assert scene.receiver.taken == [fine["id"]]
    assert [(one.statement_id, one.status, one.answer) for one in scene.dead()] == [(sent["id"], 0, WITHOUT_DATA)]


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Iterator[District]:
    """Another Cairn over databases of its own."""
    settings = Settings(data_dir=str(tmp_path_factory.mktemp("another")))
    migrate(settings)
    with open_district(settings) as one:
        yield one


def test_a_paused_forward_rests_and_goes_on_where_it_was(scene: Scene) -> None:
    scene.command("pause", "there")
    sent = ids(posted(scene.district, 3))
    assert scene.run() == 0
    scene.command("resume", "there")
    scene.run()
    assert scene.receiver.taken == sent


def test_a_replay_sends_again_from_a_position(scene: Scene) -> None:
    sent = ids(posted(scene.district, 6))
    scene.run()
    scene.command("replay", "there", "--from", str(scene.district.size() - 1))
    scene.run()
    assert scene.receiver.taken == sent + sent[-2:]


def test_a_replay_through_a_dead_letter_settles_it(scene: Scene) -> None:
    sent = ids(posted(scene.district, 6))
    scene.receiver.judge = refusing(sent[:1], 400)
    scene.run()
    scene.receiver.judge = lambda _: 200
    scene.command("replay", "there", "--from", "1")
    scene.run()
    assert (scene.dead(), scene.receiver.taken[-6:]) == ([], sent)


def test_dead_letters_are_listed_and_sent_again(scene: Scene) -> None:
    sent = ids(posted(scene.district, 6))
    scene.receiver.judge = refusing(sent[:2], 400)
    scene.run()
    assert [line.split("\t")[1] for line in scene.command("dead-letters", "there").splitlines()] == sent[:2]
    scene.receiver.judge = refusing(sent[:1], 422)
    result = run(scene.district, "forwards", "retry", scene.district.log.slug, "there")
    assert (result.exit_code, result.stdout) == (1, "1 taken, 1 still refused\n")
    assert [(one.statement_id, one.status) for one in scene.dead()] == [(sent[0], 422)]
    scene.receiver.judge = lambda _: 200
    assert scene.command("retry", "there") == "1 taken, 0 still refused\n"
    assert scene.dead() == []


def test_the_list_tells_place_lag_and_trouble_and_never_the_secret(scene: Scene) -> None:
    _ = scene.district.someone
    scene.run()
    posted(scene.district, 4)
    scene.receiver.judge = lambda _: 500
    scene.run()
    told = scene.command("list")
    size = scene.district.size()
    assert f"waiting, position {size - 4} of {size}, lag 4 position(s), " in told
    assert "failed 1 time(s)" in told
    assert "s3cret" not in told


def test_run_is_for_cron_and_tells_trouble_by_its_exit(scene: Scene) -> None:
    posted(scene.district, 2)
    slug = scene.district.log.slug
    assert run(scene.district, "forwards", "run", slug).exit_code == 0
    posted(scene.district, 1)
    scene.receiver.judge = lambda _: 500
    assert run(scene.district, "forwards", "run", slug).exit_code == 1


def test_the_secret_is_sealed_at_rest(scene: Scene) -> None:
    assert b"s3cret" not in scene.forward.sealed_secret
    assert scene.carrier.seal.open(scene.forward.sealed_secret) == "s3cret"


def test_a_secret_sealed_under_another_key_is_trouble_that_names_the_fix(scene: Scene) -> None:
    posted(scene.district, 1)
    other = replace(scene.carrier, seal=type(scene.carrier.seal)("another key"))
    assert run_forward(other, scene.forward.forward_id) == 0
    assert "CAIRN_SECRET_KEY" in scene.forward.trouble


def test_what_was_settled_before_a_replay_does_not_undo_it(scene: Scene) -> None:
    posted(scene.district, 3)
    before = scene.forward
    scene.run()
    with scene.district.engine.begin() as connection:
        assert not settle(connection, before, Settled(1, 0, [], 0, 0, ""))
    assert scene.forward.position == scene.district.size()


def test_while_one_process_sends_no_other_does(scene: Scene) -> None:
    sent = ids(posted(scene.district, 3))
    with claimed_forward(scene.district.engine, scene.forward.forward_id) as writing:
        assert writing is not None
        assert scene.run() == 0
    scene.run()
    assert scene.receiver.taken == sent


def test_of_many_that_run_at_once_each_statement_is_sent_by_one(scene: Scene) -> None:
    sent = ids(posted(scene.district, 60))
    threads = [threading.Thread(target=scene.run) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    scene.run()
    assert scene.receiver.taken == sent


def test_a_removed_forward_is_gone_with_its_dead_letters(scene: Scene) -> None:
    sent = ids(posted(scene.district, 1))
    scene.receiver.judge = refusing(sent, 400)
    scene.run()
    scene.command("remove", "there")
    with pytest.raises(NotFound):
        _ = scene.forward


@pytest.mark.parametrize(
    "options",
    [
        ("--url", "ftp://e.org", "--key", "k", "--secret", "s"),
        ("--url", "https://me:pass@e.org/xapi", "--key", "k", "--secret", "s"),
        ("--url", "https://e.org/xapi", "--key", "k", "--secret", "s", "--verb", "no iri"),
        ("--url", "https://e.org/xapi", "--key", "k", "--secret", "s", "--name", "there"),
    ],
)
def test_a_forward_that_cannot_be_is_refused(scene: Scene, options: tuple[str, ...]) -> None:
    assert run(scene.district, "forwards", "create", scene.district.log.slug, *options).exit_code != 0
