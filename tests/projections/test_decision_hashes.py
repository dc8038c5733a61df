"""Every field that a decision tells moves its hashes; positions move the digest, and never the outcome."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from projections.evidence.evidence import KINDS, Evidence
from projections.mastery.outcome import ChildStanding, Input, Outcome, Unmet
from projections.mastery.overrides import Override, Overriding
from projections.mastery.timeline import NO_DIGEST, Change, Decision, Judged, State, Version, decided

PIECE = Evidence(7, "a0", 1_000, KINDS.index("portfolio"), 5, 0, 3, 4, None, 9)
OTHER = PIECE._replace(position=8, statement_id="b0", timestamp=2_000)
VERSION = Version(0, None, "rule@1", 2, 1)
OVERRIDE = Override("urn:o", {}, "proficient", "Seen", ("c0",), "urn:c")
SET = Overriding(9, 3_000, "d0", OVERRIDE)
OUTCOME = Outcome(
    "not_yet",
    "Developing",
    Decimal("2.345"),
    Decimal("2.35"),
    (Input(PIECE, Decimal(3), "counts"),),
    ((OTHER, "excused"),),
    (Unmet("min_tasks", "1", "2"),),
)
JUDGED = Judged(VERSION, OUTCOME, "not_yet", "Developing", None, "", None)


def decision(judged: Judged = JUDGED, position: int = 10, cause: int = 0, previous: bytes = NO_DIGEST) -> Decision:
    return decided(State(digest=previous), judged, position, cause)


def with_outcome(**changed: Any) -> Judged:
    return JUDGED._replace(outcome=OUTCOME._replace(**changed))


@pytest.mark.parametrize(
    "judged",
    [
        JUDGED._replace(version=VERSION._replace(name="rule@2")),
        JUDGED._replace(status="proficient"),
        JUDGED._replace(level="Secure"),
        JUDGED._replace(override=SET),
        JUDGED._replace(override=SET, objection="expired"),
        JUDGED._replace(override=SET._replace(statement_id="e0")),
        JUDGED._replace(lapses=5),
        with_outcome(status="proficient"),
        with_outcome(level="Secure"),
        with_outcome(raw=Decimal("2.346")),
        with_outcome(rounded=Decimal("2.36")),
        with_outcome(inputs=()),
        with_outcome(inputs=(Input(OTHER, Decimal(3), "counts"),)),
        with_outcome(inputs=(Input(PIECE._replace(criterion=1), Decimal(3), "counts"),)),
        with_outcome(inputs=(Input(PIECE, Decimal(2), "counts"),)),
        with_outcome(inputs=(Input(PIECE, Decimal(3), "65 %"),)),
        with_outcome(unmet=()),
        with_outcome(children=(ChildStanding(4, "proficient"),)),
    ],
)
def test_each_thing_that_was_decided_moves_the_outcome_and_so_the_digest(judged: Judged) -> None:
    seen = {one.outcome for one in (decision(), decision(judged), decision(JUDGED._replace(override=SET)))}
    assert len(seen) == (2 if judged == JUDGED._replace(override=SET) else 3)
    assert decision(judged).digest != decision().digest


@pytest.mark.parametrize(
    ("judged", "where"),
    [
        (JUDGED, {"position": 11}),
        (JUDGED, {"cause": 1}),
        (JUDGED, {"previous": bytes(31) + b"\1"}),
        (JUDGED._replace(version=VERSION._replace(rule_position=3)), {}),
        (JUDGED._replace(version=VERSION._replace(scale_position=3)), {}),
        (with_outcome(excluded=()), {}),
        (with_outcome(excluded=((OTHER, "duplicate"),)), {}),
    ],
)
def test_how_a_decision_came_about_moves_its_digest_and_never_its_outcome(judged: Judged, where: Any) -> None:
    assert decision(judged, **where).digest != decision().digest
    assert decision(judged, **where).outcome == decision().outcome


def test_the_position_of_an_override_moves_the_digest_alone() -> None:
    first, second = (JUDGED._replace(override=SET._replace(position=at)) for at in (9, 12))
    assert decision(first).digest != decision(second).digest
    assert decision(first).outcome == decision(second).outcome


def test_a_state_that_has_hashed_inputs_before_gives_the_hash_of_one_that_has_not() -> None:
    state = State()
    one, two = Input(PIECE, Decimal(3), "counts"), Input(OTHER, Decimal(2), "below")
    for inputs in [(one,), (one, two), (two,), (), (one, two), (one._replace(weight="65 %"), two)]:
        judged = with_outcome(inputs=inputs)
        assert decided(state, judged, 10, 0).outcome == decision(judged).outcome


def test_two_criteria_of_one_statement_begin_and_end_apart() -> None:
    state = State()
    for criterion in (2, 1):
        state.apply(Change(7, 1, "", PIECE._replace(criterion=criterion)))
    assert [one.criterion for one in state.evidence] == [1, 2]
    state.apply(Change(8, -1, "realigned", PIECE._replace(criterion=1)))
    assert [one.criterion for one in state.evidence] == [2]
