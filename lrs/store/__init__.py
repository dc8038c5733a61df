"""All SQL of the learning record store, in SQLAlchemy Core; append and documents speak to the drivers, for speed.

Law of the room: a function takes a `connection` first and never opens or commits one; the caller does.
Errors of the drivers are translated here and nowhere else.
"""
