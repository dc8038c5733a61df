"""The logs: statements, bodies, postings, voids, credentials; and the triggers that make the record immutable."""

import sqlalchemy as sa
from alembic import op

revision = "log_0001"
down_revision = None
branch_labels = ("log",)
depends_on = None

POSTGRESQL = [
    """CREATE FUNCTION cairn_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE FUNCTION cairn_refuse_unless_head_rises() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.log_id = OLD.log_id AND NEW.size >= OLD.size AND NEW.last_stored >= OLD.last_stored THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'the head of a log only rises' USING ERRCODE = 'restrict_violation';
END $$""",
    """CREATE FUNCTION cairn_refuse_unless_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.log_id = OLD.log_id AND NEW.position = OLD.position AND NEW.body IS NULL AND NEW.salt IS NULL THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a statement body can be erased, never changed' USING ERRCODE = 'restrict_violation';
END $$""",
    "CREATE TRIGGER log_is_kept BEFORE UPDATE OR DELETE ON log FOR EACH ROW EXECUTE FUNCTION cairn_refuse()",
    "CREATE TRIGGER log_is_whole BEFORE TRUNCATE ON log FOR EACH STATEMENT EXECUTE FUNCTION cairn_refuse()",
    """CREATE TRIGGER log_head_rises BEFORE UPDATE ON log_head
    FOR EACH ROW EXECUTE FUNCTION cairn_refuse_unless_head_rises()""",
    "CREATE TRIGGER log_head_is_kept BEFORE DELETE ON log_head FOR EACH ROW EXECUTE FUNCTION cairn_refuse()",
    "CREATE TRIGGER log_head_is_whole BEFORE TRUNCATE ON log_head FOR EACH STATEMENT EXECUTE FUNCTION cairn_refuse()",
    """CREATE TRIGGER statement_is_kept BEFORE UPDATE OR DELETE ON statement
    FOR EACH ROW EXECUTE FUNCTION cairn_refuse()""",
    "CREATE TRIGGER statement_is_whole BEFORE TRUNCATE ON statement FOR EACH STATEMENT EXECUTE FUNCTION cairn_refuse()",
    """CREATE TRIGGER statement_body_is_kept BEFORE UPDATE ON statement_body
    FOR EACH ROW EXECUTE FUNCTION cairn_refuse_unless_erasing()""",
    "CREATE TRIGGER statement_body_stays BEFORE DELETE ON statement_body FOR EACH ROW EXECUTE FUNCTION cairn_refuse()",
    """CREATE TRIGGER statement_body_is_whole BEFORE TRUNCATE ON statement_body
    FOR EACH STATEMENT EXECUTE FUNCTION cairn_refuse()""",
    "ALTER TABLE log ENABLE ALWAYS TRIGGER log_is_kept",
    "ALTER TABLE log ENABLE ALWAYS TRIGGER log_is_whole",
    "ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_rises",
    "ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_is_kept",
    "ALTER TABLE log_head ENABLE ALWAYS TRIGGER log_head_is_whole",
    "ALTER TABLE statement ENABLE ALWAYS TRIGGER statement_is_kept",
    "ALTER TABLE statement ENABLE ALWAYS TRIGGER statement_is_whole",
    "ALTER TABLE statement_body ENABLE ALWAYS TRIGGER statement_body_is_kept",
    "ALTER TABLE statement_body ENABLE ALWAYS TRIGGER statement_body_stays",
    "ALTER TABLE statement_body ENABLE ALWAYS TRIGGER statement_body_is_whole",
]

