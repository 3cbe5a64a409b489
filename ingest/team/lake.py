"""Preparing a PostgreSQL for the catalogue of a lake: who drains into it owns it, who looks at it may read it."""

from __future__ import annotations

from collections.abc import Sequence

from ...queries import postgres
from ...queries.store.lake_address import LakeAddress
from .inbox import make_role

READERS = "agnes_stats_readers"
"""The role that people who look at a lake are members of."""


def init(lake: LakeAddress, people: Sequence[str], drainer: str) -> list[str]:
    """Make the schema of a lake's catalogue, its drainer's, and let people read it; the roles that are new.

    The catalogue itself is made by the first drain. All of it may be done again. Raises ServerError.
    """
    made = []
    with postgres.connected(lake.catalogue) as connection, connection.transaction():
        from psycopg import errors, sql

        make_role(connection, READERS, logs_in=False)
        made += [name for name in (drainer, *people) if make_role(connection, name)]
        names = {
            "schema": sql.Identifier(lake.schema),
            "drainer": sql.Identifier(drainer),
            "readers": sql.Identifier(READERS),
            "database": sql.Identifier(connection.info.dbname),
        }
        for statement in (
            "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {drainer}",
            "GRANT USAGE ON SCHEMA {schema} TO {readers}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {readers}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {drainer} IN SCHEMA {schema} GRANT SELECT ON TABLES TO {readers}",
        ):
            connection.execute(sql.SQL(statement).format(**names))
        for name in people:
            connection.execute(sql.SQL("GRANT {} TO {}").format(names["readers"], sql.Identifier(name)))
        try:
            with connection.transaction():
                # DuckLake tells a conflict by PostgreSQL's words for it. Only a superuser may say so for a role.
                words = "ALTER ROLE {drainer} IN DATABASE {database} SET lc_messages = 'C'"
                connection.execute(sql.SQL(words).format(**names))
        except errors.InsufficientPrivilege:
            pass
    return made
