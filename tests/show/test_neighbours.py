"""Exports against the neighbours' published field lists: no field that they do not know, none of a wrong form."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import pytest
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
# lnav, format-v1.schema.json
LNAV_FIELDS = [
    "title",
    "description",
    "file-type",
    "line-format",
    "timestamp-field",
    "level-field",
    "level",
    "body-field",
    "opid-field",
    "hide-extra",
    "value",
    "regex",
    "sample",
    "json",
    "mime-types",
    "tags",
    "timestamp-format",
]


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
        assert set(record["email"]) <= set(OCSF_EMAIL)
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


def test_lnav_knows_each_key_and_each_field_is_a_column_of_events(case: Case) -> None:
    written_format = json.loads(written(case, "lnav"))["mailforensics_events"]
    assert set(written_format) <= set(LNAV_FIELDS)
    columns = set(case.table("events").column_names)
    assert set(written_format["value"]) <= columns
    for key in ("timestamp-field", "level-field", "body-field", "opid-field"):
        assert written_format[key] in columns


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
