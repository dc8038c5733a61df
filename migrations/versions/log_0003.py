"""Attachments' data, stored once by its SHA-2, and what was found of signatures."""

import sqlalchemy as sa
from alembic import op

revision = "log_0003"
down_revision = "log_0002"
branch_labels = None
depends_on = None

# Data, and what says whose it is, may go while no statement has it, and once every statement that has it is erased.
POSTGRESQL = [
    """CREATE FUNCTION cairn_refuse_unless_nobody_has_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM statement_attachment JOIN statement_body USING (log_id, position)
        WHERE log_id = OLD.log_id AND sha2 = OLD.sha2 AND body IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the data of a stored attachment is kept' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$""",
    """CREATE FUNCTION cairn_refuse_unless_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM statement_body
        WHERE log_id = OLD.log_id AND position = OLD.position AND body IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'the log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN OLD;
END $$""",
    "ALTER TABLE attachment_chunk ALTER COLUMN data SET STORAGE EXTERNAL",
]
DELETABLE = {
    "attachment": "cairn_refuse_unless_nobody_has_it",
    "attachment_chunk": "cairn_refuse_unless_nobody_has_it",
    "statement_attachment": "cairn_refuse_unless_erased",
    "signature": "cairn_refuse_unless_erased",
}
HAS_IT = """EXISTS (
        SELECT 1 FROM statement_attachment JOIN statement_body USING (log_id, position)
        WHERE log_id = OLD.log_id AND sha2 = OLD.sha2 AND body IS NOT NULL)"""
HAS_TEXT = """EXISTS (
        SELECT 1 FROM statement_body WHERE log_id = OLD.log_id AND position = OLD.position AND body IS NOT NULL)"""
KEPT_WHILE = {
    "attachment": HAS_IT,
    "attachment_chunk": HAS_IT,
    "statement_attachment": HAS_TEXT,
    "signature": HAS_TEXT,
}
IN_THE_WAY = {
    "attachment": ["log_id = NEW.log_id AND sha2 = NEW.sha2"],
    "attachment_chunk": [
        "log_id = NEW.log_id AND sha2 = NEW.sha2 AND number = NEW.number",
        "rowid = NEW.rowid",
    ],
    "statement_attachment": ["log_id = NEW.log_id AND position = NEW.position AND sha2 = NEW.sha2"],
    "signature": ["log_id = NEW.log_id AND position = NEW.position AND sha2 = NEW.sha2"],
}


def upgrade() -> None:
    """Create the tables and the guards of those that belong to the record."""
    _attachments()
    _signatures()
    for guard in _on_postgresql() if op.get_bind().dialect.name == "postgresql" else _on_sqlite():
        op.execute(guard)


def _attachments() -> None:
    op.create_table(
        "attachment",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha2", sa.LargeBinary, primary_key=True),
        sa.Column("length", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "attachment_chunk",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha2", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "attachment_pending",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("sha2", sa.LargeBinary, primary_key=True),
        sa.Column("since", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "statement_attachment",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha2", sa.LargeBinary, primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_statement_attachment_sha2", "statement_attachment", ["log_id", "sha2"])


def _signatures() -> None:
    op.create_table(
        "signature",
        sa.Column("log_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("sha2", sa.LargeBinary, primary_key=True),
        sa.Column("algorithm", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("thumbprint", sa.Text),
        sa.Column("issuer", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trusted_issuer",
        sa.Column("key", sa.Text, sa.ForeignKey("credential.key"), primary_key=True),
        sa.Column("thumbprint", sa.Text, primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("certificate", sa.LargeBinary, nullable=False),
        sa.Column("added", sa.BigInteger, nullable=False),
    )


def _on_postgresql() -> list[str]:
    guards = list(POSTGRESQL)
    for table, function in DELETABLE.items():
        guards += [
            f"""CREATE TRIGGER {table}_is_kept BEFORE UPDATE ON {table}
            FOR EACH ROW EXECUTE FUNCTION cairn_refuse()""",
            f"CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
            f"""CREATE TRIGGER {table}_is_whole BEFORE TRUNCATE ON {table}
            FOR EACH STATEMENT EXECUTE FUNCTION cairn_refuse()""",
        ]
        guards += [
            f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{one}" for one in ("is_kept", "stays", "is_whole")
        ]
    return guards


def _on_sqlite() -> list[str]:
    guards = []
    for table, kept_while in KEPT_WHILE.items():
        others = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE {one})" for one in IN_THE_WAY[table])  # noqa: S608
        guards += [
            f"CREATE TRIGGER {table}_is_kept BEFORE UPDATE ON {table} BEGIN {_abort('the log is append-only')} END",
            f"""CREATE TRIGGER {table}_stays BEFORE DELETE ON {table} WHEN {kept_while}
            BEGIN {_abort("the log is append-only")} END""",
            f"""CREATE TRIGGER {table}_is_not_replaced BEFORE INSERT ON {table} WHEN {others}
            BEGIN {_abort("the log is append-only: a row cannot be replaced")} END""",
        ]
    return guards


def _abort(words: str) -> str:
    return f"SELECT RAISE(ABORT, '{words}');"
