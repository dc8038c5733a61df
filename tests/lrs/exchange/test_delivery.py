"""What answers mean: halving down to the poison, staying where the receiver is in trouble, longer and longer pauses."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrs.exchange.delivery import Answer, Parcel, Send, deliver, pause_seconds


def parcels(count: int, refused: Sequence[int] = ()) -> list[Parcel]:
    """Return parcels at the positions from 11 on."""
    return [
        Parcel(place, f"id-{place}", b"{}", "no" if place in refused else "") for place in range(11, 11 + count)
    ]  # fmt: skip


def taking_all_but(poison: dict[int, int], sent: list[int]) -> Send:
    """Return a receiver that refuses whatever holds one of these positions, with the status given there."""

    def send(batch: Sequence[Parcel]) -> Answer:
        wrong = [poison[one.position] for one in batch if one.position in poison]
        if wrong:
            return Answer(wrong[0], "refused")
        sent.extend(one.position for one in batch)
        return Answer(200, was_taken=True)

    return send


@given(st.integers(1, 40), st.data())
def test_every_parcel_is_taken_in_order_or_is_a_dead_letter(count: int, data: st.DataObject) -> None:
    places = st.integers(11, 10 + count)
    poison = data.draw(st.dictionaries(places, st.sampled_from([400, 409, 413, 422])))
    unsendable = data.draw(st.sets(places)) - set(poison)
    sent: list[int] = []
    found = deliver(parcels(count, list(unsendable)), taking_all_but(poison, sent), 10)
    dead = [one.position for one, _ in found.dead]
    assert sent == sorted(set(range(11, 11 + count)) - set(poison) - unsendable)
    assert dead == sorted(unsendable | {one for one, status in poison.items() if status != 409})
    assert found.conflicts == sum(status == 409 for status in poison.values())
    assert (found.position, found.trouble, found.taken) == (10 + count, None, len(sent))


@pytest.mark.parametrize("status", [0, 301, 401, 403, 404, 408, 429, 500, 503])
def test_an_answer_that_is_not_about_the_statements_leaves_them_where_they_are(status: int) -> None:
    found = deliver(parcels(8), taking_all_but({13: status}, []), 10)
    assert (found.position, found.dead) == (10, [])
    assert found.trouble is not None
    assert found.trouble.status == status


def test_trouble_in_the_middle_keeps_what_was_settled_before() -> None:
    sent: list[int] = []
    found = deliver(parcels(8, refused=[12, 18]), taking_all_but({11: 400, 16: 503}, sent), 10)
    assert found.trouble is not None
    assert found.position == max([11, *sent])
    assert [one.position for one, _ in found.dead] == [11, 12]


def test_pauses_double_up_to_five_minutes_and_are_scattered() -> None:
    assert [pause_seconds(n, 0, 1.0) for n in (1, 2, 3, 9, 10, 1000)] == [1, 2, 4, 256, 300, 300]
    assert pause_seconds(3, 0, 0.0) == 2


def test_a_receiver_is_never_asked_sooner_than_it_wants() -> None:
    assert pause_seconds(1, 90.0, 0.5) == 90
    assert pause_seconds(10, 1.0, 1.0) == 300
    assert pause_seconds(1, 1e9, 0.5) == 3600
