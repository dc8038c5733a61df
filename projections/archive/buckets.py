"""Which bucket a learner is in: the highest bits of the learner's key, which is a hash, so the buckets are of one size.

A bucket is a range of keys: the order by learner is the order by bucket, and any database finds one in an index.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement

LEARNERS_KEYS: Final = 1 << 64
LOWEST: Final = -(1 << 63)
MOST_BITS: Final = 16
FEWEST_BITS: Final = 3
EVIDENCE_IN_ONE: Final = 100_000
STATEMENTS_IN_ONE: Final = 400_000
"""About so many rows a bucket holds at most: what one task, or one file's writer, has in memory."""


class Bucket(NamedTuple):
    """The learners with `first` <= key <= `last`; `number` counts from 0."""

    number: int
    first: int
    last: int

    def holds(self, learner: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """Return the conditions that keep a query to the bucket.

        The bounds of all keys are not written down: the least one as a literal would be no integer to PostgreSQL.
        """
        lower = [learner >= self.first] if self.first > LOWEST else []
        return lower + ([learner <= self.last] if self.last < -LOWEST - 1 else [])

    @property
    def name(self) -> str:
        """The name of the bucket's files."""
        return f"{self.number:05}.parquet"


def buckets_of(bits: int) -> list[Bucket]:
    """Return the 2 ** bits buckets, in the order of the keys."""
    width = LEARNERS_KEYS >> bits
    return [Bucket(at, LOWEST + at * width, LOWEST + (at + 1) * width - 1) for at in range(1 << bits)]


def bucket_number(learner: int, bits: int) -> int:
    """Return the number of the bucket of a learner."""
    return (learner - LOWEST) >> (64 - bits)


def fitting_bits(evidence: int, statements: int) -> int:
    """Return how many bits keep the buckets of so many rows at the size that is wanted."""
    wanted = max(evidence // EVIDENCE_IN_ONE, statements // STATEMENTS_IN_ONE)
    return min(max(wanted.bit_length(), FEWEST_BITS), MOST_BITS)
