"""Reports from cron: the cases of a TOML file, each brought up to date and reported, without anybody looking on.

    mailforensics batch /etc/mailforensics.toml

    log = "batch.log"                          # a line for each case and run; paths are relative to this file

    [[cases]]
    name = "daily"
    evidence = ["/var/log/mail.log*"]
    case = "cases/daily"                       # made, or brought up to date with what is new
    own = ["198.51.100.0/24", "mx.example.com"]

    [[cases.reports]]
    path = "reports/daily.html"                # .html, .md, .pdf or .xlsx
    sections = ["summary", "refusals", "delays"]
    only_if_findings = true
    mail_to = ["postmaster@example.com"]       # by the local sendmail, when the report changed

A run that finds nothing new changes nothing but its log. A case that fails is told and does not stop the others.
"""

from __future__ import annotations

import datetime as dt
import fcntl
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import polars as pl

from mailforensics.case import Case
from mailforensics.errors import CaseError, EvidenceError, MailforensicsError, OptionError
from mailforensics.intake import ingest
from mailforensics.show.escape import terminal

WELL, FINDINGS, WRONG_USE, FAILED, LOCKED = 0, 1, 2, 4, 5  # exit codes; 3 is a fault of the toolkit
SENDMAIL = "/usr/sbin/sendmail"


@dataclass(frozen=True)
class Report:
    """One report of a case, as the file asks for it."""

    path: Path
    sections: Sequence[str] | None = None
    title: str = "Mail report"
    only_if_findings: bool = False
    mail_to: Sequence[str] = ()
    pseudonymise: bool = False
    key_file: Path | None = None
    keep_domains: Sequence[str] = ()


@dataclass(frozen=True)
class Job:
    """One case of the file."""

    name: str
    evidence: Sequence[str]
    case: Path
    own: Sequence[str] = ()
    timezone: str | dict[str, str] | None = None
    year: int | None = None
    reports: Sequence[Report] = ()


@dataclass(frozen=True)
class Config:
    """The whole file."""

    jobs: Sequence[Job]
    log: Path | None = None
    sendmail: str = SENDMAIL


@dataclass
class Outcome:
    """What came of one case: findings are sentences worth a look, written are reports that changed."""

    name: str
    findings: list[str] = field(default_factory=list)
    written: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    mailed: list[str] = field(default_factory=list)
    error: str | None = None


def run(config: str | os.PathLike[str]) -> list[Outcome]:
    """Run the cases of a file and return what came of each.

    Raises OptionError where the file cannot be understood, CaseError while another run of the same file is under way.
    """
    path = Path(config)
    asked = read(path)
    with _alone(path):
        outcomes = [_run(job, asked.sendmail) for job in asked.jobs]
    if asked.log:
        _note(asked.log, outcomes)
    return outcomes


def exit_code(outcomes: Sequence[Outcome]) -> int:
    """0 nothing to look at, 1 findings, 4 a case failed.

    >>> exit_code([Outcome("daily"), Outcome("weekly", findings=["The log was cut."])])
    1
    """
    if any(outcome.error for outcome in outcomes):
        return FAILED
    return FINDINGS if any(outcome.findings for outcome in outcomes) else WELL


# --- The file ---------------------------------------------------------------------------------------------------------


