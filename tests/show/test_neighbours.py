"""Exports against the neighbours' published field lists: no field that they do not know, none of a wrong form."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml
from click.testing import CliRunner

from mailforensics import Case, cli, plugins, samples
from mailforensics.errors import OptionError
from mailforensics.show import neighbours

# Of the field reference of ECS 8.17: the fields of the sets event, email, source, destination, host, user, tls that a mail can have.
ECS_FIELDS = [
    "@timestamp",
    "ecs.version",
    "event.action",
    "event.category",
    "event.code",
    "event.created",
    "event.dataset",
    "event.duration",
    "event.end",
    "event.id",
    "event.ingested",
    "event.kind",
    "event.module",
    "event.original",
    "event.outcome",
    "event.provider",
    "event.reason",
    "event.reference",
    "event.sequence",
    "event.severity",
    "event.start",
    "event.timezone",
    "event.type",
    "event.url",
    "email.bcc.address",
    "email.cc.address",
    "email.content_type",
    "email.delivery_timestamp",
    "email.direction",
    "email.from.address",
    "email.local_id",
    "email.message_id",
    "email.origination_timestamp",
    "email.reply_to.address",
    "email.sender.address",
    "email.subject",
    "email.to.address",
    "email.x_mailer",
    "source.address",
    "source.bytes",
    "source.domain",
    "source.ip",
    "source.port",
    "destination.address",
    "destination.domain",
    "destination.ip",
    "destination.port",
    "host.hostname",
    "host.ip",
    "host.name",
    "user.domain",
    "user.email",
    "user.id",
    "user.name",
    "tls.cipher",
    "tls.established",
    "tls.version",
    "tls.version_protocol",
]
# OCSF: required and recommended attributes of the class email_activity, of base_event and of the object email
OCSF_CLASS = [
    "activity_id",
    "attempt",
    "banner",
    "category_uid",
    "class_uid",
    "command",
    "direction",
    "direction_id",
    "dst_endpoint",
    "email",
    "email_auth",
    "from",
    "message_trace_uid",
    "metadata",
    "protocol_name",
    "severity_id",
    "smtp_hello",
    "src_endpoint",
    "status",
    "status_code",
    "status_detail",
    "status_id",
    "time",
    "to",
    "type_uid",
]
OCSF_EMAIL = [
    "cc",
    "delivered_to",
    "from",
    "message_uid",
    "raw_header",
    "reply_to",
    "size",
    "smtp_from",
    "smtp_to",
    "subject",
    "to",
    "uid",
    "x_originating_ip",
]
OCSF_REQUIRED = {
    "activity_id",
    "category_uid",
    "class_uid",
    "type_uid",
    "severity_id",
    "time",
    "metadata",
    "direction_id",
    "email",
}
# Zeek 7, base/protocols/smtp/main.zeek and files.zeek
ZEEK_FIELDS = [
    "ts",
    "uid",
    "id.orig_h",
    "id.orig_p",
    "id.resp_h",
    "id.resp_p",
    "trans_depth",
    "helo",
    "mailfrom",
    "rcptto",
    "date",
    "from",
    "to",
    "cc",
    "reply_to",
    "msg_id",
    "in_reply_to",
    "subject",
    "x_originating_ip",
    "first_received",
    "second_received",
    "last_reply",
    "path",
    "user_agent",
    "tls",
    "fuids",
]
OCSF_EMAIL_REQUIRED = {"from", "to"}
# lnav, format-v1.schema.json: what a format, and a value of it, may hold
LNAV_FIELDS = {
    "title", "description", "file-type", "line-format", "timestamp-field", "level-field", "level", "body-field", "opid-field",
    "hide-extra", "value", "regex", "sample", "json", "mime-types", "tags", "timestamp-format",
}  # fmt: skip
LNAV_VALUE = {
    "kind",
    "identifier",
    "description",
    "collate",
    "foreign-key",
    "hidden",
    "rewriter",
    "unit",
    "action-list",
}
LNAV_KINDS = {"string", "integer", "float", "boolean", "json", "quoted", "xml", "timestamp", "struct"}
LNAV = shutil.which("lnav")


@pytest.fixture(scope="module")
def case() -> Case:
    return samples.load("bounced")


def written(case: Case, neighbour: str) -> str:
    out = io.BytesIO()
    assert neighbours.write(case, neighbour, out) > 0
    return out.getvalue().decode()


def flat(record: dict[str, object], before: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in record.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found


def test_ecs_has_only_fields_of_ecs_and_a_line_for_each_delivery(case: Case) -> None:
    records = [flat(json.loads(line)) for line in written(case, "ecs").splitlines()]
    assert len(records) == case.polars("deliveries").height
    assert {name for record in records for name in record} <= set(ECS_FIELDS)
    for record in records:
        assert datetime.fromisoformat(str(record["@timestamp"])).tzinfo
        assert record["event.outcome"] == ("success" if record["event.action"] == "sent" else "failure")
        assert isinstance(record["event.duration"], int)
    returned = next(r for r in records if r["email.to.address"] == ["nobody@example.org"])
    assert (returned["event.action"], returned["email.sender.address"]) == ("bounced", "alex@example.com")


def test_ocsf_has_the_required_attributes_and_no_unknown_ones(case: Case) -> None:
    records = [json.loads(line) for line in written(case, "ocsf").splitlines()]
    for record in records:
        assert set(record) >= OCSF_REQUIRED
        assert set(record) <= set(OCSF_CLASS)
        assert OCSF_EMAIL_REQUIRED <= set(record["email"]) <= set(OCSF_EMAIL)
        assert record["type_uid"] == record["class_uid"] * 100 + record["activity_id"]
        assert record["direction_id"] in (0, 1, 2, 3)
        assert isinstance(record["time"], int)


def test_zeek_has_its_fields_in_order_and_as_many_cells_in_each_line(case: Case) -> None:
    lines = written(case, "zeek").splitlines()
    head = {line.split("\t")[0]: line.split("\t")[1:] for line in lines if line.startswith("#")}
    assert head["#fields"] == ZEEK_FIELDS
    assert len(head["#types"]) == len(ZEEK_FIELDS)
    rows = [
        dict(zip(ZEEK_FIELDS, line.split("\t"), strict=True)) for line in lines if not line.startswith("#")
    ]
    assert len(rows) == case.polars("messages").height
    assert all(row["tls"] in "TF" and float(row["ts"]) > 0 for row in rows)
    assert {"<>", "(empty)", "-"} >= {row["mailfrom"] for row in rows if "@" not in row["mailfrom"]}


def test_timesketch_has_its_three_fields_and_no_formula(case: Case) -> None:
    rows = [*csv.DictReader(io.StringIO(written(case, "timesketch")))]
    assert len(rows) == case.polars("events")["time"].drop_nulls().len()
    for row in rows:
        assert row["message"] and row["timestamp_desc"]  # noqa: PT018  one statement on one row
        assert datetime.fromisoformat(row["datetime"]).tzinfo
        assert not row["message"].startswith(("=", "+", "@"))


@pytest.mark.parametrize("which", ["lnav", "lnav-postfix", "lnav-dovecot", "lnav-rspamd"])
def test_lnav_knows_each_key_of_its_formats(case: Case, which: str) -> None:
    made = json.loads(written(case, which))
    assert made.pop("$schema") == "https://lnav.org/schemas/format-v1.schema.json"
    assert len(made) == (3 if which == "lnav" else 2)
    for told in made.values():
        assert set(told) <= LNAV_FIELDS
        assert {key for value in told["value"].values() for key in value} <= LNAV_VALUE
        assert {value["kind"] for value in told["value"].values()} <= LNAV_KINDS
        groups = {
            name
            for it in told.get("regex", {}).values()
            for name in re.findall(r"\(\?P<(\w+)>", it["pattern"])
        }
        assert groups - {"timestamp", "body"} <= set(told["value"])


def test_the_format_of_events_names_columns_of_that_table(case: Case) -> None:
    told = json.loads(written(case, "lnav"))["mailforensics_events"]
    columns = set(case.table("events").column_names)
    assert set(told["value"]) <= columns
    assert {told[key] for key in ("timestamp-field", "level-field", "body-field", "opid-field")} <= columns


@pytest.mark.skipif(LNAV is None, reason="lnav is not installed: apt-get install lnav")
@pytest.mark.parametrize("which", ["lnav", "lnav-postfix", "lnav-dovecot", "lnav-rspamd"])
def test_lnav_takes_the_formats_and_every_sample_fits_one_of_their_patterns(
    case: Case, which: str, tmp_path: Path
) -> None:
    install(case, which, tmp_path)
    checked = lnav(tmp_path, "-C")
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


@pytest.mark.skipif(LNAV is None, reason="lnav is not installed: apt-get install lnav")
def test_lnav_counts_in_the_logs_what_we_count(case: Case, tmp_path: Path) -> None:
    install(case, "lnav", tmp_path)
    log = samples.path("bounced") / "mail" / "mail.log"
    events = case.polars("events").join(
        case.polars("sources").filter(pl.col("path") == str(log)), on="source_id"
    )
    mail = "SELECT (SELECT count(*) FROM mailforensics_mail), (SELECT group_concat(status) FROM (SELECT status FROM"
    mail += " mailforensics_mail WHERE status IS NOT NULL ORDER BY log_line)), (SELECT count(queue_id) FROM mailforensics_mail)"
    statuses = case.polars("deliveries").filter(
        pl.col("evidence").list.first().is_in(events["event_id"].implode())
    )
    assert asked(tmp_path, mail, log) == [
        str(events.height), ",".join(statuses.sort(pl.col("evidence").list.first())["status"]),
        str(events["queue_id"].drop_nulls().len() + events["text"].str.contains("NOQUEUE: ").sum()),
    ]  # fmt: skip
    verdicts = case.polars("scans").filter((pl.col("host") == "mail") & (pl.col("origin") == "log"))
    spam = "SELECT count(*), sum(score) FROM mailforensics_rspamd WHERE action IS NOT NULL"
    count, scores = asked(tmp_path, spam, samples.path("bounced") / "mail" / "rspamd.log")
    assert (int(count), float(scores)) == (verdicts.height, pytest.approx(verdicts["score"].sum()))


def install(case: Case, which: str, home: Path) -> None:
    (home / "mail.json").write_text(written(case, which), encoding="utf-8")
    installed = lnav(home, "-i", str(home / "mail.json"))
    assert (installed.returncode, installed.stderr) == (
        0,
        "",
    ) or "installed" in installed.stdout + installed.stderr


def lnav(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "TERM": "dumb", "TZ": "UTC"}
    return subprocess.run(
        [str(LNAV), *arguments], env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def asked(home: Path, query: str, log: Path) -> list[str]:
    """The only row of lnav's answer to a question about a log."""
    run = lnav(home, "-n", "-q", "-c", f";{query}", "-c", ":write-csv-to -", str(log))
    assert run.returncode == 0, run.stderr
    (_, row) = csv.reader(io.StringIO(run.stdout))
    return row


