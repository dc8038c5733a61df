"""`cairn export parquet` and `cairn replay`: what reads columns is loaded when one of them runs, by nothing else."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from lrs.cli import Desk, pass_desk
from lrs.progress import progress_bar

if TYPE_CHECKING:
    from projections.archive.replay import Job, Replayed, Result

LOCAL, SPARK = "local", "spark"
MOST_SHOWN: Final = 20

Tell = Callable[[str, int, int], None]


class Forms(click.Group):
    """A command with further forms: a first word that names one chooses it, everything else is the command's own.

    So `cairn export SLUG` stays what it was, and a log that is named like a form is exported with its options first.
    """

    def __init__(self, plain: click.Command) -> None:
        super().__init__(plain.name, help=plain.help)
        self.plain = plain

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the form that the first word names, or of the command."""
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, parent, **extra)
        return self.plain.make_context(info_name, args, parent, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Run the form, or the command, that the context was made for."""
        return super().invoke(context) if context.command is self else self.plain.invoke(context)


@contextmanager
def _extra(name: str) -> Iterator[None]:
    """Say which extra of Cairn is missing where a library is."""
    try:
        yield
    except ImportError as error:
        raise click.ClickException(f"{error.name} is not installed: pip install 'cairn[{name}]'") from error


@click.command("parquet")
@click.argument("slug")
@click.option("-o", "--output", "target", required=True, help="A new folder, or an address such as s3://bucket/name.")
@click.option(
    "--bits", type=click.IntRange(0, 16), help="Cut the learners into 2 ** BITS files; default: by their number."
)
@click.option("--evidence-only", is_flag=True, help="Leave the statements out: decisions are replayed without them.")
@pass_desk
def export_parquet(desk: Desk, /, slug: str, target: str, bits: int | None, *, evidence_only: bool) -> None:
    """Write a log's statements and evidence as Parquet files, cut by learner, with a manifest that proves them."""
    with _extra("archive"):
        from projections.archive.export import export, extract_of
        from projections.archive.storage import place_at
    place = place_at(target)
    extract = extract_of(desk.derived, desk.log_named(slug), bits, with_statements=not evidence_only)
    with progress_bar() as tell:
        manifest = export(desk.engine, desk.derived, extract, place, tell)
    rows = sum(one.rows for one in manifest.statements)
    size = sum(one.size for one in manifest.parts())
    click.echo(f"{rows} statement(s) and {manifest.evidence_rows} row(s) of evidence, {size} bytes, in {place.url}")
    click.echo(f"as of position {manifest.log.position}, whose decisions have the digest {manifest.mastery}")


@click.command()
@click.argument("source")
@click.option("--engine", type=click.Choice((LOCAL, SPARK)), default=LOCAL, show_default=True)
@click.option(
    "--processes", type=click.IntRange(1), default=os.cpu_count() or 1, help="Of the local engine; default: cores."
)
@click.option("--master", help="Spark's master (spark://host:7077, local[2]); default: CAIRN_SPARK_MASTER.")
@click.option(
    "--rule",
    "rules",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="A candidate; may stand more than once.",
)
@click.option("-o", "--output", "target", help="Where the decisions go; default: a folder in the archive.")
@click.option("--resume", is_flag=True, help="Go on where the same replay was broken off.")
@pass_desk
def replay(desk: Desk, /, source: str, engine: str, target: str | None, rules: tuple[str, ...], **how: Any) -> None:
    """Derive every decision anew from an archive, and compare with the database's own; exit 1 when they differ.

    With a candidate rule: also who would gain proficiency, lose it or change level.
    """
    with _extra("archive"):
        from projections.archive.replay import finished, job_of, opened, together
    job = job_of(source, target, [Path(one).read_text(encoding="utf-8") for one in rules])
    manifest = opened(job).manifest
    done = finished(job) if how["resume"] else []
    left = sorted(set(range(len(manifest.evidence))) - {one.bucket for one in done})
    began = time.monotonic()
    with progress_bar() as tell:
        run = _run_local if engine == LOCAL else _run_spark
        found = run(desk, job, left, tell, how)
    rows, seconds = sum(one.evidence for one in found), time.monotonic() - began
    click.echo(f"{rows} row(s) of evidence in {seconds:.1f} s, start-up included; decisions in {job.target}")
    _show(job, together(manifest, [*done, *found]))


def _run_local(_desk: Desk, job: Job, left: Sequence[int], tell: Tell, how: dict[str, Any]) -> list[Result]:
    from projections.archive import local

    found = []
    for result in local.run(job, left, how["processes"]):
        found.append(result)
        tell(LOCAL, len(found), len(left))
    return found


def _run_spark(desk: Desk, job: Job, left: Sequence[int], tell: Tell, how: dict[str, Any]) -> list[Result]:
    with _extra("spark"):
        from projections.archive import spark

        with spark.session(how["master"] or desk.settings.spark_master) as one:
            return spark.run(one, job, left, lambda done: tell(SPARK, done, len(left)))


def _show(job: Job, found: Replayed) -> None:
    """Tell what a replay came to; exit 1 when the decisions are not those of the database."""
    from projections.archive.replay import opened

    click.echo(f"{found.decisions} decision(s) on {found.learners} learner(s)\nmastery   {found.digest}")
    if job.rules:
        _show_candidate(job, found)
    if not found.agrees:
        own = opened(job).manifest.mastery
        raise click.ClickException(f"the database's own decisions have the digest {own}: they differ from these")
    click.echo("          as the database's own")


def _show_candidate(job: Job, found: Replayed) -> None:
    from projections.archive.candidate import named_counts
    from projections.archive.replay import opened

    one = opened(job)
    for name, counts in named_counts(one.source, one.manifest, found.counts)[:MOST_SHOWN]:
        click.echo(f"  {name}: " + ", ".join(f"{count} {change}" for change, count in counts.items()))
    click.echo(f"candidate {found.differences}, the digest of the rows in {job.target}/differences")


def register(group: click.Group) -> None:
    """Add the commands of this room; `export`, which is there already, gets another form."""
    forms = Forms(group.commands["export"])
    forms.add_command(export_parquet)
    group.add_command(forms, "export")
    group.add_command(replay)
