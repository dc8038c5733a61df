"""The names that learners and decisions have outside: what they are made of, and nothing that a number would hide."""

from __future__ import annotations

import re
from typing import NamedTuple

from lrs.errors import NotFound

_LEARNER = re.compile(r"[0-9a-f]{16}\Z")
_DECISION = re.compile(r"([mc])\.([0-9a-f]{16})\.([0-9a-f]{16})\.([1-9][0-9]{0,18})\Z")
_UNSIGNED = 1 << 64


class DecisionId(NamedTuple):
    """Which decision: mastery or credit, whose, of what, and the position that caused it."""

    is_credit: bool
    learner: int
    subject: int
    position: int

    def __str__(self) -> str:
        return f"{'c' if self.is_credit else 'm'}.{_hex(self.learner)}.{_hex(self.subject)}.{self.position}"


def learner_id(key: int) -> str:
    """Return a learner's name in addresses: the key of the identifier, in hex; it shows no e-mail address."""
    return _hex(key)


def learner_key(text: str) -> int:
    """Return the key that a learner's name in addresses stands for; raises NotFound."""
    if not _LEARNER.match(text):
        raise NotFound(f"{text!r} is no learner id; GET /api/v1/learners lists them")
    return _signed(text)


def decision_key(text: str) -> DecisionId:
    """Return which decision an id stands for; raises NotFound."""
    found = _DECISION.match(text)
    if not found:
        raise NotFound(f"{text!r} is no decision id; GET /api/v1/learners/{{id}}/mastery names them")
    return DecisionId(found[1] == "c", _signed(found[2]), _signed(found[3]), int(found[4]))


def _hex(key: int) -> str:
    return f"{key % _UNSIGNED:016x}"


def _signed(text: str) -> int:
    value = int(text, 16)
    return value - _UNSIGNED if value >= _UNSIGNED // 2 else value
