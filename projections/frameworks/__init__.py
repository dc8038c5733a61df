"""What can be mastered: frameworks, their competencies, progressions and rubrics, in the versions that were adopted.

Law of the room: nothing here knows CASE or any other foreign format, and nothing here decides. Whatever was adopted
once stays known: what a later version leaves out is retired, never deleted.
"""
