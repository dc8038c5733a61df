"""Statement → evidence: which competency it speaks of, what score it carries, whose it is, or why it does not count.

Law of the room: `resolve`, `normalise` and the documents are pure; only `tables` and `fold` know the database.
"""
