"""Decisions that go out: as ADL Learner Competency statements, appended to the log that they were concluded from.

Law of the room: what is published is a statement about a decision, never evidence; it follows from the live builds
alone, so a rebuild, a verification or a what-if says nothing; and it goes out once, however often a worker dies.
"""
