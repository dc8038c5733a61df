"""The registrar publishes on the command line, which refuses what the gate at the append cannot see."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import wsgi
from projections.mastery.rule_documents import DEFAULT_RULE_DOCUMENT
from tests.district import District
from tests.projections.scenes import first_acts, folded


@pytest.fixture
def district(shared_district: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """A log whose default rule's first version holds from 2026-01-01 on."""
    begun = folded(shared_district, first_acts())
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: begun.desk)
    return begun


def published(district: District, folder: Path, **changed: object) -> Result:
    path = folder / "rule.json"
    path.write_text(json.dumps({**DEFAULT_RULE_DOCUMENT, "approver": "The board of the district", **changed}))
    return CliRunner().invoke(wsgi.cairn, ["publish", district.log.slug, "rule", str(path)], obj=district.desk)


def test_a_version_from_a_later_date_is_published(district: District, tmp_path: Path) -> None:
    assert published(district, tmp_path, version=2, effective_from="2026-02-01").exit_code == 0


def test_two_versions_are_never_active_on_one_date(district: District, tmp_path: Path) -> None:
    size = len(district.someone.found())
    refused = published(district, tmp_path, version=2, effective_from="2026-01-01")
    assert refused.exit_code != 0
    assert "version 1 holds from 2026-01-01 on: publish this one from a later date" in str(refused.output) + str(
        refused.exception
    )
    assert len(district.someone.found()) == size
