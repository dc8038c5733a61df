"""Inputs that nobody would write: made by hypothesis, sent to the application, judged by what must always hold.

`asked` is a request and what must hold of its answer, `texts` makes JSON and what looks like it, `strategies` the
requests. `python -m tests.fuzz` is the long run; what once failed lies in `found/` and is sent again by every test run.
"""
