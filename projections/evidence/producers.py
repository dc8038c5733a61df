"""How widely used tools write their statements, as normalisers that every log begins with.

They are documents like those of a registrar: published in the log, so that what was read by them stays provable, and
superseded by the next version of the same id. What no normaliser is for is read as generic: points before `scaled`,
and `scaled` from 0 to 1. A version given out once never changes; what is learnt later becomes the next version.
"""

from __future__ import annotations

from typing import Any, Final

from projections.profile import PROFILE


def _shipped(name: str, title: str, match: dict[str, Any], minimum: str, **more: Any) -> dict[str, Any]:
    scaled = {"minimum": minimum, "maximum": "1"}
    return {
        "id": f"{PROFILE}/normalisers/{name}",
        "version": 1,
        "title": title,
        "match": match,
        "scaled": scaled,
        **more,
    }


SHIPPED: Final = (
    _shipped("moodle", "Moodle: scaled scores from -1 to 1", {"platform": "Moodle"}, "-1"),
    _shipped(
        "h5p",
        "H5P: points before the rounded scaled score; a part counts where it is aligned itself",
        {"category": "http://h5p.org/libraries/*"},
        "0",
        parts="http://h5p.org/x-api/h5p-subContentId",
    ),
    _shipped(
        "open-edx",
        "Open edX: scaled scores from 0 to 1, attempts numbered",
        {"extension": "https://w3id.org/xapi/openedx/extension/transformer-version"},
        "0",
        attempt="http://id.tincanapi.com/extension/attempt-id",
    ),
    _shipped(
        "cmi5",
        "cmi5: the scaled score from 0 to 1 is the one that counts",
        {"category": "https://w3id.org/xapi/cmi5/context/categories/cmi5"},
        "0",
        prefers="scaled",
    ),
    _shipped("canvas", "Canvas: scaled scores from 0 to 1", {"platform": "Canvas"}, "0"),
)
