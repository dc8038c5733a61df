"""The learning record store: xAPI statements in, one append-only log for each district, xAPI answers out.

Law of the room: it knows nothing of mastery, credit or any projection, and imports none of them.
Direction of imports inside: app, cli → resources, web → recording, retrieval → store → xapi → errors.
"""
