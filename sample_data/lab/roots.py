"""Root folders of Debian suites: debootstrap once, keep them in a cache, start nothing.

A root is the unchanged operating system that every lab host of that suite is
laid over (see machine.py).  The package mirror is read from this machine's own
apt configuration when the root is made, so no host name of it is written down
here.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

SUITES = ("bookworm", "trixie", "forky")

PACKAGES = [
    "postfix",
    "dovecot-core",
    "dovecot-imapd",
    "dovecot-pop3d",
    "dovecot-lmtpd",
    "dovecot-sieve",
    "rspamd",
    "redis-server",
    "rsyslog",
    "dnsmasq-base",
    "libfaketime",
    "tzdata",
    "ca-certificates",
    "openssl",
]
# Roots beside a suite's usual one, for the scenario that needs other servers; each but amavis replaces Postfix.
FLAVOURS = {
    "exim": ["exim4-daemon-heavy", "tzdata", "ca-certificates", "openssl"],
    "sendmail": [
        "sendmail-bin",
        "sendmail-cf",
        "m4",
        "procmail",
        "rsyslog",
        "tzdata",
        "ca-certificates",
        "openssl",
    ],
    "amavis": [*PACKAGES, "amavisd-new"],
}
# Postfix 3.11 of forky keeps its tables in lmdb, which is a package of its own.
EXTRA_PACKAGES = {"forky": ["postfix-lmdb"]}

DEBOOTSTRAP_SECONDS = 900
INSTALL_SECONDS = 1200


class RootError(RuntimeError):
    """A root could not be made; the message says which step and shows its last words."""


def mirror() -> str:
    """The Debian mirror this machine uses, from deb822 or one-line apt sources."""
    folder = Path("/etc/apt")
    files = sorted(folder.glob("sources.list.d/*.sources")) + sorted(folder.glob("sources.list.d/*.list"))
    for path in [*files, folder / "sources.list"]:
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        for found in re.finditer(r"^(?:URIs:|deb(?:\s+\[[^\]]*\])?)\s+(\S+)", text, re.MULTILINE):
            if found[1].rstrip("/").endswith("/debian"):
                return found[1]
    raise RootError("no Debian mirror found in this machine's apt sources")


def default_cache() -> Path:
    """Outside the repository: a root is 600 MB of other people's programs."""
    return Path(os.environ.get("MAILFORENSICS_LAB_CACHE", "/var/cache/mailforensics-lab"))


def root_of(suite: str, cache: Path, flavour: str = "") -> Path:
    """The finished root folder of a suite, made on first use; a flavour is one of `FLAVOURS`."""
    if suite not in SUITES:
        raise RootError(f"unknown suite {suite!r}; known are {', '.join(SUITES)}")
    root = cache / (f"{suite}-{flavour}" if flavour else suite)
    if (root / "lab-ready").exists():
        return root
    cache.mkdir(parents=True, exist_ok=True)
    if not (root / "usr/bin/apt-get").exists():
        _debootstrap(suite, root)
    _install(root, FLAVOURS[flavour] if flavour else PACKAGES + EXTRA_PACKAGES.get(suite, []))
    (root / "lab-ready").write_text(suite + "\n")
    return root


def _debootstrap(suite: str, root: Path) -> None:
    if shutil.which("debootstrap") is None:
        raise RootError("debootstrap is missing: apt-get install debootstrap")
    script = Path("/usr/share/debootstrap/scripts") / suite
    if not script.exists():  # an older debootstrap does not know the newest suite's name
        script = script.with_name("sid")
    _run(["debootstrap", "--variant=minbase", suite, str(root), mirror(), str(script)], DEBOOTSTRAP_SECONDS)


def _install(root: Path, packages: list[str]) -> None:
    """Install the servers with a policy-rc.d that forbids every start."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    (root / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
    for name in ("apt.conf", "apt.conf.d"):  # a proxy, if this machine needs one
        source = Path("/etc/apt") / name
        target = root / "etc/apt" / name
        for file in [source] if source.is_file() else sorted(source.glob("*proxy*")):
            destination = target if source.is_file() else target / file.name
            destination.write_bytes(file.read_bytes())
    environment = {
        "DEBIAN_FRONTEND": "noninteractive",
        "LC_ALL": "C.UTF-8",
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
    }
    subprocess.run(
        ["chroot", str(root), "debconf-set-selections"],
        input=b"postfix postfix/main_mailer_type select No configuration\n",
        env=environment,
        check=False,
        timeout=60,
    )
    apt = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--mount-proc=" + str(root / "proc"),
        "chroot",
        str(root),
        "apt-get",
        "-q",
        "-y",
    ]
    # A mirror of testing may lag behind the date its index is valid until; signatures are checked all the same.
    _run([*apt, "-o", "Acquire::Check-Valid-Until=false", "update"], INSTALL_SECONDS, environment)
    _run([*apt, "--no-install-recommends", "install", *packages], INSTALL_SECONDS, environment)
    _run([*apt, "clean"], 60, environment)


def versions(root: Path) -> dict[str, str]:
    """Upstream versions of the servers in a root, as dpkg knows them."""
    wanted = {
        "postfix": "postfix",
        "dovecot-core": "dovecot",
        "dovecot-sieve": "pigeonhole",
        "rspamd": "rspamd",
        "redis-server": "redis",
        "rsyslog": "rsyslog",
    }
    output = subprocess.run(
        ["chroot", str(root), "dpkg-query", "-W", "-f", "${Package} ${Version}\n", *wanted],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    return {wanted[package]: version for package, version in (line.split() for line in output.splitlines())}


def _run(command: list[str], seconds: int, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=seconds,
        env=environment,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        tail = "\n".join(done.stdout.splitlines()[-15:])
        raise RootError(f"{' '.join(command[:6])} ... failed with code {done.returncode}:\n{tail}")
