from __future__ import annotations

import json
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projections.mastery.arithmetic import steps
from projections.mastery.methods import METHODS, Params, rounded, weights

VECTORS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "golden_vectors.json").read_text())
SCORES = st.lists(st.decimals("0", "5", places=2), min_size=1, max_size=8)


def decimals(*scores: str) -> list[Decimal]:
    return [Decimal(score) for score in scores]


def params(written: dict[str, int]) -> Params:
    return Params(w=written.get("w", 65), n=written.get("n", 1), cut=Decimal(written.get("cut", 0)))


@pytest.mark.parametrize("vector", VECTORS, ids=[vector["id"] for vector in VECTORS])
def test_each_published_vector_is_met_to_the_hundredth(vector: dict[str, Any]) -> None:
    value = METHODS[vector["method"]](decimals(*vector["scores"]), params(vector["params"]))
    assert (None if value is None else str(rounded(value))) == vector["expect"]


def test_a_whole_file_of_vectors_is_there() -> None:
    assert len(VECTORS) == 28
    assert {vector["method"] for vector in VECTORS} == set(METHODS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("4.125", "4.13"),
        ("3.475", "3.48"),
        ("3.175", "3.18"),
        ("2.994999", "2.99"),
        ("2.995", "3.00"),
        ("0.005", "0.01"),
        ("0.004999999999999999999999999", "0.00"),
        ("2.675", "2.68"),
        ("-0.005", "-0.01"),
    ],
)
def test_half_of_a_hundredth_rounds_up(value: str, expected: str) -> None:
    assert str(rounded(Decimal(value))) == expected


@given(st.integers(0, 500), st.integers(0, 500))
def test_a_weighted_average_that_lies_on_the_half_rounds_up(first: int, last: int) -> None:
    value = METHODS["weighted_average"]([Decimal(first) / 100, Decimal(last) / 100], Params(w=65))
    hundredths = Fraction(35 * first + 65 * last, 100)
    assert value is not None
    assert rounded(value) * 100 == (hundredths + Fraction(1, 2)).__floor__()


@pytest.mark.parametrize("method", METHODS)
def test_no_scores_give_no_value(method: str) -> None:
    assert METHODS[method]([], Params()) is None


@pytest.mark.parametrize("method", METHODS)
def test_a_lone_score_is_the_value(method: str) -> None:
    assert METHODS[method](decimals("2.5"), Params(cut=Decimal(2))) == Decimal("2.5")


def test_zero_is_a_score_and_lowers_an_average() -> None:
    assert METHODS["average"](decimals("0", "4"), Params()) == 2


def test_one_name_with_two_sums_gives_two_results() -> None:
    scores = decimals("1", "2", "3", "4", "5")
    assert METHODS["weighted_average"](scores, Params(w=65)) == Decimal("4.125")
    assert METHODS["decaying_average"](scores, Params(w=65)) == Decimal("4.46961875")


def test_power_law_is_held_at_the_maximum() -> None:
    scores = decimals("1", "2", "3.5", "4")
    free, held = METHODS["power_law"](scores, Params()), METHODS["power_law"](scores, Params(maximum=Decimal(4)))
    assert free is not None
    assert free > 4
    assert held == 4


def test_power_law_through_two_scores_ends_at_the_second() -> None:
    assert METHODS["power_law"](decimals("1", "3"), Params()) == 3


def test_power_law_has_no_value_with_a_zero() -> None:
    assert METHODS["power_law"](decimals("1", "0", "3"), Params()) is None


def test_power_law_of_equal_scores_is_that_score_to_the_last_digit() -> None:
    assert METHODS["power_law"](decimals("2.125", "2.125", "2.125", "2.125"), Params()) == Decimal("2.125")


def test_power_law_gives_these_very_digits_on_every_machine() -> None:
    value = METHODS["power_law"](decimals("4", "3", "2", "1"), Params())
    assert str(value) == "1.280946679598641129521365548"


@given(SCORES, st.sampled_from(sorted(METHODS)))
def test_the_decimal_context_of_the_caller_changes_nothing(scores: list[Decimal], method: str) -> None:
    expected = METHODS[method](scores, Params(n=1, cut=Decimal(2)))
    with localcontext(Context(prec=3)):
        found = METHODS[method](scores, Params(n=1, cut=Decimal(2)))
    assert str(found) == str(expected)


@given(SCORES, st.sampled_from(sorted({*METHODS} - {"power_law"})))
def test_no_value_lies_outside_the_scores(scores: list[Decimal], method: str) -> None:
    value = METHODS[method](scores, Params(n=1, cut=Decimal(0)))
    assert value is not None
    assert rounded(min(scores)) <= rounded(value) <= rounded(max(scores))


@pytest.mark.parametrize(
    ("method", "scores", "expected"),
    [
        ("highest", ["4", "4", "1"], ["0", "1", "0"]),
        ("latest", ["4", "4", "1"], ["0", "0", "1"]),
        ("average", ["1", "2", "3"], ["1/3", "1/3", "1/3"]),
        ("average", ["1", "2"], ["0.5", "0.5"]),
        ("median", ["3", "1", "4"], ["1", "0", "0"]),
        ("median", ["3", "1", "4", "3"], ["0.5", "0", "0", "0.5"]),
        ("mode", ["3", "1", "3.004"], ["counts", "0", "counts"]),
        ("weighted_average", ["1", "2", "3"], ["0.175", "0.175", "0.65"]),
        ("weighted_average", ["1", "2", "3", "4"], ["7/60", "7/60", "7/60", "0.65"]),
        ("weighted_average", ["1"], ["1"]),
        ("decaying_average", ["1"], ["1"]),
        ("decaying_average", ["1", "2"], ["0.35", "0.65"]),
        ("decaying_average", ["1", "2", "3", "4"], ["0.35^3", "0.65*0.35^2", "0.65*0.35", "0.65"]),
        ("n_mastery", ["3", "1", "4"], ["0.5", "0", "0.5"]),
        ("power_law", ["3", "1", "4"], ["counts", "counts", "counts"]),
        ("independent_tasks", ["2.99", "2.995", "4"], ["below the cut", "counts", "counts"]),
    ],
)
def test_weights_are_exact_text(method: str, scores: list[str], expected: list[str]) -> None:
    assert list(weights(method, decimals(*scores), Params(w=65, cut=Decimal(3)))) == expected


