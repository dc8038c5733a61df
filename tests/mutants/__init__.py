"""Faults planted one at a time between a sound server and the suite of `tests/conformance`, which must notice each.

Law of the room: a proxy breaks what passes through it; neither server nor suite knows. A fault that nothing notices
shows what our tests do not hold: the remedy is a test.
"""
