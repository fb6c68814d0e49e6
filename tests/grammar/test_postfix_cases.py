"""Real Postfix lines of other projects' tests: every line understood, and the fields that those projects expect.

Cases that are no whole line (a list of delays, a TLS status) are put into the line that they come from.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from mailforensics.grammar.postfix import GRAMMAR

CASES = Path(__file__).parents[3] / "shared" / "cases"
if not CASES.exists():
    pytest.skip("../shared/cases is not here", allow_module_level=True)

_SYSLOG = re.compile(r"[A-Z][a-z]{2} +[0-9]+ [0-9:]{8} [^ ]+ ([^\[]+)\[[0-9]+\]: (.*)", re.DOTALL)
_DELIVERY = "4jYDFF2L8ZzqDd: to=<a@example.com>, relay=none, delay=1, {}, dsn=4.0.0, status=deferred (x)"
# Programs of other packages that log under postfix/...: their grammars are those of the neighbours.
_NEIGHBOURS = ("postfix/policy-spf", "postfix/postfwd", "postgrey")

Fields = Mapping[str, Any]


def load(name: str) -> list[dict[str, Any]]:
    text = (CASES / f"postfix_{name}.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def read(program: str, text: str) -> Fields:
    """All that the grammar makes of one line: prefix columns, kind and fields; kind None when it is not understood."""
    frame = GRAMMAR.split(pl.DataFrame({"program": [program], "pid": [1], "text": [text]}))
    prefix = frame.row(0, named=True)
    hits = GRAMMAR.matcher(prefix["daemon"], prefix["severity"] is not None).read(frame["body"])
    if not hits:
        return {**prefix, "kind": None}
    return {**prefix, **hits[0].fields.row(0, named=True), "kind": hits[0].shape.kind}


def line_of(case: dict[str, Any]) -> tuple[str, str]:
    """Program and text of a case; parts of lines are put into a line."""
    text, daemon = case["line"], str(case.get("daemon") or "")
    if daemon == "command_counter_data":
        return "postfix/smtpd", f"disconnect from mx.example.net[192.0.2.7] {text}"
    if daemon == "delays":
        return "postfix/smtp", _DELIVERY.format(f"delays={text}")
    if daemon == "tls_features" and " " not in text:
        return "postfix/smtp", _DELIVERY.format(f"delays=0/0/0/0, tls={text}")
    if daemon == "relay":
        return "postfix/lmtp", _DELIVERY.format("delays=0/0/0/0").replace("relay=none", f"relay={text}")
    full = _SYSLOG.fullmatch(text)
    if full:
        return full[1], full[2]
    program = (
        daemon
        if daemon.startswith("postfix/")
        else f"postfix/{daemon.replace('trivial_rewrite', 'trivial-rewrite')}"
    )
    return program, text


def _either(*names: str) -> Callable[[Fields], object]:
    return lambda fields: next((fields[name] for name in names if fields.get(name) is not None), None)


def _counter(command: str, part: str) -> Callable[[Fields], object]:
    return lambda fields: next((c[part] for c in fields["commands"] if c["command"] == command), None)


def _bare(name: str) -> Callable[[Fields], object]:
    return lambda fields: (fields.get(name) or "").removeprefix("<").removesuffix(">")


# The names of postfix-grok-patterns and the fields that hold the same here.
GROK: dict[str, Callable[[Fields], object]] = {
    "queueid": lambda fields: "NOQUEUE" if fields["noqueue"] else fields["queue_id"],
    "client_hostname": _either("client_name", "remote_name"),
    "client_ip": _either("client_ip", "remote_ip"),
    "client_ip_unknown": lambda fields: "unknown" if fields["client_ip"] is None else None,
    "client_port": _either("client_port"),
    "server_ip": _either("local_ip"),
    "server_port": _either("local_port"),
    "relay_hostname": _either("remote_name", "relay_name"),
    "relay_ip": _either("remote_ip", "relay_ip"),
    "relay_port": _either("remote_port", "relay_port"),
    "relay_service": _either("relay_socket"),
    "smtp_stage": _either("stage", "command"),
    "proxy_smtp_stage": _either("stage"),
    "message_level": lambda fields: fields["severity"] or fields.get("action"),
    "action": _either("action"),
    "proxy_result": _either("action"),
    "milter_data": _either("argument"),
    "status": _either("status"),
    "status_code": _either("reply_code"),
    "status_code_enhanced": _either("enhanced_code"),
    "proxy_status_code": _either("reply_code"),
    "proxy_status_code_enhanced": _either("enhanced_code"),
    "from": _either("sender"),
    "service": _either("service"),
    "anvil_timestamp": _either("at"),
    "anvil_conn_count": _either("count"),
    "anvil_conn_rate": _either("rate"),
    "anvil_conn_period": _either("period"),
    "tls_trustlevel": _either("trust"),
    "tls_version": _either("tls_version"),
    "tls_cipher": _either("tls_cipher"),
    "tls_cipher_size": _either("tls_bits"),
    "tls_key_exchange": _either("key_exchange"),
    "tls_server_signature": _either("server_signature"),
    "tls_server_signature_curve": _either("server_signature_detail"),
    "tls_server_signature_size": lambda fields: fields["server_signature_detail"].removesuffix(" bits"),
    "tls_server_digest": _either("server_digest"),
    "tls_error": _either("error"),
    "tls_security_level": _either("tls_level"),
    "requiretls": lambda fields: "requiretls" if fields["requiretls"] else None,
    "requiretls_policy_undecided": lambda fields: {"undecided": "?"}.get(fields["requiretls"]),
    "requiretls_policy_violation": lambda fields: {"unmet": "!"}.get(fields["requiretls"]),
    "requiretls_downgrade_level": _either("requiretls_downgrade"),
    "message-id": _bare("message_id"),
    "version": _either("version"),
    "config_path": _either("configuration"),
    "postsuper_action": _either("action"),
    "postsuper_summary_action": _either("action"),
    "postsuper_summary_count": _either("count"),
    "bounce_queueid": _either("next_queue_id"),
    "dnsbl_domain": _either("list"),
    "dnsbl_result": _either("answer"),
    "postscreen_cache_retained": _either("retained"),
    "postscreen_cache_dropped": _either("dropped"),
    "postscreen_dnsbl_rank": _either("rank"),
    "postscreen_violation_time": lambda fields: f"{fields['seconds']:g}",
    "postscreen_toobusy_data": _either("text"),
    "scache_timestamp": _either("at"),
    "delay_before_qmgr": _either("delay_before_queue_s"),
    "delay_in_qmgr": _either("delay_in_queue_s"),
    "delay_conn_setup": _either("delay_connect_s"),
    "delay_transmission": _either("delay_transmit_s"),
    "error_response": _either("response"),
    "local_response": _either("response"),
    "pix_workaround": _either("value"),
    "discarded_ehlo_keywords": _either("text"),
    "cmd_count": _either("commands_tried"),
    "cmd_count_accepted": _either("commands_accepted"),
    **{f"cmd_{c}": _counter(c, "tried") for c in ("helo", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "quit")},
    **{f"cmd_{c}_accepted": _counter(c, "accepted") for c in ("helo", "ehlo", "auth", "mail", "rcpt", "data")},
}  # fmt: skip
# Not compared, with the reason.
NOT_COMPARED = {
    "keyvalue_data": "the whole list of key=value pairs as text; its parts are fields here",
    "message": "the whole text of the line; it is the column text of events",
    "milter_result": "two columns here: action and where",
    "milter_message": "the text before the envelope in one piece; stage, client and text here",
    "proxy_message": "the whole answer; its codes and its text are three fields here",
    "status_data": "the address in front of the text of a refusal; it stays in the text here",
    "status_message": "the text of a refusal without the address in front of it",
    "smtpd_lostconn_data": "the first words of the line; the kind and reason say it here",
    "smtp_lostconn_data": "error here",
    "smtp_response": "for host_said lines the answer without the frame around it; codes, stage and host are fields here",
    "postscreen_access": "the first words of the line; the kind and reason say it here",
    "postscreen_violation": "the first words of the line; the kind and reason say it here",
    "bounce_recipient": "notification says both whom and what",
    "bounce_reason": "notification says both whom and what",
    "command_counter_data": "the counters as text; a list here",
}
# Values that differ, with the reason.
DIFFERENT = {
    ("smtp_stage", "RCPT TO"): "RCPT",
    ("smtp_stage", "end of DATA"): "END-OF-DATA",
}


@pytest.mark.parametrize("case", load("grok"), ids=lambda case: case["source"].rpartition("/")[2])
def test_a_grok_case_has_the_fields_it_expects(case: dict[str, Any]) -> None:
    fields = read(*line_of(case))
    assert fields["kind"], case["line"]
    wrong = {}
    for name, value in case["expect"].items():
        short = name.removeprefix("postfix_")
        if short in NOT_COMPARED:
            continue
        wanted = DIFFERENT.get((short, value), value)
        got = GROK[short](fields)
        if str(got) != wanted and not (isinstance(got, float) and got == float(wanted)):
            wrong[name] = (got, wanted)
    assert wrong == {}


@pytest.mark.parametrize("case", load("logwatch"), ids=lambda case: case["line"][21:60])
def test_a_logwatch_case_is_understood(case: dict[str, Any]) -> None:
    program, text = line_of(case)
    if program.startswith(_NEIGHBOURS):
        pytest.skip("a line of another package")
    assert read(program, text)["kind"], text


NPM: dict[str, Callable[[Fields], object]] = {
    "qid": _either("queue_id"),
    "from": _either("sender"),
    "to": _either("recipient"),
    "orig_to": _either("original_recipient"),
    "size": _either("size"),
    "nrcpt": _either("recipient_count"),
    "message-id": _bare("message_id"),
    "resent-message-id": _bare("resent_message_id"),
    "conn_use": _either("connection_reuse"),
    "delay": _either("delay_s"),
    "dsn": _either("dsn"),
    "uid": _either("uid"),
    "forwardedAs": _either("remote_queue_id"),
    "dsnQid": _either("next_queue_id"),
    "sasl_method": _either("sasl_method"),
    "sasl_username": _either("sasl_username"),
    "err": _either("error"),
}  # fmt: skip


@pytest.mark.parametrize("case", load("npm"), ids=lambda case: case["line"][:40])
def test_an_npm_case_has_the_fields_it_expects(case: dict[str, Any]) -> None:
    fields = (
        read(*line_of(case)) if case.get("daemon") != "syslog" else read(*line_of({"line": case["line"]}))
    )
    assert fields["kind"], case["line"]
    wrong = {
        name: (NPM[name](fields), value)
        for name, value in case["expect"].items()
        if name in NPM and str(NPM[name](fields)) != value and float_of(NPM[name](fields)) != float_of(value)
    }
    assert wrong == {}


def float_of(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None
