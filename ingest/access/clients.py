"""The command-line clients of databases: how each is told its SQL, its files of SQL and its server."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .hosts import connection_host, is_local
from .model import ADHOC, Access, table_access
from .options import Grammar, Split, grammar, split
from .queries import Stdin, client_accesses
from .wrappers import Call


@dataclass(frozen=True, slots=True)
class Client:
    """How one program is used; option names are written without their dashes.

    `sql`, `file` and `host` are the options that give SQL, a file of SQL and the server; `sql_operand` is the
    index of the first operand that is SQL. `server` says where it runs: "cloud" is always another machine,
    "host" decides by the host, "local" never leaves this one.
    """

    dialect: str
    rules: Grammar
    sql: tuple[str, ...] = ()
    file: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    host_variables: tuple[str, ...] = ()
    target_operand: bool = False
    """The first operand may be a database URL or a connection string."""
    sql_operand: int | None = None
    server: str = "local"
    quits: frozenset[str] = frozenset({"help", "version"})


_PSQL = Client(
    "postgres",
    grammar(
        "c command d dbname f file v set variable L log-file o output F field-separator P pset R "
        "record-separator T table-attr h host p port U username"
    ),
    sql=("c", "command"),
    file=("f", "file"),
    host=("h", "host"),
    host_variables=("PGHOST", "PGHOSTADDR"),
    target_operand=True,
    server="host",
    quits=frozenset({"help", "version", "V", "?"}),
)
_MYSQL = Client(
    "mysql",
    grammar(
        "e execute h host P port u user D database S socket default-character-set protocol defaults-file "
        "defaults-extra-file init-command ssl-ca ssl-mode delimiter",
        attached="p",
    ),
    sql=("e", "execute"),
    host=("h", "host"),
    host_variables=("MYSQL_HOST",),
    server="host",
    quits=frozenset({"help", "version", "V", "?"}),
)
_SQLITE = Client(
    "sqlite",
    grammar(
        "cmd init separator newline nullvalue maxsize lookaside:2 pagecache:2 vfs escape heap mmap",
        single_dash=True,
    ),
    sql=("cmd",),
    sql_operand=1,
    quits=frozenset({"help", "version"}),
)
_DUCKDB = Client(
    "duckdb",
    grammar(
        "c s cmd f file init separator newline nullvalue maxsize storage_version storage-version",
        single_dash=True,
    ),
    sql=("c", "s", "cmd"),
    file=("f", "file"),
    sql_operand=1,
    quits=frozenset({"help", "version", "h"}),
)
_CLICKHOUSE = Client(
    "clickhouse",
    grammar(
        "q query queries-file h host port u user password d database C config config-file format "
        "output-format input-format S structure N table f file time max_threads c connection param_1"
    ),
    sql=("q", "query"),
    file=("queries-file",),
    host=("h", "host"),
    server="host",
    quits=frozenset({"help", "version", "V"}),
)
_TRINO = Client(
    "trino",
    grammar(
        "server catalog schema user execute f file output-format session source password-file timezone "
        "client-tags keystore-path truststore-path access-token extra-credential network-logging "
        "client-request-timeout"
    ),
    sql=("execute",),
    file=("f", "file"),
    server="cloud",
)
_SNOWFLAKE = Client(
    "snowflake",
    grammar(
        "a accountname account u username user d dbname database s schemaname schema r rolename role w "
        "warehouse h host q query f filename o option c connection config private-key-path D variable "
        "format environment enhanced-exit-code project p authenticator token"
    ),
    sql=("q", "query"),
    file=("f", "filename"),
    server="cloud",
    quits=frozenset({"help", "version", "v"}),
)
_BIGQUERY = Client(
    "bigquery",
    grammar(
        "max_rows n start_row project_id location dataset_id format job_id destination_table parameter "
        "label maximum_bytes_billed time_partitioning_field clustering_fields external_table_definition "
        "udf_resource display_name schedule target_dataset batch_size"
    ),
    sql_operand=0,
    server="cloud",
)
_SQLCMD = Client(
    "tsql",
    grammar("S U P d Q q i o h s w l t v y Y m a c f K M A D H R u z Z"),
    sql=("Q", "q"),
    file=("i",),
    host=("S",),
    host_variables=("SQLCMDSERVER",),
    server="host",
    quits=frozenset({"help", "version", "?"}),
)
CLIENTS: Mapping[str, Client] = {
    "psql": _PSQL,
    "mysql": _MYSQL,
    "mariadb": _MYSQL,
    "sqlite3": _SQLITE,
    "sqlite": _SQLITE,
    "duckdb": _DUCKDB,
    "clickhouse": _CLICKHOUSE,
    "clickhouse-client": _CLICKHOUSE,
    "clickhouse-local": _CLICKHOUSE,
    "trino": _TRINO,
    "presto": _TRINO,
    "snowsql": _SNOWFLAKE,
    "snow": _SNOWFLAKE,
    "bq": _BIGQUERY,
    "sqlcmd": _SQLCMD,
}
_SERVICE = re.compile(r"(?:^|\s)service\s*=")
_CLOUD_FILES = ("md:", "motherduck:")


def client_calls(call: Call, stdin: Stdin) -> list[Access]:
    """Return the accesses of one call of a database client."""
    special = _SUBCOMMANDS.get(call.program)
    words = special(call.argv[1:]) if special else call.argv[1:]
    if isinstance(words, list):
        return words
    client = CLIENTS[call.program]
    given = split(words, client.rules)
    if given.has(*client.quits):
        return []
    return client_accesses(_action(client, call, given), _texts(client, given, stdin), client.dialect) or _listed(
        given, call
    )


def _texts(client: Client, given: Split, stdin: Stdin) -> list[str | None]:
    """Return the SQL a client is given, None for SQL in a file not known; its input counts when nothing else does."""
    texts: list[str | None] = []
    for name, value in given.options:
        if name in client.sql and value:
            texts.append(value)
        elif name in client.file and value:
            texts.append(stdin.file(value))
    if client is _BIGQUERY and given.operands:
        texts.append(" ".join(given.operands))
    elif client.sql_operand is not None:
        texts += given.operands[client.sql_operand :]
    only_setup = all(name == "cmd" for name, value in given.options if name in client.sql)
    if stdin.given and (not texts or (only_setup and len(given.operands) <= 1 and None not in texts)):
        texts.append(stdin.take())
    return texts


def _action(client: Client, call: Call, given: Split) -> str:
    if call.remote or client.server == "cloud":
        return "query.remote"
    if client.server == "local":
        cloud = any(operand.startswith(_CLOUD_FILES) for operand in given.operands[:1])
        return "query.remote" if cloud else "query.local"
    hosts = given.all(*client.host)
    targets = given.all("d", "dbname") if client is _PSQL else []
    if client.target_operand and given.operands:
        targets.append(given.operands[0])
    hosts += [host for target in targets if (host := connection_host(target))]
    hosts = hosts or [call.env[name] for name in client.host_variables if name in call.env]
    if not hosts and client is _PSQL and ("PGSERVICE" in call.env or any(map(_SERVICE.search, targets))):
        return "query.remote"  # an entry of the service file, where somebody configured a server
    return "query.local" if all(is_local(host) for host in hosts) else "query.remote"


def _listed(given: Split, call: Call) -> list[Access]:
    """`psql -l` lists the databases."""
    wanted = call.program == "psql" and given.has("l", "list")
    return [Access("catalog.list", ADHOC, dialect="postgres")] if wanted else []


def _clickhouse(words: tuple[str, ...]) -> tuple[str, ...] | list[Access]:
    return words[1:] if words[:1] in (("client",), ("local",)) else []


def _snow(words: tuple[str, ...]) -> tuple[str, ...] | list[Access]:
    given = [at for at, word in enumerate(words) if not word.startswith("-")]
    return words[given[0] + 1 :] if given and words[given[0]] == "sql" else []


def _bq(words: tuple[str, ...]) -> tuple[str, ...] | list[Access]:
    """`bq query`, and the subcommands that look at a table or list what there is."""
    given = split(words, _BIGQUERY.rules)
    if not given.operands or given.has("help", "version"):
        return []
    verb, names = given.operands[0], given.operands[1:2]
    if verb == "query":
        at = words.index("query")
        return words[at + 1 :]
    actions = {"head": "catalog.sample", "show": "catalog.schema", "ls": "catalog.list"}
    if verb not in actions or (verb != "ls" and not names):
        return []
    tables = [name.replace(":", ".") for name in names] if verb != "ls" else []
    return [table_access(actions[verb], tables, "bigquery")]


_SUBCOMMANDS: dict[str, Callable[[tuple[str, ...]], tuple[str, ...] | list[Access]]] = {
    "clickhouse": _clickhouse,
    "snow": _snow,
    "bq": _bq,
}
