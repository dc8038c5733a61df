"""A log's statements and evidence as Parquet files, whole learners to a file, and the decisions derived from them.

Law of the room: the manifest is the contract. A task reads the file of one bucket, calls the mastery room's own fold
and writes one result file; an engine only schedules tasks. No rule is said a second time here. What reads columns is
loaded by the commands that need it, never by a web process.
"""
