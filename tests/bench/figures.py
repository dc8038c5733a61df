"""What is measured at which scale, and where the figures go: a table for people, a file for whoever compares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

ROOT: Final = Path(__file__).parents[2]
RESULTS: Final = ROOT / "bench-results.json"

Tell = Callable[[str, int, int], None]


class Scale(NamedTuple):
    """How much is posted, read and folded."""

    rounds: int
    batches: int
    singles: int
    gets: int
    log: int
    folded: int
    arrivals: int
    evidence: int
    archived: int


SCALES: Final = {
    "small": Scale(
        rounds=3,
        batches=32,
        singles=800,
        gets=200,
        log=100_000,
        folded=75_000,
        arrivals=4,
        evidence=50_000,
        archived=200_000,
    ),
    "full": Scale(
        rounds=9,
        batches=100,
        singles=4_000,
        gets=1_000,
        log=1_000_000,
        folded=945_000,
        arrivals=10,
        evidence=1_000_000,
        archived=10_000_000,
    ),
}
"""`batches` and `singles` are those of one round, `arrivals` how often new statements come to a log already folded."""


class Figure(NamedTuple):
    """One result: the value, its unit, and what exactly it is a figure of."""

    value: float
    unit: str
    of: str


@dataclass
class Bench:
    """One run: the PostgreSQL server, the scale, how progress is told, a folder that goes at the end, the results."""

    server: Engine
    scale: Scale
    tell: Tell
    folder: Path
    results: dict[str, Figure] = field(default_factory=dict)

    def record(self, key: str, value: float, unit: str, of: str) -> None:
        """Keep a figure, with three digits that count, or whole where it is large."""
        self.results[key] = Figure(round(value) if value >= 1_000 else float(f"{value:.3g}"), unit, of)


def spread(values: list[float]) -> str:
    """Return the median of some values and the range they lie in, as text."""
    return f"median {median(values):.3g} of {len(values)} rounds, {min(values):.3g} to {max(values):.3g}"


def write(results: dict[str, Figure]) -> None:
    """Write the results as {key: {value, unit, of}}, over those of the run before."""
    told = {key: figure._asdict() for key, figure in results.items()}
    RESULTS.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n")


def show(results: dict[str, Figure], console: Console) -> None:
    """Print the results as a table."""
    table = Table("figure", "value", "unit", "of")
    table.columns[1].justify = "right"
    for key, (value, unit, of) in results.items():
        table.add_row(key, f"{value:,}", unit, of)
    console.print(table)
