"""What the institution concludes from its logs: evidence, mastery, credit and the audit trail.

Law of the room: every table here can be dropped and rebuilt from the log to the same bytes. A fold is pure: no clock,
no network, no hidden default. It may import `lrs`, never `adapters`.
"""
