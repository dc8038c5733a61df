"""Pages for people: rendered on the server, readable without scripts, styled by one file of our own.

Law of the room: it knows who reads and what a statement says, and nothing of mastery; other packages hang their pages
into its frame (`layout.add_link`, `layout.link`). Templates escape everything; no script, no inline style, nothing
from another site. A page is a read: the only forms that change anything sign a reader in and out.
"""
