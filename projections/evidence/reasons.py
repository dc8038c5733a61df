"""Why a statement that could be evidence is not, in plain words, and how it is mended."""

from __future__ import annotations

from typing import Final, NamedTuple


class Reason(NamedTuple):
    """Why statements wait in the quarantine, what can be done, and the command that does it."""

    title: str
    meaning: str
    fix: str
    command: str = ""


REASONS: Final = {
    "unaligned": Reason(
        "Aligned to no competency",
        "These carry a score, but nothing says which competency their activity is about.",
        "Let the tool name the competency, or align the activity:",
        "cairn align",
    ),
    "unknown_competency": Reason(
        "A competency of no adopted framework",
        "These name a competency that is in no framework of this district, or was retired before they happened.",
        "Adopt the framework, or align the activity to a competency that there is:",
        "cairn framework adopt",
    ),
    "completion": Reason(
        "Completion, not demonstration",
        "Their verb says that something was completed, attended or left. That is never evidence of mastery, "
        "whatever score is attached.",
        "Usually nothing: it is right that they do not count. If they are assessments, let the tool send the verb "
        "scored, passed or answered.",
    ),
    "unnormalisable": Reason(
        "A score that cannot be read",
        "Their score has no known range, or lies outside of it.",
        "Let the tool send raw, min and max, or publish a normaliser for it:",
        "cairn publish",
    ),
    "unknown_producer": Reason(
        "A sender whose scores nobody explained",
        "Their scaled score is negative, so that it does not run from 0 to 1, and no normaliser is for their sender.",
        "Publish a normaliser for the sender:",
        "cairn publish",
    ),
    "nonconformant": Reason(
        "A result that contradicts itself",
        "They say passed below the mastery score that they carry, failed at or above it, or the opposite of success.",
        "Let whoever runs the tool correct it, void these, and send right ones.",
    ),
    "future_dated": Reason(
        "Dated in the future",
        "They claim to have happened more than a day after they were stored.",
        "Let whoever runs the tool set its clock, void these, and send them with their true time.",
    ),
    "behaviour": Reason(
        "Work habits, not mastery",
        "They are evidence of a work habit and aligned to an academic competency. Habits never count toward mastery.",
        "Align the activity to a competency of the strand of work habits:",
        "cairn align",
    ),
    "part_of_whole": Reason(
        "A part of what is counted already",
        "They tell of one question of a whole that has a result of its own: only one of both counts.",
        "Usually nothing. To count the parts instead of the whole, align the parts themselves:",
        "cairn align",
    ),
    "counted_by_parts": Reason(
        "A whole whose parts are counted",
        "Its parts are aligned to the same competencies themselves: only one of both counts.",
        "Usually nothing. To count the whole instead, end the alignments of its parts:",
        "cairn align",
    ),
    "beyond_limit": Reason(
        "More tries than are allowed",
        "The registry allows fewer attempts, or fewer revisions, of this assessment.",
        "Usually nothing. If more are to count, publish a version of the assessment that allows them:",
        "cairn publish",
    ),
    "other_scorer": Reason(
        "Scored by somebody else",
        "The registry names who may score this assessment, and these do not name one of them as instructor or scorer.",
        "Let a named scorer score it, or publish a version of the assessment that names more:",
        "cairn publish",
    ),
    "no_learner": Reason(
        "Nobody to count it for",
        "They are about a group whose members cannot be told apart.",
        "Let the tool name the members of the group, each with an account.",
    ),
    "no_activity": Reason(
        "Not about an activity",
        "Their result is of a person or of another statement; only the result of an activity is evidence.",
        "Let the tool send statements about the activity.",
    ),
    "duplicate": Reason(
        "Told twice",
        "They tell of an event that another statement tells of already: of both one counts.",
        "Nothing has to be done. If it happens often, ask whoever runs the tool.",
    ),
}
OTHER: Final = Reason("Another reason", "See the statement itself.", "Ask whoever runs the tool.")
