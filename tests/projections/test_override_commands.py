"""The registrar sets, lists and clears overrides on the command line; the decision page tells of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import wsgi
from tests.district import District
from tests.projections.overriding import override_document
from tests.projections.scenes import ALGEBRA, Json, address_of, did, first_acts, folded, standings


@pytest.fixture
def district(shared_district: District, monkeypatch: pytest.MonkeyPatch) -> District:
    """A log with one piece of work, which the command line opens."""
    begun = folded(shared_district, [*first_acts(), did("ada", "essay", 0.5, 1)])
    monkeypatch.setattr(wsgi, "desk_of", lambda _settings: begun.desk)
    return begun


def run(district: District, *words: str) -> Result:
    return CliRunner().invoke(wsgi.cairn, ["override", *words], obj=district.desk)


def set_for_ada(district: District, tmp_path: Path, *words: str, **more: object) -> Result:
    document: Json = {**override_document("ada", ALGEBRA), **more}
    path = tmp_path / "override.json"
    path.write_text(json.dumps(document))
    return run(district, "set", district.log.slug, str(path), *words)


def test_an_override_is_set_listed_and_cleared(district: District, tmp_path: Path) -> None:
    assert set_for_ada(district, tmp_path, "--author", "teacher").exit_code == 0
    district.fold()
    one = standings(district, "ada")["algebra"]
    assert (one["status"], one["override"]["by"]["name"]) == ("proficient", "teacher")
    told = run(district, "list", district.log.slug).output
    assert f"{one['override']['id']}  {address_of('ada')}  {ALGEBRA}: proficient" in told
    cleared = run(district, "clear", district.log.slug, one["override"]["id"], "--reason", "It was another's work.")
    assert cleared.exit_code == 0
    district.fold()
    assert run(district, "list", district.log.slug).output == ""
    assert standings(district, "ada")["algebra"]["status"] == "insufficient_evidence"


def test_an_override_without_evidence_is_refused_on_the_command_line(district: District, tmp_path: Path) -> None:
    answer = set_for_ada(district, tmp_path, evidence=[])
    assert answer.exit_code != 0
