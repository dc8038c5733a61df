"""On PostgreSQL a small append in one round trip: lock the head, look up the ids, write, advance; or write nothing."""

from alembic import op

revision = "log_0006"
down_revision = "log_0005"
branch_labels = None
depends_on = None

# Each id is looked up by itself: a plan made while the log is empty, and kept, would else read all of it when full.
# The clock is read in a statement of its own: in the one that waits for the lock it would be read before the wait.
APPEND = """
CREATE FUNCTION cairn_append(
    wanted integer, ids uuid[], timestamps bigint[], verbs bigint[], actors bigint[], activities bigint[],
    registrations uuid[], authorities bigint[], commitments bytea[], bodies bytea[], salts bytea[],
    posting_keys bigint[], posting_rows bigint[], told_rows bigint[], told_keys bigint[], told_digests bytea[],
    told_kinds bigint[], told_names text[], told_texts bytea[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    first_stored bigint;
BEGIN
    PERFORM set_config('lock_timeout', '15s', true);
    SELECT size, last_stored + 1 INTO STRICT before, first_stored FROM log_head WHERE log_id = wanted FOR UPDATE;
    first_stored := greatest(first_stored, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint);
    IF EXISTS (
        SELECT FROM unnest(ids) AS own (id) CROSS JOIN LATERAL (
            SELECT FROM statement s WHERE s.log_id = wanted AND s.statement_id = own.id LIMIT 1) AS known
    ) OR EXISTS (
        SELECT FROM unnest(ids) AS own (id) CROSS JOIN LATERAL (
            SELECT FROM statement s WHERE s.log_id = wanted AND s.target = own.id LIMIT 1) AS pointing
    ) THEN
        RETURN false;
    END IF;
    INSERT INTO statement (log_id, position, statement_id, stored, timestamp, verb, actor, activity, registration,
        authority, voids, commitment)
    SELECT wanted, before + one.place, one.id, first_stored + one.place - 1,
        coalesce(one.timestamp, first_stored + one.place - 1), one.verb, one.actor, one.activity, one.registration,
        one.authority, false, one.commitment
    FROM unnest(ids, timestamps, verbs, actors, activities, registrations, authorities, commitments)
        WITH ORDINALITY AS one (id, timestamp, verb, actor, activity, registration, authority, commitment, place);
    INSERT INTO statement_body (log_id, position, body, salt)
    SELECT wanted, before + one.place, one.body, one.salt
    FROM unnest(bodies, salts) WITH ORDINALITY AS one (body, salt, place);
    INSERT INTO posting (log_id, key, position, via)
    SELECT wanted, one.key, before + one.place, before + one.place
    FROM unnest(posting_keys, posting_rows) AS one (key, place)
    ON CONFLICT DO NOTHING;
    INSERT INTO told (log_id, key, digest, kind, position, name, text)
    SELECT wanted, one.key, one.digest, one.kind, before + one.place, one.name, one.text
    FROM unnest(told_rows, told_keys, told_digests, told_kinds, told_names, told_texts)
        AS one (place, key, digest, kind, name, text)
    ON CONFLICT DO NOTHING;
    UPDATE log_head SET size = before + cardinality(ids), last_stored = first_stored + cardinality(ids) - 1
    WHERE log_id = wanted;
    RETURN true;
END $$
"""


def upgrade() -> None:
    """Create the function; SQLite has no round trips to save."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(APPEND)
