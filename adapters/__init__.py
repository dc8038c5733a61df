"""Foreign formats, in and out: one folder each, all of one shape (`translate` is pure; `commands` and clients act).

Law of the room: it may import `projections` and `lrs`; nothing imports it but the composition root.
"""
