"""Builds: generations of the projections' tables, folded live or beside the live ones, compared, swapped, kept.

Law of the room: it knows the projections through `catalogue` alone, and says nothing of what they conclude. What a fold
is given stands in `projections.run`; no fold imports this room.
"""