# --- Sigma ------------------------------------------------------------------------------------------------------------

RULES = sorted((Path(__file__).parents[2] / "docs" / "examples" / "sigma").glob("*.yml"))


def test_sigma_records_are_flat_and_have_a_log_source(case: Case) -> None:
    records = [json.loads(line) for line in written(case, "sigma").splitlines()]
    events = case.polars("events")
    assert len(records) == events.height
    for record in records:
        assert {key: record[key] for key in ("category", "product")} == {
            "category": "application",
            "product": record["product"],
        }
        assert record["product"] in ("postfix", "dovecot", "rspamd")
        assert [name for name in record if not re.fullmatch("[a-z][a-z0-9_]*", name)] == []
        values = [it for value in record.values() for it in (value if isinstance(value, list) else [value])]
        assert [it for it in values if not isinstance(it, str | int | float | bool)] == []
    assert [record["message"] for record in records] == events["text"].to_list()
    symbols = next(record["symbols"] for record in records if record["kind"] == "rspamd.task")
    assert "ARC_NA" in symbols


@pytest.mark.parametrize("rule", RULES, ids=lambda path: path.stem)
def test_the_example_rules_find_what_the_evidence_holds(rule: Path) -> None:
    told = yaml.safe_load(rule.read_text(encoding="utf-8"))
    assert {"title", "logsource", "detection"} <= set(told)  # what the specification requires
    found = {name: len(hits(told, name)) for name in ("rejected", "normal")}
    assert found["rejected"] > 0
    assert found["normal"] == 0