@given(SCORES, st.sampled_from(["highest", "latest", "average", "median", "weighted_average", "decaying_average"]))
def test_the_scores_times_their_weights_are_the_value(scores: list[Decimal], method: str) -> None:
    value = METHODS[method](scores, Params(w=65))
    total = sum(
        Fraction(score) * _number(weight)
        for score, weight in zip(scores, weights(method, scores, Params(w=65)), strict=True)
    )
    assert value is not None
    assert abs(total - Fraction(value)) < Fraction(1, 10**20)


def _number(weight: str) -> Fraction:
    number = Fraction(1)
    for factor in weight.split("*"):
        base, _, power = factor.partition("^")
        number *= Fraction(base) ** int(power or 1)
    return number


@pytest.mark.parametrize("method", [*METHODS, "independent_tasks"])
def test_no_score_is_one_step(method: str) -> None:
    assert steps(method, [], Params()) == ["no score: no value"]


@pytest.mark.parametrize(
    ("method", "scores", "expected"),
    [
        (
            "weighted_average",
            ["1", "2", "3", "4", "5"],
            [
                "mean of the earlier scores: (1 + 2 + 3 + 4) / 4 = 2.5",
                "(65 * 5 + 35 * 2.5) / 100 = 4.125",
                "4.125 half-up to two places = 4.13",
            ],
        ),
        (
            "decaying_average",
            ["2", "3", "4"],
            [
                "start with 2",
                "(35 * 2 + 65 * 3) / 100 = 2.65",
                "(35 * 2.65 + 65 * 4) / 100 = 3.5275",
                "3.5275 half-up to two places = 3.53",
            ],
        ),
        ("n_mastery", ["3", "1"], ["of 3, 1, 1 at or above 3, 2 needed", "no value"]),
        (
            "n_mastery",
            ["3", "1", "4"],
            [
                "of 3, 1, 4, 2 at or above 3, 2 needed",
                "(3 + 4) / 2 = 3.5",
                "3.5 half-up to two places = 3.50",
            ],
        ),
        (
            "median",
            ["3", "1", "4", "2"],
            ["low to high: 1, 2, 3, 4", "in the middle: (2 + 3) / 2 = 2.5", "2.5 half-up to two places = 2.50"],
        ),
        (
            "mode",
            ["3", "1", "3.004"],
            [
                "of 3, 1, 3, 3.00 is there most often or latest of those: 2 of 3 times",
                "3 half-up to two places = 3.00",
            ],
        ),
        ("average", ["1", "2"], ["(1 + 2) / 2 = 1.5", "1.5 half-up to two places = 1.50"]),
        ("highest", ["1", "2"], ["highest of 1, 2 = 2", "2 half-up to two places = 2.00"]),
        ("latest", ["2", "1"], ["latest of 2, 1 = 1", "1 half-up to two places = 1.00"]),
        ("latest", ["2"], ["one score: it is the value", "2 half-up to two places = 2.00"]),
        (
            "power_law",
            ["1", "2", "3", "4", "5"],
            [
                "least squares of ln s = ln a + b * ln i over 1, 2, 3, 4, 5",
                "a = 1, b = 1",
                "a * 5^b = 5",
                "held at the maximum of the scale, 4",
                "4 half-up to two places = 4.00",
            ],
        ),
        ("power_law", ["0", "1"], ["a score of zero or less has no logarithm", "no value"]),
        (
            "power_law",
            ["1", "3"],
            ["a curve through two scores ends at the second = 3", "3 half-up to two places = 3.00"],
        ),
        (
            "independent_tasks",
            ["2.9", "3"],
            ["task 1: 2.90 is below 3", "task 2: 3.00 is at or above 3", "1 at or above 3, 2 needed"],
        ),
    ],
)
def test_the_steps_are_what_an_auditor_would_write(method: str, scores: list[str], expected: list[str]) -> None:
    found = steps(method, decimals(*scores), Params(w=65, n=2, cut=Decimal(3), maximum=Decimal(4)))
    assert found == expected


@pytest.mark.parametrize(
    ("method", "expected", "value"),
    [
        ("average", ["0.5", "0.25", "0.25"], "3.25"),
        ("weighted_average", ["7/30", "7/60", "0.65"], "2.583333333333333333333333333"),
        ("n_mastery", ["2/3", "1/3", "0"], "3.666666666666666666666666667"),
    ],
)
def test_shares_are_how_much_each_score_weighs_in_a_mean(method: str, expected: list[str], value: str) -> None:
    params = Params(w=65, n=1, cut=Decimal(3), shares=(2, 1, 1))
    assert METHODS[method](decimals("4", "3", "2"), params) == Decimal(value)
    assert list(weights(method, decimals("4", "3", "2"), params)) == expected


def test_shares_are_written_out_beside_the_scores() -> None:
    assert steps("average", decimals("4", "3"), Params(shares=(2, 1)))[0] == (
        "(2*4 + 1*3) / 3 = 3.666666666666666666666666667"
    )
