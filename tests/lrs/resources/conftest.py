"""A district whose first credential is already granted: what is appended from here on is the test's own."""

from __future__ import annotations

import pytest

from tests.district import District


@pytest.fixture
def district(district: District) -> District:
    """A log of the test's own, the grant of `someone` in it."""
    assert district.someone.key
    return district
