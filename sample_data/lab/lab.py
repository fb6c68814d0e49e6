"""One scenario's laboratory: hosts up, mail through, evidence out."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import clients
import messages
import roots
import truth
from host import MailHost
from machine import Machine, Wire, end, enter_network, run, wait_for
from sink import Sink
from truth import Mail, fate, utc
from world import (
    DNS_ADDRESS,
    MAIL,
    MX,
    OFFICE_A,
    OFFICE_B,
    OUTSIDE,
    OWN,
    SINK,
    TIMEZONE,
    HostPlan,
    dns_lines,
)

OUTSIDE_NETWORK = "outside"
# A place that every Debian has; what is mounted there is seen by the lab alone (machine.enclose).
WORK = Path("/srv")


class Lab:
    """Wire, name server and mail hosts of one scenario; use it as a context manager."""

    def __init__(
        self,
        scenario: str,
        suite: str,
        cache: Path,
        *,
        plans: list[HostPlan] | None = None,
        options: dict[str, dict] | None = None,
        prepare: Callable[[Lab], None] | None = None,
        strangers: dict[str, str | None] | None = None,
        dns: list[str] | None = None,
    ) -> None:
        self.scenario = scenario
        self.suite = suite
        self.plans = plans or [MAIL, MX]
        self.mails: list[Mail] = []
        self.findings: list[dict] = []
        self.removed: list[truth.Copy] = []
        self._strangers, self._dns = strangers or {}, dns or []
        self._options = options or {}
        self._prepare = prepare
        self._cache = cache
        self._base = roots.root_of(suite, cache)
        self.versions = roots.versions(self._base)
        self._work = WORK
        self.failed_into: Path | None = None
        self.shift = 0.0
        self.cuts: dict[
            str, tuple[int, int | None] | None
        ] = {}  # "mail/mail.log": bytes to keep, None: the file is missing
        self._open: list = []
        self.hosts: dict[str, MailHost] = {}

    # -- building up and tearing down ------------------------------------

    def __enter__(self) -> Lab:
        try:
            self._build()
        except BaseException as error:
            self.__exit__(type(error))
            raise
        return self

    def __exit__(self, failure: type | None = None, *_: object) -> None:
        if failure and self.failed_into:
            self._keep(self.failed_into)
        for host in self.hosts.values():
            try:
                host.stop()
            except Exception as error:
                print(f"  stopping {host.name}: {error}")
        for close in reversed(self._open):
            try:
                close()
            except Exception as error:
                print(f"  cleaning up: {error}")

    def _build(self) -> None:
        run(["mount", "-t", "tmpfs", "lab", str(self._work)])
        self._open.append(lambda: run(["umount", "-l", str(self._work)], check=False))
        wire = self.wire = Wire()
        self._open.append(wire.close)
        wire.plug(OUTSIDE_NETWORK, [*OUTSIDE, "192.0.2.200", *self._strangers])
        wire.plug("dns", [DNS_ADDRESS])
        for plan in self.plans:
            wire.plug(plan.name, plan.addresses)
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        self._open.append(lambda: _back(home))
        enter_network(OUTSIDE_NETWORK)
        self.sink = self.provider(SINK, "mx.example.net")
        keys, public = self._keys()
        self._name_server(public)
        for plan in self.plans:
            machine = self._machine(plan.name, plan.flavour)
            host = MailHost(plan, machine, **self._options.get(plan.name, {}))
            host.configure(
                self._certificates(plan), {plan.domain: keys[plan.domain]}, self._dovecot_release()
            )
            self.hosts[plan.name] = host
        if self._prepare:
            self._prepare(self)
        for host in self.hosts.values():
            host.start()

    def _machine(self, name: str, flavour: str) -> Machine:
        base = roots.root_of(self.suite, self._cache, flavour) if flavour else self._base
        machine = Machine(name, base, self._work)
        self._open.append(machine.close)
        return machine

    def neighbour(self, name: str, addresses: list[str], flavour: str) -> Machine:
        """A machine on the wire with other servers than the mail hosts have; what is started on it ends with the lab."""
        self.wire.plug(name, addresses)
        return self._machine(name, flavour)

    def until_end(self, process: subprocess.Popen) -> subprocess.Popen:
        """End this server when the lab ends."""
        self._open.append(lambda: end(process))
        return process

    def _dovecot_release(self) -> str:
        """The release the configuration is written for; 2.4 wants it in the file."""
        upstream = self.versions["dovecot"].split(":")[-1].split("+")[0].split("-")[0]
        return "2.3" if upstream.startswith("2.3") else upstream

    def provider(self, address: str, name: str, tls: ssl.SSLContext | None = None) -> Sink:
        """Somebody else's mail server at an address of the outside world, until the lab ends."""
        sink = Sink(address, name, tls)
        self._open.append(sink.close)
        return sink

    def _name_server(self, public: dict[str, str]) -> None:
        machine = self._dns_machine = Machine("dns", self._base, self._work)
        self._open.append(machine.close)
        lines = dns_lines(self.plans, public, self._strangers)
        machine.write("/etc/dnsmasq.conf", "\n".join([*lines, *self._dns]) + "\n")
        self._open.append(self.stop_name_server)
        self.start_name_server()

    def start_name_server(self) -> None:
        self._dns_process = self._dns_machine.start(
            "/usr/sbin/dnsmasq",
            "--user=root",
            "-C",
            "/etc/dnsmasq.conf",
            output="/var/log/dnsmasq-stderr.log",
        )
        wait_for("the name server", lambda: _answers("example.com"))

    def stop_name_server(self) -> None:
        end(self._dns_process)

    def _keys(self) -> tuple[dict[str, bytes], dict[str, str]]:
        """DKIM keys: private in PEM, public as the DNS wants it."""
        private, public = {}, {}
        for plan in self.plans:
            path = self._work / f"{plan.domain}.key"
            run(["openssl", "genrsa", "-out", str(path), "2048"])
            pem = subprocess.run(
                ["openssl", "rsa", "-in", str(path), "-pubout"], capture_output=True, check=True, timeout=30
            ).stdout
            private[plan.domain] = path.read_bytes()
            public[plan.domain] = "".join(pem.decode().splitlines()[1:-1])
        return private, public

    def _certificates(self, plan: HostPlan) -> dict[str, bytes]:
        """A certificate for the host, signed by a lab authority that all hosts trust."""
        return self.certificate(plan.fqdn)

    def certificate(self, name: str, days: int = 3000) -> dict[str, bytes]:
        """ca.pem, cert.pem and key.pem for a name, valid for so many days from 1 January 2024 on."""
        folder = self.certificate_files(name, days)
        return {name: (folder / name).read_bytes() for name in ("ca.pem", "cert.pem", "key.pem")}

    def certificate_files(self, name: str, days: int) -> Path:
        """The folder that holds them now; the next certificate takes their place."""
        folder = self._work
        early = ["faketime", "2024-01-01 00:00:00"] if shutil.which("faketime") else []
        if not (folder / "ca.pem").exists():
            run(
                [
                    *early,
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-subj",
                    "/CN=Lab Authority",
                    "-days",
                    "3650",
                    "-keyout",
                    str(folder / "ca.key"),
                    "-out",
                    str(folder / "ca.pem"),
                ]
            )
        (folder / "names").write_text(f"subjectAltName=DNS:{name}\n")
        run(
            [
                "openssl",
                "req",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-subj",
                f"/CN={name}",
                "-keyout",
                str(folder / "key.pem"),
                "-out",
                str(folder / "request.pem"),
            ]
        )
        run(
            [
                *early,
                "openssl",
                "x509",
                "-req",
                "-in",
                str(folder / "request.pem"),
                "-CA",
                str(folder / "ca.pem"),
                "-CAkey",
                str(folder / "ca.key"),
                "-CAcreateserial",
                "-days",
                str(days),
                "-extfile",
                str(folder / "names"),
                "-out",
                str(folder / "cert.pem"),
            ]
        )
        return folder

    # -- time ------------------------------------------------------------

    def now(self) -> float:
        """The time on the hosts' clocks."""
        return time.time() + self.shift

    def start_clock(self, stamp: float) -> None:
        """Before the start: all hosts live at `stamp` instead of today."""
        self.shift = stamp - time.time()
        for host in self.hosts.values():
            self.start_clock_of(host, self.shift)

    def start_clock_of(self, host: MailHost, shift: float, microseconds: int = -1) -> None:
        """Before the start: one host's clock is wrong by so many seconds."""
        library = self._work / "labclock.so"
        if not library.exists():
            run(
                [
                    "cc",
                    "-shared",
                    "-fPIC",
                    "-O2",
                    "-o",
                    str(library),
                    str(Path(__file__).with_name("labclock.c")),
                    "-ldl",
                ]
            )
        host.fake_clock(library.read_bytes(), shift, microseconds)

    def set_clock(self, stamp: float) -> None:
        """Make it `stamp` on every host, in one moment for all programs."""
        self.shift = stamp - time.time()
        for host in self.hosts.values():
            host.shift_clock(self.shift)

    def small_spool(self, host: MailHost) -> None:
        """Before the start: the queue of a host on a small ext4 of its own, which gives inode numbers again at once."""
        inside = host.machine.path("/var/spool/postfix")
        image, fresh = self._work / f"{host.name}.ext4", self._work / f"{host.name}.spool"
        with open(image, "wb") as handle:
            handle.truncate(16 << 20)
        fresh.mkdir()
        run(["mkfs.ext4", "-q", str(image)])
        run(["mount", "-o", "loop", str(image), str(fresh)])
        run(["cp", "-a", f"{inside}/.", str(fresh)])
        run(["mount", "--move", str(fresh), str(inside)])
        self._open.append(lambda: run(["umount", "-l", str(inside)], check=False))

    # -- sending ---------------------------------------------------------

    @property
    def mail(self) -> MailHost:
        return self.hosts["mail"]

    @property
    def mx(self) -> MailHost:
        return self.hosts["mx"]

    def host_of(self, address: str) -> MailHost:
        domain = address.split("@")[1].lower()
        return next(host for host in self.hosts.values() if host.plan.domain == domain)

    def note(
        self,
        label: str,
        kind: str,
        sender: str,
        recipients: list[str],
        subject: str,
        mid: str | None,
        **more: object,
    ) -> Mail:
        """A new entry of expected.json; the outcomes are filled in later."""
        mail = Mail(
            label,
            kind,
            mid,
            sender,
            subject,
            [fate(recipient, "not_seen") for recipient in recipients],
            sent_at=utc(self.now()),
            more=dict(more),
        )
        self.mails.append(mail)
        return mail

    def submit(
        self,
        label: str,
        sender: str,
        recipients: list[str],
        subject: str,
        *,
        source: str | None = None,
        message: bytes | None = None,
        mid: str | None = None,
        **more: object,
    ) -> Mail:
        """A person of ours sends a mail through their own server's submission port."""
        mid = mid or messages.message_id(self.scenario, label, sender.split("@")[1])
        message = message or messages.build(sender, recipients, subject, mid, stamp=self.now(), **more)  # type: ignore[arg-type]
        mail = self.note(label, "submission", sender, recipients, subject, mid)
        host = self.host_of(sender)
        source = source or (OFFICE_A if host.name == "mail" else OFFICE_B)
        mail.reply = clients.submit(
            host.address, source, sender, recipients, message, helo=f"[{source}]"
        ).final
        return mail

    def receive(
        self,
        label: str,
        source: str,
        helo: str,
        sender: str,
        recipients: list[str],
        subject: str,
        *,
        message: bytes | None = None,
        mid: str | None = None,
        tls: bool = False,
        **more: object,
    ) -> Mail:
        """Somebody outside hands a mail to the server of the first recipient."""
        mid = mid or messages.message_id(
            self.scenario, label, sender.split("@")[1] if "@" in sender else "mailer.test"
        )
        message = message or messages.build(sender, recipients, subject, mid, stamp=self.now(), **more)  # type: ignore[arg-type]
        mail = self.note(label, "inbound", sender, recipients, subject, mid)
        replies = clients.send(
            self._reached(recipients[0], source), source, helo, sender, recipients, message, tls
        )
        mail.reply = replies.final
        mail.more["replies_to_recipients"] = replies.recipients
        if replies.accepted:
            del mail.more["replies_to_recipients"]
        return mail

    def _reached(self, recipient: str, source: str) -> str:
        """The address of a recipient's server in the family of the client's."""
        wanted = ":" in source
        return next(
            address for address in self.host_of(recipient).plan.addresses if (":" in address) == wanted
        )

    def retry(self, mail: Mail, source: str, helo: str) -> None:
        """The same mail once more, as a server does that was told to come back later."""
        mail.more["first_replies"] = [*mail.more.get("first_replies", []), mail.reply]
        recipients = [recipient["recipient"] for recipient in mail.recipients]
        message = messages.build(mail.sender, recipients, mail.subject, mail.message_id, stamp=self.now())
        mail.reply = clients.send(
            self._reached(recipients[0], source), source, helo, mail.sender, recipients, message
        ).final
        mail.more.pop("replies_to_recipients", None)

    def finds(
        self, finding: str, subject: str, least: str = "notice", story: str = "", **facts: object
    ) -> None:
        """What a postmaster must find in this evidence: kind, subject, the least severity, and what was done to bring it about."""
        self.findings.append(
            {"finding": finding, "subject": subject, "least": least, "story": story, **facts}
        )

    # -- waiting and looking ---------------------------------------------

    def in_mailbox(self, address: str, message_id: str, mailbox: str = "INBOX") -> truth.Copy | None:
        for copy in truth.copies([self.host_of(address)]):
            if (copy.address, copy.mailbox, copy.message_id) == (address, mailbox, message_id):
                return copy
        return None

    def where(self, mail: Mail) -> list[tuple[str, str]]:
        """Every mailbox that holds a copy."""
        return [
            (copy.address, copy.mailbox)
            for copy in truth.copies(list(self.hosts.values()))
            if copy.message_id == mail.message_id
        ]

    def wait_mailbox(
        self, address: str, mail: Mail, mailbox: str = "INBOX", seconds: float = 60
    ) -> truth.Copy:
        return wait_for(
            f"{mail.message_id} in {mailbox} of {address}",
            lambda: self.in_mailbox(address, mail.message_id or "", mailbox),
            seconds,
        )

    def wait_subject(self, address: str, *subjects: str) -> truth.Copy:
        """Until a message with one of these subjects is in somebody's INBOX: replies that servers make have ids of their own."""

        def find() -> truth.Copy | None:
            return next(
                (
                    copy
                    for copy in truth.copies([self.host_of(address)])
                    if copy.address == address and truth.header(copy.content, "Subject") in subjects
                ),
                None,
            )

        return wait_for(f"{subjects} at {address}", find, 60)

    def settle(
        self,
        mail: Mail,
        recipient: str,
        final: str | None = None,
        *,
        boxes: tuple[str, ...] = ("INBOX", "Junk"),
        **more: object,
    ) -> None:
        """Wait until a recipient's copy is in one of the mailboxes and state where it was found."""
        address = final or recipient
        clean = address.split("@")[0].split("+")[0] + "@" + address.split("@")[1]

        def find() -> str | None:
            return next((box for box in boxes if self.in_mailbox(clean, mail.message_id or "", box)), None)

        box = wait_for(f"{mail.message_id} ({mail.label}) at {address}; reply was {mail.reply}", find, 90)
        found = fate(recipient, "delivered" if box == "INBOX" else "filed_by_sieve", final, box, **more)
        mail.recipients = [found if entry["recipient"] == recipient else entry for entry in mail.recipients]

    def wait_report(self, mail: Mail, seconds: float = 90) -> truth.Copy:
        """Until the sender has a notification about this mail."""

        def find() -> truth.Copy | None:
            for copy in truth.copies([self.host_of(mail.sender)]):
                if copy.address == mail.sender and truth.is_report_about(copy.content, mail.message_id or ""):
                    return copy
            return None

        report = wait_for(f"a report about {mail.message_id}", find, seconds)
        mail.notified = True
        return report

    def wait_empty(self, seconds: float = 90) -> None:
        """Until no queue holds anything, twice in a row, because mail may be on its way between two hosts."""
        for _ in range(2):
            wait_for(
                "empty queues",
                lambda: all(host.queue_is_empty() for host in self.hosts.values()),
                seconds,
                0.3,
            )
            time.sleep(0.5)

    def wait_empty_but(self, stuck: Callable[[str], bool], seconds: float = 60) -> None:
        """Until the queues hold only mail for recipients that are `stuck`."""

        def done() -> bool:
            return all(
                stuck(recipient["address"])
                for host in self.hosts.values()
                for entry in host.queue()
                for recipient in entry["recipients"]
            )

        wait_for("queues without fresh mail", done, seconds, 0.5)

    def wait_quiet(self) -> None:
        """Until nothing moves, at most 20 s: a jump of the clock in mid-delivery would look like a time-out."""
        quiet = 0
        for _ in range(400):
            quiet = 0 if any(host.is_busy() for host in self.hosts.values()) else quiet + 1
            if quiet == 6:
                return
            time.sleep(0.05)

    def remember_of(self, address: str, number: int) -> None:
        """Keep the first few messages of one mailbox."""
        copies = [copy for copy in truth.copies([self.host_of(address)]) if copy.address == address]
        self.removed += copies[:number]

    def remember(self) -> None:
        """Keep the messages that are in the mailboxes now, before somebody deletes them."""
        known = {copy.key for copy in self.removed}
        self.removed += [copy for copy in truth.copies(list(self.hosts.values())) if copy.key not in known]

    def log_size(self, host: MailHost, name: str = "mail.log") -> int:
        """How long a log is now, in whole lines: a place to cut it."""
        time.sleep(0.3)
        path = host.machine.path("/var/log") / ("rspamd/rspamd.log" if name == "rspamd.log" else name)
        content = path.read_bytes() if path.exists() else b""
        return content.rfind(b"\n") + 1

    # -- evidence --------------------------------------------------------

    def save(self, target: Path, readme: str, keep_messages: int | None = None) -> None:
        """Check the truth, then copy logs and messages and write expected.json and README.md."""
        hosts = list(self.hosts.values())
        truth.verify(self.mails, hosts)
        self.remember()
        self.removed = chosen(self.removed, keep_messages)
        queues = {host.name: host.queue() for host in hosts}
        configurations = {host.name: host.configuration() for host in hosts}
        time.sleep(1)  # the servers' last lines reach their files
        fresh = target.with_name(target.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for host in hosts:
            folder = fresh / host.name
            folder.mkdir(parents=True)
            self._copy_logs(host, folder)
            for name, text in configurations[host.name].items():
                (folder / name).write_text(text)
            if queues[host.name]:
                lines = [json.dumps(entry) for entry in queues[host.name]]
                (folder / "postqueue-j.json").write_text("\n".join(lines) + "\n")
        self._write_messages(fresh / "messages")
        (fresh / "expected.json").write_text(json.dumps(self.expected(), indent=1, ensure_ascii=False) + "\n")
        software = ", ".join(
            f"{name} {self.versions[name]}"
            for name in ("postfix", "dovecot", "pigeonhole", "rspamd", "rsyslog")
        )
        (fresh / "README.md").write_text(
            f"# {target.name}\n\n{readme.strip()}\n\nSuite {self.suite}: {software}. Time zone {TIMEZONE}.\n"
        )
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)

    def _copy_logs(self, host: MailHost, folder: Path) -> None:
        """Logs and their rotated forms, byte for byte."""
        for pattern in ("mail.log*", "rspamd/rspamd.log*"):
            for path in sorted(host.machine.path("/var/log").glob(pattern)):
                keep = self.cuts.get(f"{host.name}/{path.name}", (0, None))
                if keep is not None:
                    (folder / path.name).write_bytes(path.read_bytes()[slice(*keep)])

    def _keep(self, target: Path) -> None:
        """What a failed run left, for whoever has to find out why."""
        for host in self.hosts.values():
            shutil.copytree(host.machine.path("/var/log"), target / host.name, dirs_exist_ok=True)

    def _write_messages(self, folder: Path) -> None:
        folder.mkdir()
        counts: dict[str, int] = {}
        for copy in self.removed:
            name = f"{copy.address}-{copy.mailbox}"
            counts[name] = counts.get(name, 0) + 1
            (folder / f"{name}-{counts[name]}.eml").write_bytes(copy.content)

    def expected(self) -> dict:
        return {
            "scenario": self.scenario,
            "suite": self.suite,
            "versions": self.versions,
            "timezone": TIMEZONE,
            "own": OWN,
            **({"findings": self.findings} if self.findings else {}),
            "mails": [mail.to_json() for mail in self.mails],
        }


def chosen(copies: list[truth.Copy], number: int | None) -> list[truth.Copy]:
    """All messages, or an even sample that holds a third of reports and Junk, which are rare."""
    if number is None or len(copies) <= number:
        return copies
    special = [
        copy for copy in copies if copy.mailbox != "INBOX" or b"report-type=delivery-status" in copy.content
    ]
    ordinary = [copy for copy in copies if copy not in special]
    few = special[:: max(1, len(special) * 3 // number)]
    rest = ordinary[:: max(1, len(ordinary) // max(1, number - len(few)))]
    return [*few, *rest]


def _answers(name: str) -> bool:
    """Whether the name server answers a question for an MX record."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        try:
            asking.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0" + labels + b"\0\0\x0f\0\1", (DNS_ADDRESS, 53))
            return bool(asking.recv(512))
        except OSError:
            return False


def _back(handle: int) -> None:
    import ctypes

    ctypes.CDLL(None).setns(handle, 0)
    os.close(handle)
