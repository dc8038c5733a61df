"""What `docs/` shows is what the code takes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from projections import acts
from projections.acts import CARRIED
from projections.documents import load

DOCUMENTS = (Path(__file__).parent.parent / "docs" / "documents.md").read_text()
EXAMPLES = dict(re.findall(r"```json (\w+)\n(.*?)```", DOCUMENTS, re.DOTALL))
ACTOR = {"objectType": "Agent", "mbox": "mailto:registrar@example.org"}


@pytest.mark.parametrize("kind", sorted(set(CARRIED) - {"credential"}))
def test_every_kind_of_document_has_an_example_that_is_taken(kind: str) -> None:
    schema = CARRIED[kind].schema
    assert schema is not None
    assert load(schema, json.loads(EXAMPLES[kind]), "")[1] == []


@pytest.mark.parametrize("kind", ["scale", "rule", "policy", "normaliser", "rubric"])
def test_an_example_makes_an_act_that_passes_the_gate(kind: str) -> None:
    assert acts.problems(acts.publish(kind, json.loads(EXAMPLES[kind]), ACTOR)) == []
