"""A mail host of the lab: writes its configuration, starts its servers in order, asks them things."""

from __future__ import annotations

import gzip
import json
import os
import signal
import struct
import subprocess
import time
from pathlib import Path

import dovecot_config
import postfix_config
import rspamd_config
from machine import Machine, end, wait_for
from world import SELECTOR, TIMEZONE, HostPlan


class MailHost:
    """Postfix, Dovecot, Rspamd, Redis and rsyslog on one `Machine`."""

    def __init__(
        self,
        plan: HostPlan,
        machine: Machine,
        *,
        postfix: dict[str, str] | None = None,
        master: str = "",
        dovecot: dict[str, object] | None = None,
        rspamd: dict[str, object] | None = None,
    ) -> None:
        self.plan = plan
        self.name = plan.name
        self.machine = machine
        self.address = plan.addresses[0]
        self._processes: list[subprocess.Popen] = []
        self._postfix, self._master = dict(postfix or {}), master
        self._dovecot, self._rspamd = dict(dovecot or {}), dict(rspamd or {})

    # -- configuration ---------------------------------------------------

    def configure(self, certificates: dict[str, bytes], keys: dict[str, bytes], release: str) -> None:
        machine = self.machine
        zone = machine.path("/usr/share/zoneinfo/" + TIMEZONE)
        machine.write("/etc/localtime", zone.read_bytes())
        machine.write("/etc/timezone", TIMEZONE + "\n")
        template = "RSYSLOG_TraditionalFileFormat" if self.plan.traditional_stamps else "RSYSLOG_FileFormat"
        # UseSysTimeStamp would take the kernel's time, which the lab cannot set
        machine.write(
            "/etc/rsyslog.conf",
            'module(load="imuxsock" SysSock.UseSysTimeStamp="off")\nglobal(workDirectory="/var/spool/rsyslog")\n'
            f'mail.* action(type="omfile" file="/var/log/mail.log" template="{template}")\n',
        )
        for name, content in certificates.items():
            machine.write(f"/etc/ssl/lab/{name}", content, 0o644)
        self._user_vmail()
        for path, text in {
            **postfix_config.files(self.plan, self._postfix, self._master),
            **dovecot_config.files(self.plan, release, **self._dovecot),  # type: ignore[arg-type]
            **rspamd_config.files(self.plan, **self._rspamd),  # type: ignore[arg-type]
        }.items():
            machine.write(path, text)
        machine.write("/etc/dovecot/sieve/bin/learn-spam.sh", dovecot_config.LEARN_SCRIPT, 0o755)
        for domain, key in keys.items():
            machine.write(f"/var/lib/rspamd/dkim/{domain}.{SELECTOR}.key", key)
        machine.run("chown", "-R", "_rspamd:_rspamd", "/var/lib/rspamd")
        machine.run(
            "sh",
            "-c",
            "mkdir -p /run/dovecot /var/log/rspamd /var/spool/rsyslog && chown _rspamd /var/log/rspamd",
        )
        machine.run("postfix", "check")  # makes the queue folders, where Dovecot puts its sockets
        machine.run("sievec", "/etc/dovecot/sieve/before.d/10-junk.sieve")

    def _user_vmail(self) -> None:
        self.machine.run(
            "sh",
            "-c",
            "groupadd -g 5000 vmail && useradd -u 5000 -g 5000 -d /srv/mail -s /usr/sbin/nologin vmail"
            " && mkdir -p /srv/mail && chown vmail:vmail /srv/mail",
        )

    def install_sieve(self, user: str, script: str) -> None:
        """Make `script` the active Sieve script of a user."""
        home = f"/srv/mail/{self.plan.domain}/{user}"
        self.machine.write(f"{home}/.dovecot.sieve", script)
        self.machine.run("sievec", f"{home}/.dovecot.sieve")
        self.machine.run("chown", "-R", "vmail:vmail", "/srv/mail")

    def fake_clock(self, library: bytes, shift: float, microseconds: int = -1) -> None:
        """Put the lab's clock (labclock.c) under every program of this host.

        The servers themselves then write the stamps.  Time passes at its own
        pace between two calls of `shift_clock`.
        """
        self.machine.write("/usr/lib/labclock.so", library)
        self.machine.write("/etc/labclock", struct.pack("=qq", 0, microseconds) + bytes(16 * 4094), 0o644)
        self._clock_changes = 0
        # what the kernel dates from a minute ago on belongs to the lab; older files keep their times
        self.shift_clock(shift, time.time() - 60)
        self.machine.write("/etc/ld.so.preload", "/usr/lib/labclock.so\n")

    def shift_clock(self, shift: float, since: float | None = None) -> None:
        """All programs see the new time at once: they have the file mapped, and its count is written last."""
        pair = struct.pack("=qq", int((since or time.time()) * 1e9), int(shift * 1e9))
        handle = os.open(self.machine.path("/etc/labclock"), os.O_WRONLY)
        os.pwrite(handle, pair, 16 + 16 * self._clock_changes)
        self._clock_changes += 1
        os.pwrite(handle, struct.pack("=q", self._clock_changes), 0)
        os.close(handle)

    def rotate(self, mtime: float, number_kept: int = 10) -> None:
        """What logrotate does at midnight: mail.log becomes mail.log.1, that one mail.log.2.gz, and so on."""
        for name in ("/var/log/mail.log", "/var/log/rspamd/rspamd.log"):
            current = self.machine.path(name)
            for number in range(number_kept, 1, -1):
                older = current.with_name(f"{current.name}.{number}.gz")
                if older.exists():
                    older.rename(current.with_name(f"{current.name}.{number + 1}.gz"))
            first = current.with_name(current.name + ".1")
            if first.exists():
                packed = current.with_name(current.name + ".2.gz")
                with (
                    open(packed, "wb") as target,
                    gzip.GzipFile(first.name, "wb", 9, target, mtime=mtime) as out,
                ):
                    out.write(first.read_bytes())
                first.unlink()
            if current.exists():
                current.rename(first)
        self._syslog_process.send_signal(signal.SIGHUP)
        self._rspamd_process.send_signal(signal.SIGUSR1)

    # -- life ------------------------------------------------------------

    def start(self) -> None:
        self.start_syslog()
        self._processes.append(
            self.machine.start("/usr/bin/redis-server", "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp")
        )
        self._wait_port("127.0.0.1", 6379)
        self._rspamd_process = self.machine.start(
            "/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", output="/var/log/rspamd-stderr.log"
        )
        self._processes.append(self._rspamd_process)
        self._wait_port("127.0.0.1", 11332)
        self.start_dovecot()
        self.start_postfix()

    def start_syslog(self) -> None:
        self._syslog_process = self.machine.start(
            "/usr/sbin/rsyslogd", "-n", output="/var/log/rsyslog-stderr.log"
        )
        self._processes.append(self._syslog_process)
        wait_for("the syslog socket", self.machine.path("/dev/log").exists)

    def stop_syslog(self) -> None:
        """What the servers say from now on is lost."""
        end(self._syslog_process)
        self.machine.path("/dev/log").unlink(missing_ok=True)

    def freeze_filter(self) -> None:
        """Rspamd still listens, but answers nobody, as a machine that swaps."""
        os.killpg(self._rspamd_process.pid, signal.SIGSTOP)

    def thaw_filter(self) -> None:
        os.killpg(self._rspamd_process.pid, signal.SIGCONT)

    def start_dovecot(self) -> None:
        self._dovecot_process = self.machine.start(
            "/usr/sbin/dovecot", "-F", output="/var/log/dovecot-stderr.log"
        )
        self._processes.append(self._dovecot_process)
        self._wait_port(self.address, 993)

    def stop_dovecot(self) -> None:
        end(self._dovecot_process)

    def start_postfix(self) -> None:
        self.machine.run("postfix", "start")
        self._wait_port(self.address, 25)

    def stop_postfix(self) -> None:
        self.machine.run("postfix", "stop", check=False)
        wait_for("Postfix to stop", lambda: not self._listens(self.address, 25))

    def stop(self) -> None:
        self.stop_postfix()
        for process in reversed(self._processes):
            end(process)

    def _wait_port(self, address: str, port: int) -> None:
        wait_for(f"{self.name} port {port}", lambda: self._listens(address, port), seconds=60)

    def _listens(self, address: str, port: int) -> bool:
        """Whether the port is open, looked up in the kernel's table: a trial connection would leave log lines."""
        table = self.machine.run("sh", "-c", "cat /proc/self/net/tcp /proc/self/net/tcp6").stdout.decode()
        return any(
            line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A"
            for line in table.splitlines()
            if ":" in line.split()[0]
        )

    # -- questions -------------------------------------------------------

    def queue(self) -> list[dict]:
        """What `postqueue -j` says: one object per message in the queue."""
        output = self.machine.run("postqueue", "-j").stdout.decode()
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]

    def queue_is_empty(self) -> bool:
        return not self.queue()

    def is_busy(self) -> bool:
        """Whether Postfix is receiving or delivering something at this moment."""
        spool = self.machine.path("/var/spool/postfix")
        return any(
            path.is_file()
            for name in ("maildrop", "incoming", "active")
            for path in (spool / name).rglob("*")
        )

    def maildir(self, user: str) -> Path:
        return self.machine.path(f"/srv/mail/{self.plan.domain}/{user}/Maildir")

    def configuration(self) -> dict[str, str]:
        """The configuration as an administrator would save it beside the logs."""
        return {
            "postconf-n.txt": self.machine.run("postconf", "-n").stdout.decode(),
            "doveconf-n.txt": self.machine.run("doveconf", "-n").stdout.decode(),
        }
