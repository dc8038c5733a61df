"""Evidence → mastery: scales, rules, methods and the decision, with everything that proves it.

Law of the room: `methods`, `rules` and `decide` are pure; a number that a registrar could change stands in a rule.
"""