# On SQLite a REPLACE takes away whatever is in its way, by any unique key and by the hidden rowid, without a DELETE
# that a trigger could see; so what is in the way is looked for before.
SQLITE = [
    "CREATE TRIGGER log_is_kept BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    "CREATE TRIGGER log_stays BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    """CREATE TRIGGER log_is_not_replaced BEFORE INSERT ON log
    WHEN EXISTS (SELECT 1 FROM log WHERE log_id = NEW.log_id OR slug = NEW.slug)
    BEGIN SELECT RAISE(ABORT, 'the log is append-only: a row cannot be replaced'); END""",
    """CREATE TRIGGER log_head_rises BEFORE UPDATE ON log_head
    WHEN NEW.log_id <> OLD.log_id OR NEW.size < OLD.size OR NEW.last_stored < OLD.last_stored
    BEGIN SELECT RAISE(ABORT, 'the head of a log only rises'); END""",
    "CREATE TRIGGER log_head_stays BEFORE DELETE ON log_head BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END",
    """CREATE TRIGGER log_head_is_not_replaced BEFORE INSERT ON log_head
    WHEN EXISTS (SELECT 1 FROM log_head WHERE log_id = NEW.log_id)
    BEGIN SELECT RAISE(ABORT, 'the log is append-only: a row cannot be replaced'); END""",
    """CREATE TRIGGER statement_is_kept BEFORE UPDATE ON statement
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER statement_stays BEFORE DELETE ON statement
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER statement_is_not_replaced BEFORE INSERT ON statement
    WHEN EXISTS (SELECT 1 FROM statement WHERE log_id = NEW.log_id AND position = NEW.position)
      OR EXISTS (SELECT 1 FROM statement WHERE log_id = NEW.log_id AND statement_id = NEW.statement_id)
      OR EXISTS (SELECT 1 FROM statement WHERE log_id = NEW.log_id AND stored = NEW.stored)
      OR EXISTS (SELECT 1 FROM statement WHERE rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'the log is append-only: a row cannot be replaced'); END""",
    """CREATE TRIGGER statement_body_is_kept BEFORE UPDATE ON statement_body
    WHEN NEW.log_id <> OLD.log_id OR NEW.position <> OLD.position OR NEW.rowid <> OLD.rowid
      OR NEW.body IS NOT NULL OR NEW.salt IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'a statement body can be erased, never changed'); END""",
    """CREATE TRIGGER statement_body_stays BEFORE DELETE ON statement_body
    BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END""",
    """CREATE TRIGGER statement_body_is_not_replaced BEFORE INSERT ON statement_body
    WHEN EXISTS (SELECT 1 FROM statement_body WHERE log_id = NEW.log_id AND position = NEW.position)
      OR EXISTS (SELECT 1 FROM statement_body WHERE rowid = NEW.rowid)
    BEGIN SELECT RAISE(ABORT, 'the log is append-only: a row cannot be replaced'); END""",
]


def upgrade() -> None:
    """Create the tables of the record and its guards."""
    _record()
    _derived()
    _credentials()
    for guard in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(guard)


def _record() -> None:
    op.create_table(
        "log",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.UniqueConstraint("slug", name="uq_log_slug"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "log_head",
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.log_id"), primary_key=True, autoincrement=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("last_stored", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "statement",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("statement_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("stored", sa.BigInteger, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("verb", sa.BigInteger, nullable=False),
        sa.Column("actor", sa.BigInteger),
        sa.Column("activity", sa.BigInteger),
        sa.Column("registration", sa.Uuid(as_uuid=False)),
        sa.Column("authority", sa.BigInteger, nullable=False),
        sa.Column("target", sa.Uuid(as_uuid=False)),
        sa.Column("voids", sa.Boolean, nullable=False),
        sa.Column("commitment", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("position > 0", name="ck_statement_position"),
    )
    op.create_index("ix_statement_id", "statement", ["log_id", "statement_id"], unique=True)
    op.create_index("ix_statement_stored", "statement", ["log_id", "stored"], unique=True)
    for name in ("verb", "actor", "authority"):
        op.create_index(f"ix_statement_{name}", "statement", ["log_id", name, "position"])
    for name in ("activity", "registration", "target"):
        present = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"ix_statement_{name}",
            "statement",
            ["log_id", name, "position"],
            postgresql_where=present,
            sqlite_where=present,
        )
    op.create_table(
        "statement_body",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("salt", sa.LargeBinary),
    )


def _derived() -> None:
    op.create_table(
        "posting",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("key", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("via", sa.BigInteger, primary_key=True, autoincrement=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "voided",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("by", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_voided_by", "voided", ["log_id", "by"])


def _credentials() -> None:
    op.create_table(
        "credential",
        sa.Column("credential_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("log_id", sa.Integer, sa.ForeignKey("log.log_id"), nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("created", sa.BigInteger, nullable=False),
        sa.Column("revoked", sa.BigInteger),
        sa.UniqueConstraint("key", name="uq_credential_key"),
        sqlite_autoincrement=True,
    )