def hits(rule: dict[str, Any], sample: str) -> list[dict[str, Any]]:
    """The records that a rule of one selection matches, by the specification: all fields, any of a list of values."""
    records = [json.loads(line) for line in written(samples.load(sample), "sigma").splitlines()]
    assert rule["detection"]["condition"] == "selection"
    wanted = rule["logsource"] | rule["detection"]["selection"]
    return [record for record in records if all(matches(record, *item) for item in wanted.items())]


def matches(record: dict[str, Any], field: str, value: Any) -> bool:
    name, _, modifier = field.partition("|")
    has = record.get(name)
    values, held = (it if isinstance(it, list) else [it] for it in (value, has))
    if modifier == "contains":
        return any(str(part).lower() in str(it).lower() for part in values for it in held if it is not None)
    assert modifier == ""
    return any(str(it).lower() == str(part).lower() for part in values for it in held)


def test_an_export_of_an_installed_package_is_one_of_the_exports(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugins, "load", lambda group: {"count": lambda case, out: out.write(b"1\n")})
    assert written(case, "count") == "1\n"


def test_the_command_writes_an_export_and_names_the_ones_there_are() -> None:
    result = CliRunner().invoke(cli.main, ["export", str(samples.path("bounced")), "--to", "zeek"])
    assert (result.exit_code, result.stdout.splitlines()[4]) == (0, "#path\tsmtp")
    wrong = CliRunner().invoke(cli.main, ["export", str(samples.path("bounced")), "--to", "splunk"])
    assert (wrong.exit_code, "there are ecs, ocsf" in wrong.output) == (2, True)
    with pytest.raises(OptionError, match="no export to 'splunk'"):
        neighbours.write(samples.load("bounced"), "splunk", io.BytesIO())
