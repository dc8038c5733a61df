"""The bench: what Cairn costs and gives on this machine, on PostgreSQL with fsync on and two web workers.

Law of the room: it starts and ends what it measures, asserts no time, and says of every figure what it is a figure of.
Ratios are taken within one run, their two sides in turns, because no machine is quiet.
"""
