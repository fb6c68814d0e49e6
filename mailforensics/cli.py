"""The command line: a thin skin over the calls of the package.

    mailforensics trace sample_data/lost-in-sieve --to bob@example.org --since "10:00"

Exit codes: 0 found, 1 nothing found, 2 wrong use or evidence that cannot be read, 3 a fault of the toolkit itself.
Answers go to standard output, progress and complaints to standard error; ``--json`` gives the data of an answer.
"""

from __future__ import annotations

import dataclasses
import errno
import io
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from mailforensics.errors import EvidenceError, MailforensicsError, NoEvidenceError, OptionError
from mailforensics.show.escape import terminal

if TYPE_CHECKING:
    from mailforensics.case import Case
    from mailforensics.trace import Trace

FOUND, NOTHING_FOUND, WRONG_USE, OUR_FAULT, INTERRUPTED = 0, 1, 2, 3, 130


class _NothingFound(click.ClickException):
    exit_code = NOTHING_FOUND


class _WrongUse(click.ClickException):
    exit_code = WRONG_USE


class _OurFault(click.ClickException):
    exit_code = OUR_FAULT


class _Interrupted(click.ClickException):
    exit_code = INTERRUPTED


@contextmanager
def _failures() -> Iterator[None]:
    """Errors become one sentence and an exit code; a traceback only where the user asked for it."""
    try:
        yield
    except (click.exceptions.NoArgsIsHelpError, click.exceptions.Exit, click.Abort):
        raise
    except click.UsageError as error:
        raise click.UsageError(terminal(error.format_message()), error.ctx) from error
    except click.ClickException:
        raise
    except NoEvidenceError as error:
        raise _NothingFound(terminal(error)) from error
    except MailforensicsError as error:
        raise _WrongUse(terminal(error)) from error
    except KeyboardInterrupt as error:
        raise _Interrupted("Stopped; nothing was changed in the evidence.") from error
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise
        place = f" ({error.filename})" if error.filename else ""
        raise _WrongUse(terminal(f"The system said: {error.strerror or error}{place}.")) from error
    except Exception as error:
        if os.environ.get("MAILFORENSICS_TRACEBACK"):
            raise
        said = f"A fault of mailforensics, not of your evidence: {type(error).__name__}: {error}."
        advice = "Please report it with what MAILFORENSICS_TRACEBACK=1 adds."
        raise _OurFault(terminal(f"{said} {advice}")) from error


