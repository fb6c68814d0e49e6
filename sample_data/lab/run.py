"""Make sample data with real mail servers: `python3 sample_data/lab/run.py --suite trixie --scenario all`.

Each scenario is played on freshly configured hosts and leaves a folder under
sample_data/.  Needs root on a Debian machine; see README.md beside this file.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

import index  # noqa: E402
import roots  # noqa: E402
from lab import Lab  # noqa: E402
from machine import enclose  # noqa: E402

SCENARIO_SECONDS = 900  # `week` sets its own limit


def names() -> list[str]:
    return sorted(path.stem.replace("_", "-") for path in (HERE / "scenarios").glob("[a-z]*.py"))


def module_of(name: str) -> ModuleType:
    return importlib.import_module("scenarios." + name.replace("-", "_"))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", choices=roots.SUITES, default="trixie")
    parser.add_argument("--scenario", default="all", help="a name, several with commas, or all")
    parser.add_argument(
        "--cache", type=Path, default=roots.default_cache(), help="where the debootstrapped roots are kept"
    )
    parser.add_argument("--output", type=Path, default=HERE.parent, help="where the scenario folders go")
    parser.add_argument(
        "--keep", action="store_true", help="copy the hosts' /var/log of a failed run to CACHE/failed"
    )
    parser.add_argument("--index", action="store_true", help="only write sample_data/README.md again")
    parser.add_argument("--list", action="store_true", help="name the scenarios and stop")
    return parser.parse_args()


def play(name: str, options: argparse.Namespace) -> None:
    module = module_of(name)
    folder = name if options.suite == "trixie" else f"{name}-{options.suite}"
    signal.alarm(getattr(module, "SECONDS", SCENARIO_SECONDS))
    lab = Lab(
        name,
        options.suite,
        options.cache,
        plans=getattr(module, "PLANS", None),
        options=getattr(module, "OPTIONS", None),
        prepare=getattr(module, "prepare", None),
        strangers=getattr(module, "STRANGERS", None),
        dns=getattr(module, "DNS", None),
    )
    if options.keep:
        lab.failed_into = options.cache / "failed" / folder
    try:
        with lab:
            module.run(lab)
            if hasattr(module, "save"):
                module.save(lab, options.output / folder)
            else:
                lab.save(options.output / folder, module.README, getattr(module, "KEPT_MESSAGES", None))
    finally:
        signal.alarm(0)


def main() -> int:
    options = arguments()
    if options.list:
        print("\n".join(names()))
        return 0
    if options.index:
        index.write(options.output)
        return 0
    enclose()
    if options.scenario == "all":
        chosen = [name for name in names() if not getattr(module_of(name), "APART", False)]
    else:
        chosen = options.scenario.split(",")
    failed = []
    for name in chosen:
        begun = time.monotonic()
        try:
            play(name, options)
            print(f"{name}: made in {time.monotonic() - begun:.0f} s", flush=True)
        except Exception:
            traceback.print_exc()
            failed.append(name)
            print(f"{name}: FAILED", flush=True)
    index.write(options.output)
    return 1 if failed else 0


def _too_long(*_: object) -> None:
    raise TimeoutError("the scenario took longer than it may")


if __name__ == "__main__":
    signal.signal(signal.SIGALRM, _too_long)
    sys.exit(main())
