"""SQL over the tables of a case, with DuckDB, which reads Arrow tables where they are.

    case.sql("select cause, count(*) as number from deliveries where cause is not null group by cause order by 2 desc")

A query sees the tables of the case under their own names and nothing else: files, extensions and the network are shut
off, so that a query out of somebody's notebook can read only this evidence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

from mailforensics import schema
from mailforensics.errors import OptionError


def query_tables(query: str, table_of: Callable[[str], pa.Table]) -> pa.Table:
    """The answer to a query over the tables that it names; ``table_of`` gives a table by its name.

    Raises :class:`OptionError` when DuckDB is not installed, or says what is wrong with the query.
    """
    try:
        import duckdb
    except ImportError as error:
        raise OptionError("case.sql needs DuckDB, which is not installed: pip install duckdb") from error
    named = [name for name in schema.TABLES if re.search(rf"\b{name}\b", query, re.IGNORECASE)]
    with duckdb.connect(":memory:") as connection:
        for name in named:
            connection.register(name, table_of(name))
        connection.execute("set python_enable_replacements = false")
        connection.execute("set enable_external_access = false")
        connection.execute("set lock_configuration = true")
        try:
            answer = connection.sql(query)
            if answer is not None:
                return answer.to_arrow_table()
        except duckdb.Error as error:
            raise OptionError(f"DuckDB does not understand the query: {error}") from error
    raise OptionError("The query gives no rows: ask with a select.")