class _Commands(click.Group):
    """The group of all commands; nothing leaves it as a traceback, and names cannot steer the terminal."""

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        with _failures():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        with _failures():
            return super().invoke(ctx)


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="mailforensics-notebooks", prog_name="mailforensics")
def main() -> None:
    """Where is my mail? Answers from mail logs and message headers.

    \b
    Try it on a sample case:      mailforensics demo
    Trace a mail in your logs:    mailforensics trace /var/log/mail.log* --to bob@example.org
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


Decorator = Callable[[Callable[..., None]], Callable[..., None]]
_json = click.option("--json", "as_json", is_flag=True, help="Print the data as JSON.")


def _together(*options: Decorator) -> Decorator:
    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_evidence = _together(
    click.argument("evidence", nargs=-1),
    click.option(
        "--journal",
        is_flag=False,
        flag_value="",
        metavar="[since=...,until=...,unit=...]",
        help="Read the journal of this machine too.",
    ),
    click.option(
        "--own", multiple=True, metavar="NET-OR-HOST", help="A network or host name of ours; repeat it."
    ),
    click.option(
        "--timezone",
        multiple=True,
        metavar="ZONE",
        help="Zone of stamps without one, or 'PATTERN=ZONE' for the paths that match; repeat it.",
    ),
    click.option(
        "--year", type=click.IntRange(1970, 9999), help="Year of the newest stamp, where stamps have none."
    ),
)

_engine = click.option(
    "--engine",
    type=click.Choice(["threads", "dask"]),
    default="threads",
    help="Who does the work: threads of this process, or workers of Dask.",
)

_private = _together(
    click.option(
        "--pseudonymise", is_flag=True, help="Replace persons, hosts and texts by keyed pseudonyms, to share."
    ),
    click.option(
        "--key-file", metavar="FILE", help="The key for pseudonyms; else MAILFORENSICS_KEY holds it."
    ),
    click.option(
        "--keep-domain",
        "keep_domains",
        multiple=True,
        metavar="DOMAIN",
        help="A domain that may stay; repeat it.",
    ),
    click.option(
        "--keep-mapping",
        metavar="FILE",
        help="Keep what each pseudonym stands for, for `mailforensics reveal`.",
    ),
)

_question = _together(
    click.option("--to", metavar="ADDRESS", help="Recipient, or a part of it."),
    click.option("--from", "sender", metavar="ADDRESS", help="Envelope sender, or a part of it."),
    click.option("--message-id", metavar="ID", help="Message-ID, or a part of it."),
    click.option("--queue-id", metavar="ID", help="Queue id on any host."),
    click.option("--subject", metavar="TEXT", help="Subject, or a part of it."),
    click.option("--client", metavar="IP-OR-NAME", help="The client that brought it."),
    click.option("--user", metavar="ACCOUNT", help="The account that logged in to send it."),
    click.option("--relay", metavar="IP-OR-NAME", help="A server that it was handed to."),
    click.option("--reply", metavar="TEXT", help="Words of a reply."),
    click.option("--since", metavar="TIME", help="Not before, as '2026-03-02 10:00' or '10:00'."),
    click.option("--until", metavar="TIME", help="Not after."),
)


@main.command("open")
@_evidence
@_private
@_json
def open_(as_json: bool, **given: Any) -> None:
    """Show what a heap of evidence holds: sources, time covered, gaps, counts, what was not understood.

    \b
    mailforensics open /var/log/mail.log /var/log/rspamd
    mailforensics open logs/ --timezone Europe/Berlin --year 2026
    mailforensics open logs/ --timezone 'mx*=America/New_York' --timezone 'mail*=Europe/Berlin'
    zcat mail.log.2.gz | mailforensics open -
    """
    from mailforensics.show import text

    privacy = _privacy(given)
    summary = _shared(_case(**given), privacy)[0].summary()
    _answer(summary, text.summary, as_json)


@main.command()
@_evidence
@click.option("-o", "--output", required=True, metavar="CASE", help="Folder for the tables and the manifest.")
@_engine
@_private
@_json
def ingest(output: str, engine: str, as_json: bool, **given: Any) -> None:
    """Parse and link evidence once and keep the tables as Parquet, to open again without parsing.

    Run again on the same case it reads only what is new (grown files, newly rotated ones), and links again only what that touches.

    \b
    mailforensics ingest /var/log/mail.log* -o case/
    mailforensics trace case/ --to bob@example.org
    """
    from mailforensics.intake import ingest as read_into
    from mailforensics.show import text

    privacy = _privacy(given)
    if privacy:
        case = _shared(_case(**given), privacy)[0]
        case.save(output)
    else:
        options = _options(**given)
        with _progress() as progress:
            case = read_into(options.pop("paths"), output, progress=progress, engine=engine, **options)
    _answer(
        case.summary() | {"case": output},
        lambda data: f"{text.summary(data)}\n\nSaved in {terminal(output)}",
        as_json,
    )


@main.command()
@_evidence
@_question
@_private
@_json
def trace(as_json: bool, **given: Any) -> None:
    """Tell the story of the mails that match: where each copy ended, how sure that is, and every step.

    Parts of addresses and ids match; several options must all hold. EVIDENCE may be a saved case.

    \b
    mailforensics trace /var/log/mail.log* --to bob@example.org --since "2026-03-02 10:00"
    mailforensics trace case/ --message-id d7979c16f20c
    mailforensics trace mail.log mx.log --from alex --subject "Offer 4711" --json
    """
    from mailforensics.show import text

    asked = _asked(given)
    if not asked:
        raise click.UsageError(
            "Say which mail: --to, --from, --message-id, --queue-id, --subject, --client, --user, --relay, --reply, --since or --until."
        )
    privacy = _privacy(given)
    told = _shared(case := _case(**given), privacy, [case.trace(**asked)])[1][0].to_dict()
    _answer(told, lambda data: text.trace(data, width=_width()), as_json)
    if not told["journeys"]:
        sys.exit(NOTHING_FOUND)


@main.command()
@_evidence
@click.option(
    "--severity",
    type=click.Choice(["info", "notice", "warning", "high"]),
    default="notice",
    show_default=True,
    help="The least that is told.",
)
@click.option(
    "--geo",
    type=click.Path(dir_okay=False),
    metavar="MMDB",
    help="A country database in MaxMind's format: tell accounts that log in from several countries.",
)
@_private
@_json
def findings(severity: str, geo: str | None, as_json: bool, **given: Any) -> None:
    """Tell what is worth a look, the worst first: lost mail, incidents, clocks, gaps, contradictions in headers.

    \b
    mailforensics findings /var/log/mail.log*
    mailforensics findings case/ --severity high --json
    """
    from mailforensics.answers import findings_told
    from mailforensics.show import told

    if geo and given["pseudonymise"]:
        raise click.UsageError(
            "--geo needs the real addresses, and --pseudonymise hides them: give one of the two."
        )
    privacy = _privacy(given)
    case = _shared(_case(**given), privacy)[0]
    found = findings_told(case, severity, geo=geo)
    _answer(found, lambda data: told.findings(data, case.zone, width=_width()), as_json)
    if not found:
        sys.exit(NOTHING_FOUND)


@main.command()
@_evidence
@_question
@_json
def why(as_json: bool, **given: Any) -> None:
    """Say why mails went as they went: each answer of a server, refusal and verdict with its cause.

    \b
    mailforensics why /var/log/mail.log* --queue-id 4jYBcn5tsv
    mailforensics why case/ --to bob@example.org --since "10:00"
    """
    from mailforensics.show import told

    asked = _asked(given)
    if not asked:
        raise click.UsageError("Say which mail, as for trace: --queue-id, --to, --from or another.")
    case = _case(**given)
    mails = case.trace(**asked).found.select("message_id", "sender", "message_keys").to_dicts()
    mails = [{**row, "why": case.why(row["message_keys"][0])} for row in mails if row["message_keys"]]
    _answer(mails, lambda data: told.why(data, case.zone, width=_width()), as_json)
    if not mails:
        sys.exit(NOTHING_FOUND)


@main.command()
@_evidence
@click.option("--top", type=click.IntRange(1), metavar="N", help="Only the first N addresses and domains.")
@_json
def summary(top: int | None, as_json: bool, **given: Any) -> None:
    """Report the traffic as pflogsumm does: totals, days, hours, domains, senders and recipients.

    \b
    mailforensics summary /var/log/mail.log*
    mailforensics summary case/ --top 20
    """
    from mailforensics.findings import summary as report

    numbers = _case(**given).traffic()
    tables = {name: frame.to_dicts() for name, frame in vars(numbers).items()}
    _answer(tables, lambda _: terminal(report.as_text(numbers, top), keep="\n"), as_json)
    if not numbers.total("mails") and not numbers.total("rejected"):
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--own", multiple=True, metavar="NET-OR-HOST", help="A network or host name of ours; repeat it."
)
@click.option(
    "--authserv",
    multiple=True,
    metavar="NAME",
    help="An authserv-id whose forged copies our border removes: its results count below it; repeat it.",
)
@click.option("--timezone", metavar="ZONE", help="Zone to show times in; UTC by default.")
@_json
def headers(
    files: tuple[str, ...],
    own: tuple[str, ...],
    authserv: tuple[str, ...],
    timezone: str | None,
    as_json: bool,
) -> None:
    """Read the headers of messages: the hops from sender to mailbox, who wrote what, authentication.

    \b
    mailforensics headers mail.eml
    mailforensics headers mail.eml --own 198.51.100.0/24 --own mx.example.com
    mailforensics headers mail.msg --own mx.example.com --authserv mx.example.com
    mailforensics headers *.eml --json
    mailforensics headers - < mail.eml
    """
    import mailforensics
    from mailforensics.show import export, text

    answers = []
    for file in files:
        given = sys.stdin.buffer.read() if file == "-" else Path(file)
        read = mailforensics.read_headers(given, own=own, authserv=authserv)
        answers.append(export.message_answer(read, timezone))
    several = len(answers) > 1
    if as_json:
        click.echo(export.json_text(answers if several else answers[0]))
    for file, answer in zip(files, () if as_json else answers, strict=False):
        told = text.message(answer)
        click.echo(f"== {terminal(file)}\n{told}\n" if several else told)
    if not any(answer["headers"] for answer in answers):
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("case")
@click.argument("name")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "json", "jsonl", "parquet", "arrow"]),
    default="csv",
    show_default=True,
)
@click.option("--columns", metavar="A,B", help="Only these columns, in this order.")
@click.option("--limit", type=click.IntRange(0), help="Only the first rows.")
@click.option("-o", "--output", metavar="FILE", help="Write to this file instead of standard output.")
@_private
def table(
    case: str,
    name: str,
    kind: str,
    columns: str | None,
    limit: int | None,
    output: str | None,
    **private: Any,
) -> None:
    """Print a table of a case; `mailforensics schema` lists the tables and their columns.

    \b
    mailforensics table case/ deliveries --format csv > deliveries.csv
    mailforensics table case/ messages --columns time,sender,recipients --limit 20
    mailforensics table /var/log/mail.log events --format parquet -o events.parquet
    """
    from mailforensics import schema
    from mailforensics.show import export

    known = schema.table(name)
    chosen = [column.strip() for column in columns.split(",")] if columns else []
    for column in chosen:
        known.column(column)
    rows = _shared(_case(evidence=(case,)), _privacy(private))[0].table(name)
    rows = rows.select(chosen) if chosen else rows
    rows = rows.slice(0, limit) if limit is not None else rows
    with _binary_output(output, kind) as out:
        export.FORMATS[kind](rows, out)
    if not rows.num_rows:
        sys.exit(NOTHING_FOUND)


@main.command()
@_evidence
@_question
@click.option(
    "-o", "--output", required=True, metavar="FILE", help="The file to write; .html, .md, .pdf or .xlsx."
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["html", "md", "pdf", "xlsx"]),
    help="What to write, where the name of the file does not say it.",
)
@click.option(
    "--section",
    "sections",
    multiple=True,
    metavar="NAME",
    help="Only these sections, in this order; repeat it.",
)
@click.option(
    "--message", "messages", multiple=True, metavar="FILE", help="A message whose headers to show; repeat it."
)
@click.option("--title", default="Mail report", show_default=True, help="The heading.")
@_private
@_json
def report(
    output: str,
    kind: str | None,
    as_json: bool,
    sections: tuple[str, ...],
    messages: tuple[str, ...],
    title: str,
    **given: Any,
) -> None:
    """Write a report as one HTML file that opens without any request; with a question, its trace is in it.

    Sections: summary, traces, incidents, refusals, delays, spam, messages, evidence, not_understood, method. As .md it is
    Markdown, as .pdf the same page on paper (needs mailforensics-notebooks[pdf]), as .xlsx the tables, a sheet each.

    \b
    mailforensics report /var/log/mail.log* -o report.html
    mailforensics report case/ --to bob@example.org --since "10:00" -o report.html
    mailforensics report case/ --section summary --section refusals -o report.md
    mailforensics report case/ -o report.pdf
    mailforensics report case/ -o tables.xlsx
    """
    asked, privacy = _asked(given), _privacy(given)
    if privacy and messages:
        raise click.UsageError("--message shows headers as they came: it cannot go with --pseudonymise.")
    case = _case(**given)
    case, traces = _shared(case, privacy, [case.trace(**asked)] if asked else [])
    case.report(
        output, traces=traces, messages=messages, sections=list(sections) or None, title=title, format=kind
    )
    found = not traces or bool(traces[0].to_dict()["journeys"])
    _answer(
        {"report": output, "found": found},
        lambda data: f"Report written to {terminal(data['report'])}",
        as_json,
    )
    if not found:
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("case")
@click.option(
    "--events", type=click.IntRange(0), default=200, show_default=True, help="Events to read again by offset."
)
@click.option("--seed", type=int, help="Makes the random draw repeatable.")
@_json
def verify(case: str, events: int, seed: int | None, as_json: bool) -> None:
    """Say whether a saved case still agrees with its evidence: hashes of all inputs, random events read again.

    Exit code 0: all is as it was (a log that only grew is). 1: something changed or is missing.

    \b
    mailforensics verify case/
    mailforensics verify case/ --events 5000 --seed 7 --json
    """
    from mailforensics import custody

    told = custody.verify(case, events=events, seed=seed).to_dict()
    _answer(told, _verified_text, as_json)
    if not told["ok"]:
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("file")
@click.option("--mapping", required=True, metavar="FILE", help="What --keep-mapping wrote.")
@click.option("--key-file", metavar="FILE", help="The key; else MAILFORENSICS_KEY holds it.")
@_json
def reveal(file: str, mapping: str, key_file: str | None, as_json: bool) -> None:
    """Turn the pseudonyms of a text back (a report as .md, a trace, a few words), by a mapping that was kept.

    \b
    mailforensics reveal shared.md --mapping mapping.json --key-file key.txt
    mailforensics reveal - --mapping mapping.json --key-file key.txt < question.txt
    """
    from mailforensics.privacy import read_key
    from mailforensics.privacy import reveal as turn_back

    raw = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    told = turn_back(raw.decode("utf-8", "backslashreplace"), mapping, read_key(key_file))
    _answer({"text": told}, lambda data: terminal(data["text"], keep="\n\t"), as_json)


@main.command("export")
@_evidence
@click.option(
    "--to",
    "--format",
    "neighbour",
    required=True,
    metavar="NAME",
    help="ecs, ocsf, zeek, timesketch, sigma, lnav (or lnav-postfix, lnav-dovecot, lnav-rspamd).",
)
@click.option("-o", "--output", metavar="FILE", help="Write to this file instead of standard output.")
@_private
def export_(neighbour: str, output: str | None, **given: Any) -> None:
    """Write a case in the words of another tool: ECS, OCSF, Zeek's smtp.log, Timesketch, Sigma, lnav.

    \b
    mailforensics export case/ --to ecs -o mail.jsonl
    mailforensics export /var/log/mail.log --to zeek > smtp.log
    mailforensics export case/ --to lnav -o mail.json && lnav -i mail.json
    """
    from mailforensics.show import neighbours

    if neighbour not in neighbours.neighbours():
        raise OptionError(
            f"There is no export to {neighbour!r}; there are {', '.join(neighbours.neighbours())}."
        )
    privacy = _privacy(given)
    case = _shared(_case(**given), privacy)[0]
    with _binary_output(output, neighbour) as out:
        written = neighbours.write(case, neighbour, out)
    if not written:
        sys.exit(NOTHING_FOUND)


@main.command()
@click.argument("config", metavar="CONFIG.toml")
@_json
def batch(config: str, as_json: bool) -> None:
    """Bring the cases of a file up to date and write their reports, from cron say.

    Exit codes: 0 nothing to look at, 1 something to look at, 2 the file is not understood, 4 a case failed (the others
    are done), 5 another run of the file is under way. docs/how-to/weekly-report.md shows a file.

    \b
    mailforensics batch mailforensics.toml
    mailforensics batch mailforensics.toml --json
    """
    from mailforensics import batch as batches
    from mailforensics.errors import CaseError

    try:
        outcomes = batches.run(config)
    except CaseError as error:
        click.echo(f"Error: {terminal(error)}", err=True)
        sys.exit(batches.LOCKED)
    _answer(
        [dataclasses.asdict(outcome) for outcome in outcomes],
        lambda _: "\n".join(line for outcome in outcomes for line in batches.lines(outcome)),
        as_json,
    )
    sys.exit(batches.exit_code(outcomes))


@main.command()
@click.argument("name", required=False)
@_json
def schema(name: str | None, as_json: bool) -> None:
    """List the tables, or the columns of one table.

    \b
    mailforensics schema
    mailforensics schema deliveries
    mailforensics schema --json
    """
    from mailforensics import schema as tables
    from mailforensics.show import reference

    if name:
        tables.table(name)
    chosen = [table for table in reference.as_dict() if name in (None, table["name"])]
    _answer(chosen if name is None else chosen[0], _schema_text, as_json)


@main.command()
@click.argument("folder", metavar="DIR")
@click.option("--force", is_flag=True, help="Write over notebooks that are there already.")
@_json
def notebooks(folder: str, force: bool, as_json: bool) -> None:
    """Copy the notebooks to a folder, to work in.

    \b
    mailforensics notebooks ~/mail-notebooks
    """
    from mailforensics import samples

    target = Path(folder)
    sources = sorted(samples.folder("notebooks").glob("*.ipynb"))
    taken = [source.name for source in sources if (target / source.name).exists()]
    if taken and not force:
        raise OptionError(f"{target / taken[0]} is there already. Name another folder, or say --force.")
    target.mkdir(parents=True, exist_ok=True)
    copied = [str(shutil.copyfile(source, target / source.name)) for source in sources]
    _answer({"notebooks": copied}, lambda data: "\n".join(map(terminal, data["notebooks"])), as_json)


@main.command()
@click.argument("folder", metavar="[DIR]", default="mailforensics-notebooks")
@click.option("--no-browser", is_flag=True, help="Only say the address; open no browser.")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- OPTIONS OF JUPYTER]")
def lab(folder: str, no_browser: bool, options: tuple[str, ...]) -> None:
    """Copy the notebooks to a folder and open them in JupyterLab; what you changed there is never written over.

    \b
    mailforensics lab
    mailforensics lab ~/mail --no-browser
    mailforensics lab ~/mail -- --port 9999
    """
    from mailforensics import desk

    words = {"copied": "copied", "renewed": "renewed", "kept": "kept as it is: you have changed it"}
    for copy in desk.copy_notebooks(Path(folder)):
        if copy.what in words:
            click.echo(terminal(f"{copy.path}: {words[copy.what]}"), err=True)
    desk.open_lab(Path(folder), options, browser=not no_browser)


@main.command()
@click.argument("scenario", default="lost-in-sieve")
@click.option("--list", "only_list", is_flag=True, help="List the sample cases.")
@click.option("--report", "report_path", metavar="FILE", help="Write the report of the case, too.")
@_json
def demo(scenario: str, only_list: bool, report_path: str | None, as_json: bool) -> None:
    """Trace a lost mail in a sample case, with nothing to set up.

    \b
    mailforensics demo
    mailforensics demo bounced --report report.html
    mailforensics demo --list
    """
    from mailforensics import samples
    from mailforensics.show import text

    if only_list:
        stories = {name: _first_sentence(samples.story(name)) for name in samples.names()}
        _answer(stories, _list_text, as_json)
        return
    asked = samples.question(scenario)
    with _progress() as progress:
        case = samples.load(scenario, progress=progress)
    found = case.trace(**asked)
    if report_path:
        case.report(report_path, traces=[found])
    told = found.to_dict()
    _answer(
        told, lambda data: f"{_demo_lead(scenario, asked)}\n\n{text.trace(data, width=_width())}", as_json
    )
    if not told["journeys"]:
        sys.exit(NOTHING_FOUND)


@main.command()
@_json
def doctor(as_json: bool) -> None:
    """Say what of Python, libraries, extras, browser and Jupyter works here; a lack is a word, not a failure.

    \b
    mailforensics doctor
    """
    from mailforensics.show import doctor as examination

    _answer([*examination.examine()], examination.as_text, as_json)


def _case(**given: Any) -> Case:
    import mailforensics

    options = _options(**given)
    with _progress() as progress:
        return mailforensics.open_case(options.pop("paths"), progress=progress, **options)


def _privacy(given: dict[str, Any]) -> dict[str, Any] | None:
    """Take the options of pseudonyms out of what was given; None where nobody asked for any."""
    names = ("pseudonymise", "key_file", "keep_domains", "keep_mapping")
    wanted, path, domains, mapping = (given.pop(name) for name in names)
    if not wanted:
        if path or domains or mapping:
            raise click.UsageError(
                "--key-file, --keep-domain and --keep-mapping belong to --pseudonymise: say that, too."
            )
        return None
    from mailforensics.privacy import read_key

    return {"key": read_key(path), "keep_domains": domains, "mapping": mapping}


def _shared(
    case: Case, privacy: dict[str, Any] | None, traces: Sequence[Trace] = ()
) -> tuple[Case, list[Trace]]:
    """The case and its answers as they may be shown."""
    if privacy is None:
        return case, [*traces]
    from mailforensics.privacy import keep_mapping, pseudonymise, retell

    shared, hidden = pseudonymise(case, privacy["key"], privacy["keep_domains"])
    retold = [retell(trace, shared, hidden) for trace in traces]
    if privacy["mapping"]:
        keep_mapping(hidden, privacy["mapping"])
    return shared, retold


def _options(
    evidence: tuple[str, ...],
    own: tuple[str, ...] = (),
    timezone: tuple[str, ...] = (),
    year: int | None = None,
    journal: str | None = None,
) -> dict[str, Any]:
    """What the options of the command line mean to ``open_case`` and ``ingest``."""
    paths = [*evidence, *([f"journal:{journal}"] if journal is not None else [])]
    if not paths:
        raise click.UsageError("Name the evidence: a log, a message, a folder, a saved case, - or --journal.")
    return {"paths": paths, "own": list(own), "timezone": _zones(timezone), "year": year}


def _zones(given: tuple[str, ...]) -> str | dict[str, str] | None:
    """One zone for all, or zones by path pattern; a bare zone beside patterns is for the rest."""
    zones = {pattern or "*": zone for pattern, _, zone in (zone.rpartition("=") for zone in given)}
    if len(zones) < len(given):
        raise click.UsageError("--timezone names two zones for the same paths; give 'PATTERN=ZONE' for each.")
    return zones["*"] if list(zones) == ["*"] else zones or None


def _asked(given: dict[str, Any]) -> dict[str, str]:
    from mailforensics.trace import QUESTIONS

    taken = {key: given.pop(key) for key in QUESTIONS}
    return {key: value for key, value in taken.items() if value}


def _answer(data: Any, as_text: Callable[[Any], str], as_json: bool) -> None:
    from mailforensics.show import export

    click.echo(export.json_text(data) if as_json else as_text(data))


def _width() -> int:
    """The columns of the terminal; a fixed number where the answer goes elsewhere."""
    from mailforensics.show.text import WIDTH

    return max(80, shutil.get_terminal_size().columns) if sys.stdout.isatty() else WIDTH


def _progress() -> AbstractContextManager[Callable[[int, int], None] | None]:
    """A bar on standard error where that is a terminal."""
    from mailforensics.show.progress import at_terminal, bar

    return bar(at_terminal())


@contextmanager
def _binary_output(path: str | None, kind: str) -> Iterator[BinaryIO]:
    if path:
        try:
            with Path(path).open("wb") as file:
                yield file
        except OSError as error:
            raise EvidenceError(
                f"Cannot write {path}: {error.strerror}. Name another file with -o."
            ) from error
        return
    if kind in ("parquet", "arrow") and sys.stdout.isatty():
        raise click.UsageError(f"{kind.capitalize()} is no text for a terminal: name a file with -o.")
    yield sys.stdout.buffer


def _verified_text(data: Any) -> str:
    lines = [f"{row['status']:14}{terminal(row['source'])}" for row in data["inputs"]]
    lines += [f"{row['status']:14}{terminal(row['part'])}" for row in data["outputs"]]
    said = dict.fromkeys(row["sentence"] for row in [*data["inputs"], *data["outputs"]])
    events = f"{data['events_equal']:,} of {data['events_checked']:,} events read again are equal."
    return "\n".join([*lines, "", events, *said])


def _schema_text(data: Any) -> str:
    if isinstance(data, list):
        return "\n".join(f"{table['name']:16} {table['sentence']}" for table in data)
    lines = [f"{data['name']}: {data['sentence']}", ""]
    lines += [f"  {it['name']:22} {it['type']:34.34} {it['sentence']}" for it in data["columns"]]
    return "\n".join(lines)


def _list_text(stories: dict[str, str]) -> str:
    return "\n".join(f"{terminal(name):24} {terminal(said)}" for name, said in stories.items())


def _first_sentence(story: str) -> str:
    return story.split("\n\n")[0].replace("\n", " ").split(". ")[0].removesuffix(".") + "."


def _demo_lead(scenario: str, asked: dict[str, str]) -> str:
    from mailforensics import samples

    names = {"sender": "from", "message_id": "message-id"}
    named = {names.get(key, key): terminal(value) for key, value in asked.items()}
    options = " ".join(
        f'--{key} "{value}"' if " " in value else f"--{key} {value}" for key, value in named.items()
    )
    story = terminal(samples.story(scenario).split("\n\n")[0], keep="\n")
    return f"{story}\n\n$ mailforensics trace {terminal(samples.path(scenario))} {options}"


if __name__ == "__main__":
    main()
