"""A sample school district, all of it invented: documents to publish and statements to load.

Law of the room: pure and seeded. The same seed gives the same bytes, so that loading twice changes nothing; no clock,
no network, and no person: learners are opaque accounts with neutral names. `district` is the way in.
"""