def read(path: Path) -> Config:
    """The file as it is meant. Raises OptionError, naming the place, for what is missing, unknown or of a wrong type."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path} is no TOML: {error}.") from error
    place, base = str(path), path.absolute().parent
    _check(raw, {"cases": list, "log": str, "sendmail": str}, ("cases",), place)
    jobs = [_job(row, base, f"{place}, case {at}") for at, row in enumerate(raw["cases"], start=1)]
    if len({job.name for job in jobs}) < len(jobs) or len({job.case for job in jobs}) < len(jobs):
        raise OptionError(f"{place}: two cases have the same name or folder; give each its own.")
    return Config(jobs, base / raw["log"] if "log" in raw else None, raw.get("sendmail", SENDMAIL))


_JOB = {
    "name": str,
    "evidence": list,
    "case": str,
    "own": list,
    "timezone": (str, dict),
    "year": int,
    "reports": list,
}
_REPORT = {
    "path": str, "sections": list, "title": str, "only_if_findings": bool, "mail_to": list, "pseudonymise": bool,
    "key_file": str, "keep_domains": list,
}  # fmt: skip


def _job(row: Any, base: Path, place: str) -> Job:
    _check(row, _JOB, ("name", "evidence", "case"), place)
    evidence = [path if path == "-" else str(base / path) for path in row["evidence"]]
    reports = [
        _report(it, base, f"{place}, report {at}") for at, it in enumerate(row.get("reports", []), start=1)
    ]
    return Job(**row | {"evidence": evidence, "case": base / row["case"], "reports": reports})


def _report(row: Any, base: Path, place: str) -> Report:
    from mailforensics.show.report import all_sections

    _check(row, _REPORT, ("path",), place)
    unknown = [name for name in row.get("sections", []) if name not in all_sections()]
    if unknown:
        raise OptionError(
            f"{place}: there is no section {unknown[0]!r}; there are {', '.join(all_sections())}."
        )
    paths = {key: base / row[key] for key in ("path", "key_file") if key in row}
    return Report(**row | paths)


def _check(row: Any, known: Mapping[str, Any], needed: Sequence[str], place: str) -> None:
    if not isinstance(row, dict):
        raise OptionError(f"{place} must be a table, as in [[cases]].")
    for key, value in row.items():
        if key not in known:
            raise OptionError(f"{place}: {key!r} is not known; there are {', '.join(known)}.")
        texts = (
            known[key] is not list or key in ("cases", "reports") or all(isinstance(it, str) for it in value)
        )
        if not isinstance(value, known[key]) or (isinstance(value, bool) and known[key] is int) or not texts:
            raise OptionError(f"{place}: {key} = {value!r} is of the wrong type.")
        if any("\n" in text or "\r" in text for text in _texts_of(value)):
            raise OptionError(f"{place}: {key} must stand on one line.")
    for key in needed:
        if not row.get(key):
            raise OptionError(f"{place} lacks {key!r}.")


def _texts_of(value: Any) -> list[str]:
    return [text for text in (value if isinstance(value, list) else [value]) if isinstance(text, str)]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Only one run of a file at a time; the lock is on the file itself and goes when the process goes."""
    with path.open("rb") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CaseError(f"Another run of {path} is under way: wait until it has ended.") from error
        yield


# --- One case ---------------------------------------------------------------------------------------------------------


def _run(job: Job, sendmail: str) -> Outcome:
    outcome = Outcome(job.name)
    with _told(outcome):
        job.case.parent.mkdir(parents=True, exist_ok=True)
        case = ingest(job.evidence, job.case, own=job.own, timezone=job.timezone, year=job.year)
        outcome.findings = findings(case)
        for report in job.reports:
            if outcome.findings or not report.only_if_findings:
                with _told(outcome):
                    _write(case, report, outcome, sendmail)
    return outcome


@contextmanager
def _told(outcome: Outcome) -> Iterator[None]:
    """What goes wrong with a case or a report is told with the case and stops no other; only Ctrl-C stops everything."""
    try:
        yield
        return
    except MailforensicsError as error:
        said = str(error)
    except OSError as error:
        said = f"The system said: {error.strerror or error} ({error.filename})."
    except Exception as error:
        if os.environ.get("MAILFORENSICS_TRACEBACK"):
            raise
        said = f"A fault of mailforensics, not of your evidence: {type(error).__name__}: {error}."
    outcome.error = f"{outcome.error} {said}" if outcome.error else said


