"""1EdTech CASE 1.0 and 1.1 packages → frameworks that can be adopted.

Law of the room: `translate` is pure and liberal. Published packages break the schema in dozens of places, so whatever
can be understood is taken, with a warning in words; only a package without a document or without items is refused.
`client` alone touches files and the network.
"""
