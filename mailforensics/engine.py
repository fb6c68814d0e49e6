"""Who does the work: threads of this process, or the workers of Dask.

The pieces of a log and the buckets of its links are tasks that need nothing of each other; an engine is whatever runs tasks. With
``engine="dask"`` they go to the current ``dask.distributed`` client, or to a local cluster that is started for the time being.
Its workers must see the folder of the case under the same path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from mailforensics.errors import OptionError

ENGINES = ("threads", "dask")


@dataclass(frozen=True)
class Crew:
    """Some workers: where tasks are submitted, how many run at a time, and whether they share our memory."""

    pool: Executor
    count: int
    here: bool


@contextmanager
def crew(engine: str = "threads") -> Iterator[Crew]:
    """The workers of an engine, for as long as the block lasts.

    Raises OptionError for an engine that there is not, and for Dask where it is not installed.
    """
    if engine == "threads":
        count = os.cpu_count() or 2
        with ThreadPoolExecutor(count) as pool:
            yield Crew(pool, count, here=True)
    elif engine == "dask":
        with _dask() as found:
            yield found
    else:
        raise OptionError(f"There is no engine {engine!r}. There are {', '.join(ENGINES)}.")


@contextmanager
def _dask() -> Iterator[Crew]:
    try:
        from distributed import Client, LocalCluster, get_client
    except ImportError as error:
        raise OptionError(
            "The engine dask needs Dask: pip install 'mailforensics-notebooks[dask]'."
        ) from error
    try:
        client = get_client()
    except ValueError:
        cores = os.cpu_count() or 2
        with (
            LocalCluster(n_workers=cores, threads_per_worker=1, dashboard_address=None) as cluster,  # type: ignore[no-untyped-call]
            Client(cluster) as client,  # type: ignore[no-untyped-call]
        ):
            yield _of(client)
    else:
        yield _of(client)


def _of(client: object) -> Crew:
    count = sum(client.nthreads().values()) or 1  # type: ignore[attr-defined]
    return Crew(client.get_executor(pure=False), count, here=False)  # type: ignore[attr-defined]
