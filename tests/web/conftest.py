from __future__ import annotations

import uuid

import pytest

from lrs.web.signing import THROTTLE
from tests.district import District
from tests.web.school import School, school_in


@pytest.fixture(autouse=True)
def _nobody_has_failed(shared_district: District) -> None:
    """Let failed attempts of one test not count in the next."""
    shared_district.app.extensions[THROTTLE].failures.clear()


@pytest.fixture(scope="session")
def school(shared_district: District) -> School:
    """A school that tests read and leave as it is."""
    return school_in(shared_district.with_new_log(uuid.uuid4().hex[:12]))


@pytest.fixture
def own_school(district: District) -> School:
    """A school of the test's own, to change."""
    return school_in(district)
