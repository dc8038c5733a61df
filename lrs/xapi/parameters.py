"""The parameters of a request's address: each known, given once and readable, or every problem told by its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, TypeAlias, cast

from lrs.errors import InvalidJson, InvalidRequest, Problem
from lrs.xapi.actors import check_actor, ifi
from lrs.xapi.decode import statements_of
from lrs.xapi.parts import Valid
from lrs.xapi.shapes import Check, check_iri, check_uuid, nearest, word_of

Arguments: TypeAlias = Mapping[str, Sequence[str]]
Reader: TypeAlias = Callable[[str], object]
Table: TypeAlias = Mapping[str, tuple[str, Reader]]
"""For each parameter the field that it fills and what reads its text, raising ValueError in words for the sender."""

UNUSABLE = "The query has parameters that cannot be used."


def unknown(args: Arguments, known: Collection[str]) -> list[Problem]:
    """Return a problem for each parameter that is not known; names are case-sensitive (Communication 3.2)."""
    return [_unknown(name, known) for name in args if name not in known]


def values(args: Arguments, table: Table, problems: list[Problem]) -> dict[str, Any]:
    """Return what the parameters say, by field; add a problem for each that is repeated or malformed."""
    found: dict[str, Any] = {}
    for name, texts in args.items():
        if name not in table:
            continue
        if len(texts) != 1:
            problems.append(Problem(f"?{name}", f"must be given once, not {len(texts)} times"))
            continue
        field, read = table[name]
        try:
            found[field] = read(texts[0])
        except ValueError as error:
            problems.extend(Problem(f"?{name}", str(words)) for words in error.args)
    return found


def only(args: Arguments, name: str, read: Reader) -> Any:
    """Return the one parameter of a request that must have it and takes no other; raises InvalidRequest."""
    table = {name: (name, read)}
    problems = unknown(args, table)
    if name not in args:
        problems.append(Problem(f"?{name}", "missing"))
    found = values(args, table, problems)
    if problems:
        raise InvalidRequest(UNUSABLE, problems)
    return found[name]


def by_check(check: Check) -> Callable[[str], str]:
    """Return a reader that demands of a parameter what the check demands of the same value in a statement."""

    def read(text: str) -> str:
        problems: list[Problem] = []
        check(text, "", problems)
        if problems:
            raise ValueError(*(problem.message for problem in problems))
        return text

    return read


iri = by_check(check_iri)
_uuid = by_check(check_uuid)
_true_or_false = by_check(word_of(["true", "false"]))


def lower_uuid(text: str) -> str:
    """Read a UUID; its letters are lowered, since their case makes no difference."""
    return _uuid(text).lower()


def boolean(text: str) -> bool:
    """Read true or false."""
    return _true_or_false(text) == "true"


def identified(text: str) -> Valid:
    """Read an Agent or an identified Group from JSON."""
    if not text.lstrip().startswith("{"):
        raise ValueError("must be an Agent or an identified Group, as a JSON object")
    try:
        ((_, agent),) = statements_of(text.encode())
    except InvalidJson as error:
        raise ValueError(*(problem.message for problem in error.problems)) from error
    problems: list[Problem] = []
    check_actor(agent, "", problems)
    if problems:
        raise ValueError(*map(str, problems))
    if ifi(cast("Valid", agent)) is None:
        raise ValueError("must have an identifier: an anonymous Group cannot be looked for")
    return cast("Valid", agent)


def identifier(text: str) -> str:
    """Read an Agent or an identified Group from JSON as its canonical identifier."""
    found = ifi(identified(text))
    assert found is not None
    return found


def _unknown(name: str, known: Collection[str]) -> Problem:
    near = nearest(name, known)
    return Problem(f"?{name}", f'unknown: did you mean "{near}"?' if near else "unknown: remove it")
