"""Machines without containers: network namespaces, overlay roots and processes.

`enclose()` puts the whole run into a mount and a pid namespace of its own, so
that every mount and every server the lab started disappears with it, also when
the run is killed.  Nothing outside is touched and nothing has to be found and
ended by name.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ENCLOSED = "MAILFORENSICS_LAB_ENCLOSED"
NETWORKS = Path("/run/netns")
BRIDGE_NETWORK = "wire"
CLONE_NEWNET = 0x40000000
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def enclose() -> None:
    """Start this program again inside private mount and pid namespaces (as their pid 1)."""
    if os.environ.get(ENCLOSED):
        return
    if os.geteuid() != 0:
        sys.exit("the lab needs root: it makes namespaces, mounts and ports below 1024")
    os.environ[ENCLOSED] = "1"
    # servers close every descriptor they might have inherited: with a limit of a million that takes seconds
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
    command = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "private",
        sys.executable,
        *sys.argv,
    ]
    os.execvp(command[0], command)


def run(
    command: Sequence[str], *, seconds: float = 60, check: bool = True, **options: object
) -> subprocess.CompletedProcess:
    """One bounded command; its output is part of the error if it fails."""
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds, check=False, **options
    )  # type: ignore[call-overload]
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))}: code {done.returncode}: {done.stdout!r}")
    return done


def wait_for(what: str, condition, seconds: float = 30, pause: float = 0.1):  # type: ignore[no-untyped-def]
    """Poll until `condition()` is true and return its value; say what was waited for if it never is."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(pause)


class Wire:
    """One Ethernet segment: a bridge in a namespace of its own, and a namespace per host.

    Addresses of all documentation networks live on the same segment; a default
    route straight to the interface lets everybody reach everybody by ARP.
    """

    def __init__(self) -> None:
        NETWORKS.mkdir(exist_ok=True)
        run(["mount", "-t", "tmpfs", "netns", str(NETWORKS)])
        self._add(BRIDGE_NETWORK)
        self._in(BRIDGE_NETWORK, "ip", "link", "add", "br0", "type", "bridge")
        self._in(BRIDGE_NETWORK, "ip", "link", "set", "br0", "up")

    def plug(self, name: str, addresses: Sequence[str]) -> None:
        """A namespace `name` with one interface that holds `addresses`."""
        self._add(name)
        run(
            [
                "ip",
                "link",
                "add",
                "eth0",
                "netns",
                name,
                "type",
                "veth",
                "peer",
                "name",
                name,
                "netns",
                BRIDGE_NETWORK,
            ]
        )
        self._in(BRIDGE_NETWORK, "ip", "link", "set", name, "master", "br0", "up")
        for address in addresses:
            if ":" in address:
                self._in(name, "ip", "addr", "add", address + "/128", "dev", "eth0", "nodad")
            else:
                self._in(name, "ip", "addr", "add", address + "/32", "dev", "eth0")
        self._in(name, "ip", "link", "set", "eth0", "up")
        self._in(name, "ip", "route", "add", "default", "dev", "eth0")
        self._in(name, "ip", "-6", "route", "add", "default", "dev", "eth0")

    def cut(self, name: str) -> None:
        """Pull the plug of a host; its servers keep running and do not notice."""
        self._in(BRIDGE_NETWORK, "ip", "link", "set", name, "down")

    def mend(self, name: str) -> None:
        self._in(BRIDGE_NETWORK, "ip", "link", "set", name, "up")

    def close(self) -> None:
        for path in sorted(NETWORKS.iterdir()):
            run(["ip", "netns", "del", path.name], check=False)
        run(["umount", "-l", str(NETWORKS)], check=False)

    def _add(self, name: str) -> None:
        run(["ip", "netns", "add", name])
        self._in(name, "ip", "link", "set", "lo", "up")

    def _in(self, name: str, *command: str) -> None:
        run(["ip", "netns", "exec", name, *command])


def enter_network(name: str) -> None:
    """Move the calling thread into a host's network; sockets it opens from now on live there."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open(NETWORKS / name) as handle:
        if libc.setns(handle.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter network {name}")


@contextlib.contextmanager
def network(name: str, back: str) -> Iterator[None]:
    """Open sockets in `name` for a moment, then go back to `back`."""
    enter_network(name)
    try:
        yield
    finally:
        enter_network(back)


class Machine:
    """A root folder laid over a suite's root, with a network and a host name of its own."""

    def __init__(self, name: str, base: Path, work: Path) -> None:
        self.name = name
        self.root = work / name / "root"
        self._layers = work / name / "layers"
        self.environment = {"PATH": PATH, "LC_ALL": "C.UTF-8"}
        for folder in (self.root, self._layers):
            folder.mkdir(parents=True)
        run(["mount", "-t", "tmpfs", "layers", str(self._layers)])
        upper, working = self._layers / "upper", self._layers / "work"
        upper.mkdir()
        working.mkdir()
        run(
            [
                "mount",
                "-t",
                "overlay",
                "overlay",
                "-o",
                f"lowerdir={base},upperdir={upper},workdir={working}",
                str(self.root),
            ]
        )
        self._devices()
        run(["mount", "-t", "proc", "proc", str(self.root / "proc")])
        run(["mount", "-t", "tmpfs", "run", str(self.root / "run")])
        self.write("/etc/hostname", name + "\n")
        self.write("/etc/resolv.conf", "nameserver 192.0.2.53\noptions timeout:2 attempts:2\n")
        self.write("/etc/hosts", "127.0.0.1 localhost\n::1 localhost\n")

    def _devices(self) -> None:
        folder = self.root / "dev"
        run(["mount", "-t", "tmpfs", "dev", str(folder)])
        for name, minor in {"null": 3, "zero": 5, "full": 7, "random": 8, "urandom": 9}.items():
            os.mknod(folder / name, 0o020666, os.makedev(1, minor))
            (folder / name).chmod(0o666)
        (folder / "shm").mkdir(mode=0o1777)
        (folder / "shm").chmod(0o1777)
        (folder / "fd").symlink_to("/proc/self/fd")

    def path(self, inside: str) -> Path:
        """Where a file of the machine is, seen from outside (links inside it are not followed)."""
        return self.root / inside.lstrip("/")

    def write(self, inside: str, text: str | bytes, mode: int = 0o644) -> None:
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink():
            path.unlink()
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)

    def command(self, *command: str) -> list[str]:
        """`command` as it has to be started to run on this machine."""
        return [
            "nsenter",
            f"--net={NETWORKS / self.name}",
            "unshare",
            "--uts",
            "sh",
            "-c",
            f'hostname {self.name} && exec chroot "$0" "$@"',
            str(self.root),
            *command,
        ]

    def run(
        self, *command: str, seconds: float = 60, check: bool = True, **options: object
    ) -> subprocess.CompletedProcess:
        return run(self.command(*command), seconds=seconds, check=check, env=self.environment, **options)

    def start(self, *command: str, output: str | None = None) -> subprocess.Popen:
        """A server in the foreground of its own session; it ends with the lab at the latest."""
        target = open(self.path(output), "ab") if output else subprocess.DEVNULL  # noqa: SIM115  closed below
        try:
            return subprocess.Popen(
                self.command(*command),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            if output:
                target.close()  # type: ignore[union-attr]

    def close(self) -> None:
        for mount in (self.root / "proc", self.root / "dev", self.root / "run", self.root, self._layers):
            run(["umount", "-l", str(mount)], check=False)
        shutil.rmtree(self.root.parent, ignore_errors=True)


def end(process: subprocess.Popen, seconds: float = 10) -> None:
    """End a server the lab started, kindly first."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(seconds)
