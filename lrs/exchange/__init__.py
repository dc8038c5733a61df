"""Statements in and out of a log, in bulk and over time: export, import, forwards, pulls, webhooks.

Law of the room: it moves statements and decides nothing about them. What goes in passes through `recording` like a
tool's own request; what goes out is the text that `retrieval` would answer with. No rule of xAPI has its place here.
"""
