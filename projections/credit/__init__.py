"""Mastery → credit: versioned policies and the eligibility that follows from them. The engine proposes, people award.

Law of the room: `policies` and `eligibility` are pure; a threshold that a board could change stands in a policy.
"""
