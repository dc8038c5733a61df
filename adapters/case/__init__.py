"""1EdTech CASE 1.0 and 1.1: packages in, as frameworks that can be adopted, and strict CASE 1.1 out.

Law of the room: in, `translate` is pure and liberal. Published packages break the schema in dozens of places, so what
can be understood is taken, with a warning in words; only a package without a document or without items is refused.
Out, `strict` is pure too and keeps to the letter. `client` alone touches files and the network, `resource` the web.
"""
