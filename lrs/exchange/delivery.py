"""One delivery: statements, a way to send them, and what the receiver's answers mean for each of them.

A batch that is refused for what stands in it is halved until the refused statements stand alone; what the receiver
refuses for another reason, or cannot take now, stays where it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

NEVER_SENT = 0
CONFLICT = 409
ABOUT_THE_STATEMENTS = frozenset({400, CONFLICT, 413, 415, 422})
"""Answers that speak of what was sent; every other one speaks of the receiver, the address or the credential."""
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 300.0
LONGEST_ASKED_SECONDS = 3_600.0
DOUBLINGS = 12


@dataclass(frozen=True, slots=True)
class Parcel:
    """A statement on its way out; `refusal` says why it cannot be sent at all, if so."""

    position: int
    statement_id: str
    text: bytes
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered: its status (0: nothing, the network failed), its words, when it wants to be asked."""

    status: int
    text: str = ""
    retry_after: float = 0.0
    was_taken: bool = False


Send: TypeAlias = Callable[[Sequence[Parcel]], Answer]


@dataclass(slots=True)
class Delivery:
    """What became of some parcels: settled up to `position`, and the answer that stopped it there, if one did."""

    position: int
    taken: int = 0
    conflicts: int = 0
    dead: list[tuple[Parcel, Answer]] = field(default_factory=list)
    trouble: Answer | None = None


def deliver(parcels: Sequence[Parcel], send: Send, after: int) -> Delivery:
    """Send parcels in their order, behind the position `after`, until all are settled or the receiver is in trouble."""
    delivery = Delivery(after)
    sendable = [one for one in parcels if not one.refusal]
    delivery.dead = [(one, Answer(NEVER_SENT, one.refusal)) for one in parcels if one.refusal]
    if sendable:
        _settle(sendable, send, delivery)
    if delivery.trouble is None and parcels:
        delivery.position = parcels[-1].position
    delivery.dead = sorted(
        (one for one in delivery.dead if one[0].position <= delivery.position), key=lambda one: one[0].position
    )
    return delivery


def _settle(parcels: Sequence[Parcel], send: Send, delivery: Delivery) -> None:
    answer = send(parcels)
    if answer.was_taken:
        delivery.taken += len(parcels)
    elif answer.status not in ABOUT_THE_STATEMENTS:
        delivery.trouble = answer
        return
    elif len(parcels) > 1:
        middle = len(parcels) // 2
        for half in (parcels[:middle], parcels[middle:]):
            if delivery.trouble is None:
                _settle(half, send, delivery)
        return
    elif answer.status == CONFLICT:
        delivery.conflicts += 1
    else:
        delivery.dead.append((parcels[0], answer))
    delivery.position = parcels[-1].position


def pause_seconds(failures: int, asked: float, chance: float) -> float:
    """Return how long to wait after so many failures in a row: doubling, scattered by chance (0..1), never too soon.

    What the receiver asked for in Retry-After holds, up to an hour.
    """
    doubled = FIRST_PAUSE_SECONDS * 2.0 ** min(failures - 1, DOUBLINGS)
    scattered = min(doubled, LONGEST_PAUSE_SECONDS) * (0.5 + chance / 2)
    return max(scattered, min(asked, LONGEST_ASKED_SECONDS))
