"""Who a learner is: the accounts that one learner has in several tools, as the registrar linked them.

A link says whom several accounts belong to; each further one of the same id is its next version, and one without
accounts ends it. Nothing is ever merged in silence: a link that another one contradicts has no effect and is listed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from marshmallow import ValidationError, fields, validates_schema

from lrs.errors import Problem
from lrs.xapi.actors import check_agent, ifi
from lrs.xapi.values import key64
from projections.documents import Act, Document, DocumentSchema, Iri, Several, Text, Whole, value_of


class Learner(NamedTuple):
    """Who evidence is about: the key, the identifier behind it, and the Agent as sent or as the link names it.

    `identity` is the position of the link by which the statement's account is this learner's; 0: it is their own.
    """

    key: int
    ifi: str
    agent: Mapping[str, Any]
    identity: int = 0


@dataclass(frozen=True, slots=True)
class Identity:
    """One version of a link: the accounts are the learner's too; no accounts end the link."""

    id: str
    learner: Mapping[str, Any]
    accounts: tuple[Mapping[str, Any], ...]
    reason: str
    version: int = 1


class AgentField(fields.Field[Mapping[str, Any]]):
    """An xAPI Agent with one identifier."""

    default_error_messages: Final = {"required": "is missing", "null": "must not be null: leave it out"}  # type: ignore[misc]

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> Mapping[str, Any]:
        problems: list[Problem] = []
        check_agent(value, "", problems)
        if problems:
            raise ValidationError([f"is no Agent: {one.pointer} {one.message}".replace("  ", " ") for one in problems])
        agent: Mapping[str, Any] = value
        return agent


class IdentitySchema(DocumentSchema[Identity]):
    makes = Identity
    id = Iri(required=True)
    learner = AgentField(required=True)
    accounts = Several(AgentField(), at_least=0, required=True)
    reason = Text(required=True)
    version = Whole(1)

    @validates_schema
    def _refuse_an_account_twice(self, values: dict[str, Any], **_: object) -> None:
        seen = [ifi(values["learner"])]
        wrong: dict[int, list[str]] = {}
        for place, account in enumerate(values["accounts"]):
            if ifi(account) in seen:
                wrong[place] = ["is named already: take it out"]
            seen.append(ifi(account))
        if wrong:
            raise ValidationError({"accounts": wrong})


IDENTITY: Final = IdentitySchema()


def identity_of(document: Document) -> Identity:
    """Return the link that a document stands for; raises InvalidRequest with every problem."""
    return value_of(IDENTITY, document)


class Link(NamedTuple):
    """A link that was set and not ended, and each account of it that an earlier link speaks of, with that one's id."""

    act: Act
    conflicts: tuple[tuple[str, str], ...]


class Identities:
    """The links that hold; of two that contradict each other the one set first has effect."""

    def __init__(self, acts: Iterable[Act]) -> None:
        newest: dict[str, Act] = {}
        for act in sorted(acts, key=lambda act: (act.document.version, *act.order)):
            newest[act.document.id] = act
        self.links: list[Link] = []
        self.token = object()
        self.grown_from: object = None
        self._ids = {act.document.id for act in newest.values()}
        self._last = max((act.order for act in newest.values()), default=(0, ""))
        self._learners: dict[str, Learner] = {}
        self._owned: dict[str, tuple[str, str]] = {}
        for act in sorted(newest.values(), key=lambda act: act.order):
            if act.document.accounts:
                self._take(act)

    def plus(self, act: Act) -> Identities | None:
        """Return the links with a new one behind all others, or None where it is none: then all are read anew.

        A register is linked in thousands of acts, each of which would else read all those before it.
        """
        if act.document.id in self._ids or act.order <= self._last or not act.document.accounts:
            return None
        more = Identities(())
        more.grown_from, more.links = self.token, list(self.links)
        more._ids, more._last = self._ids | {act.document.id}, act.order
        more._learners, more._owned = dict(self._learners), dict(self._owned)
        more._take(act)
        return more

    def _take(self, act: Act) -> None:
        link = Link(act, tuple(self._conflicts(act.document)))
        self.links.append(link)
        if link.conflicts:
            return
        head = str(ifi(act.document.learner))
        learner = Learner(key64("agent", head), head, act.document.learner, act.position)
        for name in _names(act.document.accounts):
            self._learners.setdefault(name, learner)
            self._owned.setdefault(name, (head, act.document.id))
        self._owned.setdefault(head, (head, act.document.id))

    def _conflicts(self, document: Identity) -> Iterable[tuple[str, str]]:
        """Yield each identifier of a link that is another learner's already, and the id of the link that says so."""
        head = str(ifi(document.learner))
        for name in (head, *_names(document.accounts)):
            owner = self._owned.get(name)
            if owner is not None and owner[0] != head:
                yield name, owner[1]

    def learner(self, identifier: str, agent: Mapping[str, Any]) -> Learner:
        """Return the learner whose account this is."""
        return self._learners.get(identifier) or Learner(key64("agent", identifier), identifier, agent)

    def learners(self, actor: Mapping[str, Any]) -> list[Learner]:
        """Return the actor's learner, or that of each member of a group: its work is evidence for every one of them."""
        agents = actor.get("member", ()) if actor.get("objectType") == "Group" else (actor,)
        found: dict[int, Learner] = {}
        for agent in agents:
            identifier = ifi(agent)
            if identifier is not None:
                one = self.learner(identifier, agent)
                found.setdefault(one.key, one)
        return list(found.values())

    @property
    def owners(self) -> dict[int, int]:
        """The key of the learner of each linked account, by the account's own key."""
        return {key64("agent", name): one.key for name, one in self._learners.items()}


def moved(before: Identities, after: Identities) -> set[int]:
    """Return the keys under which evidence stood, before, of the accounts that are another's after."""
    if after.grown_from is before.token:
        link = after.links[-1]
        return set() if link.conflicts else {key64("agent", name) for name in _names(link.act.document.accounts)}
    old, new = before.owners, after.owners
    return {old.get(key, key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


def _names(accounts: Sequence[Mapping[str, Any]]) -> list[str]:
    return [str(ifi(account)) for account in accounts]
