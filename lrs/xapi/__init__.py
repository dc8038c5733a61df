"""What a statement is, by the text of xAPI 1.0.3 (and 2.0 where a branch says so).

Law of the room: pure. No clock, no database, no web; the same input always gives the same output.
"""