def findings(case: Case) -> list[str]:
    """Sentences on what somebody should look at: damaged evidence, what only we can mend, and findings of the case."""
    said = [
        f"{row['path']}: {hit}"
        for row in case.polars("sources").iter_rows(named=True)
        for hit in row["limits_hit"] or []
    ]
    for name in ("deliveries", "rejects"):
        ours = case.polars(name).filter((pl.col("who_acts") == "us") & pl.col("cause").is_not_null())
        causes = ours.group_by("cause").len().sort("len", "cause", descending=[True, False])
        said += [
            f"{cause} in {name}, {count} times: it is ours to mend" for cause, count in causes.iter_rows()
        ]
    return said + [str(sentence) for sentence in case.findings("warning")["sentence"].to_pylist()]


def _write(case: Case, report: Report, outcome: Outcome, sendmail: str) -> None:
    """Write a report where its bytes are new, and mail it then; one that could not be mailed is mailed by the next run."""
    from mailforensics.show.report import FORMATS

    said = outcome.findings
    if report.pseudonymise:
        from mailforensics.privacy import read_key

        case = case.pseudonymise(key=read_key(report.key_file), keep_domains=report.keep_domains)
        said = findings(case)
    report.path.parent.mkdir(parents=True, exist_ok=True)
    draft, unsent = (report.path.with_name(f".{report.path.name}.{word}") for word in ("new", "unsent"))
    kind = report.path.suffix[1:].lower()
    try:
        case.report(
            draft, sections=report.sections, title=report.title, format=kind if kind in FORMATS else "html"
        )
        if report.path.is_file() and report.path.read_bytes() == draft.read_bytes():
            outcome.unchanged.append(str(report.path))
        else:
            if report.mail_to:
                unsent.touch()
            os.replace(draft, report.path)
            outcome.written.append(str(report.path))
    finally:
        draft.unlink(missing_ok=True)
    if report.mail_to and unsent.exists():
        _mail(report, said, sendmail)
        unsent.unlink()
        outcome.mailed += report.mail_to


_TYPES = {".html": ("text", "html"), ".md": ("text", "markdown"), ".pdf": ("application", "pdf"),
          ".xlsx": ("application", "vnd.openxmlformats-officedocument.spreadsheetml.sheet")}  # fmt: skip


def _mail(report: Report, said: Sequence[str], sendmail: str) -> None:
    """Hand the report to the local sendmail, as an attachment, so that nothing of it runs in a mail reader."""
    message = EmailMessage()
    message["Subject"] = report.title
    message["To"] = ", ".join(report.mail_to)
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834
    message.set_content("\n".join(map(terminal, said or ["Nothing to look at."])) + "\n")
    main, sub = _TYPES.get(report.path.suffix.lower(), ("application", "octet-stream"))
    parameters = {"charset": "utf-8"} if main == "text" else {}
    content = report.path.read_bytes()
    message.add_attachment(content, maintype=main, subtype=sub, filename=report.path.name, params=parameters)
    try:
        command = [sendmail, "-i", "--", *report.mail_to]
        subprocess.run(command, input=message.as_bytes(), check=True, timeout=60)  # noqa: S603  no shell
    except (OSError, subprocess.SubprocessError) as error:
        raise EvidenceError(
            f"{report.path} was written but not mailed: {sendmail} failed ({error}). The next run tries again."
        ) from error


def lines(outcome: Outcome) -> Iterator[str]:
    """What came of a case, a line a statement, fit for a terminal."""
    name = terminal(outcome.name)
    if outcome.error:
        yield f"{name}: FAILED: {terminal(outcome.error)}"
    yield from (f"{name}: look at: {terminal(said)}" for said in outcome.findings)
    yield from (f"{name}: written {terminal(path)}" for path in outcome.written)
    yield from (f"{name}: unchanged {terminal(path)}" for path in outcome.unchanged)
    yield from (f"{name}: mailed to {terminal(address)}" for address in outcome.mailed)
    if not (outcome.error or outcome.findings or outcome.written or outcome.unchanged):
        yield f"{name}: nothing to look at"


def _note(path: Path, outcomes: Sequence[Outcome]) -> None:
    now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as out:
        out.writelines(f"{now} {line}\n" for outcome in outcomes for line in lines(outcome))
