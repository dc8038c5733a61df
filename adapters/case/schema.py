"""The objects of CASE 1.1 as a table: which fields each has inside a package, in an export's order, and of what kind.

A kind is the name of a reader in `strict`, or `Each(name)` for a list of other objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple


class Each(NamedTuple):
    """A list of objects of one class."""

    name: str


Fields = Mapping[str, str | Each]

_NAMED: Final = {"identifier": "uuid", "uri": "text"}
_CHANGED: Final = {"lastChangeDateTime": "moment"}
_TERM: Final = {**_NAMED, "title": "text"}
_STATUS: Final = {"statusStartDate": "day", "statusEndDate": "day"}

CLASSES: Final[Mapping[str, Fields]] = MappingProxyType(
    {
        "CFDocument": {
            **_NAMED,
            "frameworkType": "text",
            "caseVersion": "text",
            "creator": "text",
            "title": "text",
            **_CHANGED,
            "officialSourceURL": "text",
            "publisher": "text",
            "description": "text",
            "subject": "texts",
            "subjectURI": "links",
            "language": "text",
            "version": "text",
            "adoptionStatus": "text",
            **_STATUS,
            "licenseURI": "link",
            "notes": "text",
        },
        "CFItem": {
            "identifier": "uuid",
            "fullStatement": "text",
            "alternativeLabel": "text",
            "CFItemType": "text",
            "uri": "text",
            "humanCodingScheme": "text",
            "listEnumeration": "text",
            "abbreviatedStatement": "text",
            "conceptKeywords": "texts",
            "conceptKeywordsURI": "link",
            "notes": "text",
            "subject": "texts",
            "subjectURI": "links",
            "language": "text",
            "educationLevel": "texts",
            "CFItemTypeURI": "link",
            "licenseURI": "link",
            **_STATUS,
            **_CHANGED,
        },
        "CFAssociation": {
            "identifier": "uuid",
            "associationType": "type",
            "sequenceNumber": "whole",
            "uri": "text",
            "originNodeURI": "end",
            "destinationNodeURI": "end",
            "CFAssociationGroupingURI": "link",
            **_CHANGED,
            "notes": "text",
        },
        "CFDefinitions": {
            "CFConcepts": Each("CFConcept"),
            "CFSubjects": Each("CFSubject"),
            "CFLicenses": Each("CFLicense"),
            "CFItemTypes": Each("CFItemType"),
            "CFAssociationGroupings": Each("CFAssociationGrouping"),
        },
        "CFConcept": {**_TERM, "keywords": "text", "hierarchyCode": "text", "description": "text", **_CHANGED},
        "CFSubject": {**_TERM, "hierarchyCode": "text", "description": "text", **_CHANGED},
        "CFLicense": {**_TERM, "description": "text", "licenseText": "text", **_CHANGED},
        "CFItemType": {**_TERM, "description": "text", "hierarchyCode": "text", "typeCode": "text", **_CHANGED},
        "CFAssociationGrouping": {**_TERM, "description": "text", **_CHANGED},
        "CFRubric": {
            **_TERM,
            "description": "text",
            **_CHANGED,
            "CFRubricCriteria": Each("CFRubricCriterion"),
        },
        "CFRubricCriterion": {
            **_NAMED,
            "category": "text",
            "description": "text",
            "CFItemURI": "link",
            "weight": "number",
            "position": "whole",
            "rubricId": "uuid",
            **_CHANGED,
            "CFRubricCriterionLevels": Each("CFRubricCriterionLevel"),
        },
        "CFRubricCriterionLevel": {
            **_NAMED,
            "description": "text",
            "quality": "text",
            "score": "number",
            "feedback": "text",
            "position": "whole",
            "rubricCriterionId": "uuid",
            **_CHANGED,
        },
    }
)

REQUIRED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "CFDocument": ("identifier", "uri", "creator", "title", "lastChangeDateTime"),
        "CFItem": ("identifier", "fullStatement", "uri", "lastChangeDateTime"),
        "CFAssociation": (
            "identifier", "associationType", "uri", "originNodeURI", "destinationNodeURI", "lastChangeDateTime",
        ),
        "CFConcept": ("identifier", "uri", "title", "hierarchyCode", "lastChangeDateTime"),
        "CFSubject": ("identifier", "uri", "title", "hierarchyCode", "lastChangeDateTime"),
        "CFLicense": ("identifier", "uri", "title", "licenseText", "lastChangeDateTime"),
        "CFItemType": ("identifier", "uri", "title", "description", "hierarchyCode", "lastChangeDateTime"),
        "CFAssociationGrouping": ("identifier", "uri", "title", "lastChangeDateTime"),
        "CFRubric": ("identifier", "uri", "lastChangeDateTime"),
        "CFRubricCriterion": ("identifier", "uri", "lastChangeDateTime"),
        "CFRubricCriterionLevel": ("identifier", "uri", "lastChangeDateTime"),
    }
)  # fmt: skip

ELSEWHERE: Final = frozenset({"CFPackageURI", "CFDocumentURI", "CFItemAssociationURI"})
"""Where the server that a package came from keeps its parts: of no use inside a package, and not allowed there."""

EXTENSIONS: Final = "extensions"
EXTENSIONS_LISTED: Final = frozenset({"CFRubricCriterionLevel"})
"""The classes whose extensions CASE has as a list."""
