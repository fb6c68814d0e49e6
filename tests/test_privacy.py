"""S11: nothing that names a person leaves the house, and what was equal stays equal."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from mailforensics import Case, cli, open_case, privacy, reading, samples, schema
from mailforensics.errors import OptionError
from mailforensics.privacy import Pseudonyms
from mailforensics.show import export, neighbours, report

KEY = b"a key that nobody else knows"
DOMAINS = (
    "example.com",
    "example.org",
    "example.net",
    "example.edu",
    "office.example.com",
    "nodomain.test",
    "shop.test",
)
SCENARIOS = ("bounced", "forwarded", "phish", "rejected", "sieve-actions", "spam")
NOT_PERSONAL = re.compile(r"127\.0\.0\.1|::1|0\.0\.0\.0")


@cache
def case_of(name: str) -> Case:
    return samples.load(name)


@cache
def shared(name: str) -> Case:
    return case_of(name).pseudonymise(key=KEY)


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


def originals(case: Case) -> set[str]:
    """What must not be found any more: addresses, domains, addresses of hosts, accounts and subjects of the case."""
    told = [
        text
        for name, described in schema.TABLES.items()
        for row in case.table(name).to_pylist()
        for column, value in row.items()
        if described.column(column).personal
        for text in texts(value)
    ]
    found: set[str] = set()
    for text in told:
        found |= set(re.findall(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+\.[a-z]+", text))
        found |= set(re.findall(r"\b(?:[0-9]{1,3}\.){3}[0-9]{1,3}\b", text))
    found |= {name for name in DOMAINS if any(name in text for text in told)}
    found |= {
        s for name in ("documents", "scans") for s in case.polars(name)["subject"].drop_nulls() if len(s) > 3
    }
    found |= set(case.polars("mailbox_events")["username"].drop_nulls())
    return {text for text in found if not NOT_PERSONAL.fullmatch(text)}


def stands_in(text: str, whole: str) -> bool:
    return re.search(rf"(?<![A-Za-z0-9]){re.escape(text)}(?![A-Za-z0-9])", whole, re.IGNORECASE) is not None


def everything(case: Case) -> str:
    """All that can leave: every table, the lines by kind, every export, a trace of everything, the report in both forms."""
    out = io.BytesIO()
    for name in neighbours.neighbours():
        if not name.startswith("lnav"):  # holds examples of shapes, nothing of the case
            neighbours.write(case, name, out)
    for name in schema.TABLES:
        export.write_json_lines(case.table(name), out)
    for kind in case.kinds:
        export.write_json_lines(case.lines(kind), out)
    trace = case.trace(since="1970-01-01")
    parts = [out.getvalue().decode(), export.json_text(trace.to_dict()), str(trace), repr(case)]
    parts += [report.render(case, traces=[trace], pictures=False), report.markdown(case, traces=[trace])]
    return "\n".join(parts)


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_original_is_found_in_anything_that_leaves(name: str) -> None:
    wanted = originals(case_of(name))
    assert len(wanted) > 20
    whole = everything(shared(name))
    assert sorted(text for text in wanted if text.lower() in whole.lower() and stands_in(text, whole)) == []


@pytest.mark.parametrize("name", SCENARIOS)
def test_there_is_something_to_find_before(name: str) -> None:
    wanted = originals(case_of(name))
    whole = everything(case_of(name))
    assert sum(stands_in(text, whole) for text in wanted) > 0.9 * len(wanted)


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_was_equal_is_equal_and_what_differed_differs(name: str) -> None:
    before, after = case_of(name), shared(name)
    for table, columns in {
        "deliveries": ["recipient", "relay_ip"],
        "messages": ["sender", "client_ip", "message_id", "host"],
    }.items():
        for column in columns:
            pairs = {
                (str(a).lower(), b)
                for a, b in zip(before.polars(table)[column], after.polars(table)[column], strict=True)
            }
            assert len(pairs) == len({a for a, _ in pairs}) == len({b for _, b in pairs})


@pytest.mark.parametrize("name", SCENARIOS)
def test_joins_outcomes_and_kinds_of_lines_are_as_before(name: str) -> None:
    before, after = case_of(name), shared(name)
    fates = [[o["outcome"] for o in row] for row in before.polars("journeys")["outcomes"].to_list()]
    assert [[o["outcome"] for o in row] for row in after.polars("journeys")["outcomes"].to_list()] == fates

    def joined(case: Case) -> int:
        return case.polars("scans").join(case.polars("messages"), on=["message_id"]).height

    assert joined(after) == joined(before)
    known = after.polars("events").filter(pl.col("kind").is_not_null())
    again = {kind: table.height for kind, table in reading.fields_again(known).items()}
    assert again == dict(known["kind"].value_counts().rows())


def test_the_clocks_of_hosts_are_told_under_their_other_names(tmp_path: Path) -> None:
    real, other = case_of("normal").clocks, shared("normal").clocks
    assert real.height > 0
    assert other.select("offset_s", "pairs").equals(real.select("offset_s", "pairs"))
    hosts = set(shared("normal").polars("events")["host"].drop_nulls())
    assert {*other["host"], *other["to_host"]} <= hosts
    shared("normal").save(tmp_path / "shared")
    assert open_case(tmp_path / "shared").clocks.equals(other)


def test_every_text_column_has_a_decision_and_no_personal_one_stays() -> None:
    for table in schema.TABLES.values():
        kinds = schema.polars_schema(table.name)
        for column in table.columns:
            if privacy.has_text(kinds[column.name]):
                made = privacy.decision(table.name, column.name)
                assert made, f"{table.name}.{column.name} has no decision in privacy.DECISIONS"
                assert not (column.personal and made == "keep"), (
                    f"{table.name}.{column.name} is personal and kept"
                )


def test_a_column_without_a_decision_does_not_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    less = {name: made for name, made in privacy.DECISIONS.items() if name != "subject"}
    monkeypatch.setattr(privacy, "DECISIONS", less)
    assert case_of("bounced").pseudonymise(key=KEY).polars("documents")["subject"].null_count() > 0


def test_own_domains_may_stay_but_not_who_lives_there() -> None:
    senders = (
        case_of("bounced").pseudonymise(key=KEY, keep_domains=["example.com"]).polars("messages")["sender"]
    )
    kept = [sender for sender in senders if sender and sender.endswith("@example.com")]
    assert kept
    assert not any(sender.startswith(("alex", "amy", "anna")) for sender in kept)
    assert not any("example.org" in sender for sender in senders if sender)


def test_addresses_of_hosts_keep_exactly_the_prefix_they_share() -> None:
    hidden = Pseudonyms(KEY)
    one, near, far = (hidden.ip(ip) for ip in ("192.0.2.64", "192.0.2.127", "198.51.100.1"))
    assert one
    assert near
    assert far

    def bits(ip: str) -> str:
        return "".join(f"{int(part):08b}" for part in ip.split("."))

    def common(a: str, b: str) -> int:
        return next(at for at in range(33) if bits(a)[: at + 1] != bits(b)[: at + 1])

    assert common(one, near) == common("192.0.2.64", "192.0.2.127") == 26
    assert common(one, far) == common("192.0.2.64", "198.51.100.1")
    assert hidden.ip("2001:db8::1") not in (None, "2001:db8::1")
    assert (hidden.ip("127.0.0.1"), hidden.ip("::1"), hidden.ip("no address")) == ("127.0.0.1", "::1", None)


def test_another_key_gives_other_pseudonyms_and_a_short_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert Pseudonyms(KEY).address("bob@example.org") != Pseudonyms(KEY + b"!").address("bob@example.org")
    with pytest.raises(OptionError, match="16 bytes or more"):
        case_of("bounced").pseudonymise(key="short")
    (tmp_path / "key").write_bytes(KEY + b"\n")
    assert privacy.read_key(tmp_path / "key") == KEY
    monkeypatch.setenv(privacy.KEY_VARIABLE, KEY.decode())
    assert privacy.read_key() == KEY
    monkeypatch.delenv(privacy.KEY_VARIABLE)
    with pytest.raises(OptionError, match="MAILFORENSICS_KEY"):
        privacy.read_key()
    with pytest.raises(OptionError, match="cannot be read"):
        privacy.read_key(tmp_path / "none")


def test_the_key_is_in_no_file_of_the_saved_case(tmp_path: Path) -> None:
    shared("bounced").save(tmp_path / "case")
    files = [path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()]
    assert files
    assert not any(KEY in content or b"example.org" in content for content in files)


@pytest.mark.parametrize(
    "command", [["trace", "--to", "nobody"], ["report", "--to", "nobody"], ["open"], ["ingest"]]
)
def test_the_command_line_pseudonymises_what_it_answers(command: list[str], tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    name, *question = command
    target = tmp_path / ("report.html" if name == "report" else "case")
    where = ["-o", str(target)] if name in ("report", "ingest") else []
    private = ["--pseudonymise", "--key-file", str(tmp_path / "key")]
    result = CliRunner().invoke(cli.main, [name, str(samples.path("bounced")), *question, *where, *private])
    assert result.exit_code == 0, result.output
    said = result.stdout + (target.read_text() if name == "report" else "")
    said += (target / "manifest.json").read_text() if name == "ingest" else ""
    assert ".invalid" in said or name in ("open", "ingest")
    assert not any(
        stands_in(text, said) for text in ("nobody", "alex@example.com", "example.org", "203.0.113.10")
    )


def test_a_table_on_the_command_line_is_pseudonymised_too(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    private = ["--pseudonymise", "--key-file", str(tmp_path / "key"), "--keep-domain", "example.com"]
    result = CliRunner().invoke(cli.main, ["table", str(samples.path("bounced")), "deliveries", *private])
    assert result.exit_code == 0
    assert "@example.com" in result.stdout
    assert "example.org" not in result.stdout
    assert "anna@" not in result.stdout


def test_an_answer_is_turned_back_by_a_mapping_that_was_kept_and_the_right_key_only(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "other").write_bytes(KEY + b"!")
    mapping, answer = tmp_path / "mapping.json", tmp_path / "answer.txt"
    private = ["--pseudonymise", "--key-file", str(tmp_path / "key"), "--keep-mapping", str(mapping)]
    asked = ["trace", str(samples.path("bounced")), "--to", "nobody@example.org"]
    plain = CliRunner().invoke(cli.main, asked).stdout
    answer.write_text(CliRunner().invoke(cli.main, [*asked, *private]).stdout)
    assert "nobody@example.org" not in answer.read_text()
    assert mapping.stat().st_mode & 0o077 == 0

    given = ["reveal", str(answer), "--mapping", str(mapping), "--key-file"]
    told = CliRunner().invoke(cli.main, [*given, str(tmp_path / "key")])
    for text in ("alex@example.com -> nobody@example.org", "192.0.2.101", "mx.example.org"):
        assert text in plain
        assert text in told.stdout
    wrong = CliRunner().invoke(cli.main, [*given, str(tmp_path / "other")])
    assert (wrong.exit_code, "not the one" in wrong.output) == (2, True)
