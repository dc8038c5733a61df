"""Small cells: what may be told of groups of learners to those who may not see learners.

A group of fewer than `least` learners is withheld, and so is whatever would give it away: the next smallest sibling,
since a total less its visible parts is the hidden one, and a group that all but matches another. Shares at the ends of
their range are told as "at least" and "at most", the wider the smaller the group. Withheld is never the same as zero.

Groups are sets of learners, written as whole numbers whose bits are the learners' places in some list.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple, TypeAlias

LEAST: Final = 10
"""The smallest group that is told of, unless the district sets another (the mode of 39 states)."""

ENDS: Final = ((300, 1), (100, 2), (40, 5), (20, 10), (0, 20))
"""From so many learners on, shares within so many percent of 0 or 100 are told as an end of the range."""

WITHHELD: Final = "withheld"

Members: TypeAlias = int
Family: TypeAlias = Mapping[str, Members]
Cell: TypeAlias = tuple[str, str]


class Share(NamedTuple):
    """A share as it may be told: in words, and the whole percent where that is told exactly."""

    words: str
    percent: int | None


HIDDEN: Final = Share(WITHHELD, None)


def size_of(members: Members) -> int:
    """Return how many learners are in a group."""
    return members.bit_count()


def hidden_cells(families: Mapping[str, Family], everyone: Members, least: int = LEAST) -> frozenset[Cell]:
    """Return which groups must be withheld while the total of `everyone` is told.

    Each family is read as siblings under that total; whoever is in none of them counts as a sibling that nobody sees.
    """
    small = {
        (family, name)
        for family, groups in families.items()
        for name, members in groups.items()
        if 0 < size_of(members) < least
    }
    while True:
        more = small | _near(families, everyone, small, least)
        for family, groups in families.items():
            more |= {(family, name) for name in _complement(groups, everyone, _names(more, family), least)}
        if more == small:
            return frozenset(small)
        small = more


def hidden_siblings(groups: Family, everyone: Members, least: int = LEAST) -> frozenset[str]:
    """Return which of these groups must be withheld where each is told something else of than the others.

    They may overlap: that two of them hold nearly the same learners tells nothing, but what all come to is told.
    """
    small = {name for name, members in groups.items() if 0 < size_of(members) < least}
    return frozenset(_complement(groups, everyone, small, least))


def _names(cells: Iterable[Cell], family: str) -> set[str]:
    return {name for one, name in cells if one == family}


def _complement(groups: Family, everyone: Members, hidden: set[str], least: int) -> set[str]:
    """Return the siblings that are to be hidden too, so that what is left of the total tells of no small group."""
    chosen = set(hidden)
    for name in _smallest_first(groups, hidden):
        unseen = _unseen(groups, everyone, chosen)
        if not unseen or (len(unseen) > 1 and size_of(union(unseen)) >= least):
            break
        chosen.add(name)
    return chosen


def _smallest_first(groups: Family, besides: set[str]) -> list[str]:
    told = [name for name, members in groups.items() if members and name not in besides]
    return sorted(told, key=lambda name: (size_of(groups[name]), name))


def _unseen(groups: Family, everyone: Members, hidden: Iterable[str]) -> list[Members]:
    """Return the groups that the reader does not see, those who are in no group among them."""
    rest = everyone & ~union(groups.values())
    return [one for one in (*(groups[name] for name in hidden), rest) if one]


def union(groups: Iterable[Members]) -> Members:
    """Return the learners who are in any of the groups."""
    found = 0
    for members in groups:
        found |= members
    return found


def _near(families: Mapping[str, Family], everyone: Members, hidden: Iterable[Cell], least: int) -> set[Cell]:
    """Return groups that differ from a larger visible one by fewer than `least` learners: the difference would show."""
    unseen = set(hidden)
    told = [
        ((family, name), members)
        for family, groups in families.items()
        for name, members in groups.items()
        if members and (family, name) not in unseen
    ]
    told.sort(key=lambda one: (-size_of(one[1]), one[0]))
    kept, found = [everyone], set()
    for cell, members in told:
        if any(0 < size_of(members ^ other) < least for other in kept):
            found.add(cell)
        else:
            kept.append(members)
    return found


def hidden_for(
    families: Mapping[str, Family], everyone: Members, counted: Sequence[Members], least: int = LEAST
) -> frozenset[Cell]:
    """Return which groups must be withheld where shares of these categories of learners are told of each.

    More than for the sizes alone: the hidden rest of a family must not be told, by subtraction, to be all or none.
    """
    hidden = set(hidden_cells(families, everyone, least))
    for family, groups in families.items():
        own = _names(hidden, family)
        for name in _smallest_first(groups, own):
            if not own or not any(_gives_away(groups, everyone, own, category) for category in counted):
                break
            own.add(name)
        hidden |= {(family, name) for name in own}
    return frozenset(hidden)


def _gives_away(groups: Family, everyone: Members, hidden: set[str], category: Members) -> bool:
    """Whether subtraction tells that all or none of the hidden ones are in a category."""
    rest = union(_unseen(groups, everyone, hidden))
    told = [everyone, *(members for name, members in groups.items() if members and name not in hidden)]
    is_exact = all(_is_exact(size_of(one & category), size_of(one)) for one in told)
    return is_exact and bool(rest) and not _is_exact(size_of(rest & category), size_of(rest))


def _is_exact(count: int, size: int) -> bool:
    return share_of(count, size).percent is not None


def share_of(count: int, size: int, learners: int | None = None) -> Share:
    """Return what may be told of a share: a whole percent half up, or the end of the range that it lies at.

    `learners` is how many they are where what is counted are not learners themselves.
    """
    if not size:
        return Share("nobody", None)
    percent = int((Decimal(100 * count) / size).to_integral_value(ROUND_HALF_UP))
    group = size if learners is None else learners
    end = next(end for from_, end in ENDS if group >= from_)
    if percent >= 100 - end:
        return Share(f"≥{100 - end} %", None)
    if percent <= end:
        return Share(f"≤{end} %", None)
    return Share(f"{percent} %", percent)


def shares_of(counts: Sequence[int], size: int, learners: int | None = None) -> list[Share]:
    """Return what may be told of categories that share out a group; `learners` as of `share_of`.

    Of one share at an end among exact ones, the others leave no doubt: then the smallest of them is withheld.
    """
    found = [share_of(count, size, learners) for count in counts]
    exact = [place for place, share in enumerate(found) if share.percent is not None]
    if len(found) - len(exact) == 1 and exact:
        found[min(exact, key=lambda place: (counts[place], place))] = HIDDEN
    return found
