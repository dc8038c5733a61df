"""Webhooks: signed, named, sent again under the same name, and verified as `docs/exchange.md` says."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from lrs.exchange.commands.desk import carrier_of
from lrs.exchange.forwarding import run_forward
from lrs.exchange.receivers import signature
from lrs.store.exchange import forward_named
from tests.district import District, ids
from tests.lrs.exchange.receiver import Receiver, posted, ran, receiving

GUIDE = (Path(__file__).parents[3] / "docs" / "exchange.md").read_text()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that takes everything until it is told otherwise."""
    with receiving() as one:
        yield one


def hooked(district: District, receiver: Receiver, *options: str) -> str:
    """Create a webhook by its command and return its secret."""
    told = ran(
        district, "webhooks", "create", district.log.slug, "--url", receiver.url, "--name", "hook", *options
    )  # fmt: skip
    found = re.search(r"secret  (\w+)", told)
    assert found is not None
    return found[1]


def run_hook(district: District) -> None:
    """Let the webhook run, be it due or not."""
    ran(district, "webhooks", "resume", district.log.slug, "hook")
    with district.engine.connect() as connection:
        forward = forward_named(connection, district.log.log_id, "webhook", "hook")
    run_forward(carrier_of(district.desk), forward.forward_id)


def documented_check() -> Any:
    """Return the function that the guide shows."""
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    return names["is_from_cairn"]


def test_a_webhook_posts_what_comes_after_its_creation(district: District, receiver: Receiver) -> None:
    posted(district, 2)
    hooked(district, receiver)
    sent = ids(posted(district, 3))
    run_hook(district)
    (heard,) = receiver.heard
    told = msgspec.json.decode(heard.body)
    assert ids(told["statements"]) == sent
    assert (told["log"], told["webhook"]) == (district.log.slug, "hook")
    assert (told["from"], told["through"]) == (district.size() - 2, district.size())
    assert heard.headers["X-Cairn-Delivery"] == told["delivery"]


def test_the_documented_check_takes_our_signature_and_no_other(district: District, receiver: Receiver) -> None:
    secret = hooked(district, receiver)
    posted(district, 1)
    run_hook(district)
    (heard,) = receiver.heard
    check, header = documented_check(), heard.headers["X-Cairn-Signature"]
    assert check(secret, header, heard.body)
    assert not check("another", header, heard.body)
    assert not check(secret, header, heard.body + b" ")
    assert not check(secret, header.replace("v1=", "v1=0"), heard.body)
    old = signature(secret, heard.body, int(time.time()) - 3600)
    assert not check(secret, old, heard.body)


def test_a_delivery_that_is_sent_again_has_the_same_name(district: District, receiver: Receiver) -> None:
    hooked(district, receiver)
    posted(district, 2)
    receiver.judge = lambda _: 500
    run_hook(district)
    receiver.judge = lambda _: 200
    run_hook(district)
    first, second = (one.headers["X-Cairn-Delivery"] for one in receiver.heard)
    assert first == second


def test_any_2xx_takes_a_delivery(district: District, receiver: Receiver) -> None:
    hooked(district, receiver)
    posted(district, 2)
    receiver.judge = lambda _: 202
    run_hook(district)
    run_hook(district)
    assert len(receiver.heard) == 1


def test_what_a_webhook_refuses_is_a_dead_letter(district: District, receiver: Receiver) -> None:
    hooked(district, receiver, "--verb", "http://adlnet.gov/expapi/verbs/answered")
    sent = ids(posted(district, 5))
    receiver.judge = lambda statements: 422 if any(one["id"] == sent[1] for one in statements) else 200
    run_hook(district)
    told = ran(district, "webhooks", "dead-letters", district.log.slug, "hook")
    assert [line.split("\t")[1] for line in told.splitlines()] == [sent[1]]
    assert receiver.taken == [sent[0], *sent[2:]]


def test_the_secret_is_shown_once(district: District, receiver: Receiver) -> None:
    secret = hooked(district, receiver)
    assert secret not in ran(district, "webhooks", "list", district.log.slug)


def test_forwards_and_webhooks_are_listed_apart(district: District, receiver: Receiver) -> None:
    hooked(district, receiver)
    assert ran(district, "forwards", "list", district.log.slug) == ""
