"""Agents and Groups: who they are, and what makes one valid (xAPI 1.0.3 Data 2.4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from lrs.errors import Problem
from lrs.xapi.shapes import (
    Place,
    array_of,
    check_iri,
    check_irl,
    check_string,
    object_of,
    report,
    text_of,
    word_of,
)
from lrs.xapi.values import Json, is_mbox, is_sha1_hex

IDENTIFIERS = ("mbox", "mbox_sha1sum", "openid", "account")
_MEMBERS_OF_AUTHORITY = 2


def ifi(actor: Mapping[str, Json]) -> str | None:
    """Return the inverse functional identifier as one canonical text; an Anonymous Group has none.

    Letters whose case does not matter are lowered: the domain of an e-mail address, and a hash.
    """
    if "account" in actor:
        account = cast("Mapping[str, str]", actor["account"])
        return f"account:{account['homePage']}|{account['name']}"
    if "mbox" in actor:
        local, _, domain = cast("str", actor["mbox"]).rpartition("@")
        return f"mbox:{local}@{domain.lower()}"
    if "mbox_sha1sum" in actor:
        return f"mbox_sha1sum:{cast('str', actor['mbox_sha1sum']).lower()}"
    return f"openid:{actor['openid']}" if "openid" in actor else None


def check_agent(value: Json, place: Place, problems: list[Problem]) -> None:
    """An Agent has exactly one identifier and no members."""
    _check_agent_members(value, place, problems)
    if isinstance(value, dict) and _count_of_identifiers(value) != 1:
        _report_identifiers(value, place, problems)


def check_group(value: Json, place: Place, problems: list[Problem]) -> None:
    """A Group has one identifier, or at least one member and no identifier; its members are Agents."""
    _check_group_members(value, place, problems)
    if not isinstance(value, dict):
        return
    count = _count_of_identifiers(value)
    if count > 1:
        _report_identifiers(value, place, problems)
    elif count == 0 and not value.get("member"):
        report(problems, (place, "member"), "missing: a Group without identifier must list its members")


def check_actor(value: Json, place: Place, problems: list[Problem]) -> None:
    """An Agent or a Group, told apart by objectType; members without objectType make a Group that must say so."""
    is_group = isinstance(value, dict) and value.get("objectType", "Group" if "member" in value else None) == "Group"
    (check_group if is_group else check_agent)(value, place, problems)


def check_authority(value: Json, place: Place, problems: list[Problem]) -> None:
    """Data 2.4.9: an Agent, or an application and its user as the two members of an Anonymous Group."""
    check_actor(value, place, problems)
    if not isinstance(value, dict) or value.get("objectType") != "Group":
        return
    if _count_of_identifiers(value):
        report(problems, place, "a Group as authority must be anonymous: remove its identifier")
    members = value.get("member")
    if isinstance(members, list) and len(members) != _MEMBERS_OF_AUTHORITY:
        report(problems, (place, "member"), f"must hold exactly two Agents, not {len(members)}")


def _count_of_identifiers(actor: Mapping[str, Json]) -> int:
    return ("account" in actor) + ("mbox" in actor) + ("mbox_sha1sum" in actor) + ("openid" in actor)


def _report_identifiers(actor: Mapping[str, Json], place: Place, problems: list[Problem]) -> None:
    found = " and ".join(name for name in IDENTIFIERS if name in actor) or "none"
    report(problems, place, f"give exactly one of {', '.join(IDENTIFIERS)}; found {found}")


_IDENTITY = {
    "name": check_string,
    "mbox": text_of(is_mbox, "mailto: and an e-mail address, such as mailto:ann@example.org"),
    "mbox_sha1sum": text_of(is_sha1_hex, "a SHA-1 in 40 hex digits"),
    "openid": check_iri,
    "account": object_of({"homePage": check_irl, "name": check_string}, required=("homePage", "name")),
}
_check_agent_members = object_of({"objectType": word_of(["Agent"]), **_IDENTITY})
_check_group_members = object_of(
    {"objectType": word_of(["Group"]), "member": array_of(check_agent), **_IDENTITY}, required=("objectType",)
)
