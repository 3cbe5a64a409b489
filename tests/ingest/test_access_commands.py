"""Which data a shell command touches: one row per command line."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.access import Access, accesses_of, bash
from agnes_stats.ingest.access.commands import Budget
from agnes_stats.ingest.access.shell import commands_in
from hypothesis import given, settings
from hypothesis import strategies as st

# Each expected access is "action resource", and for SQL "action resource statement".
QUERIES: list[tuple[str, list[str]]] = [
    # agnes: local by default, remote and hybrid by option, its own usage tables are internal
    ('agnes query "select * from orders"', ["query.local table:orders select"]),
    ("agnes query --sql 'select 1'", ["query.local adhoc select"]),
    ('agnes query --remote "SELECT count(*) FROM events"', ["query.remote table:events select"]),
    ('agnes query --scope server --json "from events"', ["query.remote table:events select"]),
    ('agnes query --scope=auto "from events"', ["query.local table:events select"]),
    ('agnes query --local --limit 5 -f csv "from events"', ["query.local table:events select"]),
    ("agnes query 'select * from agnes_sessions'", ["query.internal table:agnes_sessions select"]),
    ("agnes query --register-bq \"b=select 1\" 'from b'", ["query.hybrid table:b select"]),
    (
        """echo '{"sql": "select id from customers"}' | agnes query --stdin --json""",
        ["query.local table:customers select"],
    ),
    ('agnes query --remote "select a from `proj.ds.events` e"', ["query.remote table:proj.ds.events select"]),
    (
        "agnes query --sql \"$(cat <<'SQL'\nselect *\nfrom orders -- the big one\nSQL\n)\"",
        ["query.local table:orders select"],
    ),
    ('agnes query --sql "$(cat report.sql)"', ["query.local adhoc"]),
    ("AGNES_LOCAL_DIR=/w uv run agnes query 'from t' | head -5", ["query.local table:t select"]),
    ("agnes catalog --json | jq '.[]'", ["catalog.list adhoc"]),
    ("agnes schema orders", ["catalog.schema table:orders"]),
    ("agnes sample orders -n 3", ["catalog.sample table:orders"]),
    ("agnes describe -n 3 orders --json", ["catalog.describe table:orders"]),
    ("agnes explore orders", ["catalog.describe table:orders"]),
    ("agnes search 'monthly churn' --limit 5", ["catalog.search adhoc"]),
    ("agnes snapshot create sales --as recent --where \"region = 'A'\"", ["snapshot.create table:sales"]),
    ("agnes snapshot create x --from-query 'select * from a.b'", ["snapshot.create table:a.b select"]),
    ("agnes snapshot create sales --estimate", ["snapshot.estimate table:sales"]),
    ("agnes snapshot list; agnes snapshot drop recent", ["snapshot.list adhoc", "snapshot.drop table:recent"]),
    # duckdb
    ('duckdb app.db "select * from t"', ["query.local table:t select"]),
    ("duckdb -c \"from 'data/x.parquet'\"", ["query.local table:data/x.parquet select"]),
    ("duckdb -readonly -json app.db -c 'from t'", ["query.local table:t select"]),
    ("duckdb -c \"copy (from read_csv('in.csv')) to 'out.parquet'\"", ["query.local table:in.csv, out.parquet copy"]),
    ("duckdb app.db < q.sql", ["query.local adhoc"]),
    ("duckdb app.db -f q.sql", ["query.local adhoc"]),
    ("duckdb app.db '.read q.sql'", ["query.local adhoc"]),
    ("echo 'select 1' | duckdb app.db", ["query.local adhoc select"]),
    ("duckdb app.db <<'EOF' | tail -3\nCREATE TABLE b AS SELECT * FROM a;\nEOF", ["query.local table:a, b create"]),
    ("duckdb md:prod 'from t'", ["query.remote table:t select"]),
    ("uvx --from duckdb-cli duckdb -c 'from t'", ["query.local table:t select"]),
    ("duckdb app.db -c .tables", ["catalog.list adhoc"]),
    (
        "duckdb -c \"attach 'a.db' as a; with x as (select * from a.t) select * from x join u using (i)\"",
        ["query.local table:a.t, u select"],
    ),
    (
        "cat data.csv | duckdb -c \"from read_csv('/dev/stdin')\"",
        ["file.read data.csv", "query.local table:/dev/stdin select"],
    ),
    ('DB=app.db; SQL="select * from t"\nduckdb $DB -c "$SQL"', ["query.local table:t select"]),
    ("(cd data && duckdb -csv -c 'from t') > out.csv", ["query.local table:t select", "file.write out.csv"]),
    # sqlite
    ("sqlite3 app.db \"select * from users where name = 'x'\"", ["query.local table:users select"]),
    ("sqlite3 -header -column app.db 'delete from users'", ["query.local table:users delete"]),
    ("sqlite3 app.db '.mode csv' 'select * from t'", ["query.local table:t select"]),
    ("sqlite3 app.db .tables", ["catalog.list adhoc"]),
    ("sqlite3 app.db '.schema users'", ["catalog.schema table:users"]),
    ("sqlite3 app.db '.import in.csv t'", ["query.local table:t"]),
    ("find . -name '*.db' -exec sqlite3 {} 'select 1' \\;", ["file.search ."]),
    ("ssh box \"sqlite3 /srv/app.db 'select * from t'\"", ["query.remote table:t select"]),
    # postgres
    ('psql -c "select * from t"', ["query.local table:t select"]),
    ('psql -h localhost -U me -d app -tAc "select * from t"', ["query.local table:t select"]),
    ('PGPASSWORD=x psql -h db.example.com -U me app -c "select * from t"', ["query.remote table:t select"]),
    ('PGHOST=db.example.com psql -c "select * from t"', ["query.remote table:t select"]),
    ('psql postgresql://me:pw@10.0.0.5:5432/app -c "update t set a = 1"', ["query.remote table:t update"]),
    ('psql "postgresql://localhost/app" -c "select * from t"', ["query.local table:t select"]),
    ('psql "$DATABASE_URL" -c "select * from t"', ["query.remote table:t select"]),
    ('psql "host=db.example.com dbname=app" -c "select * from t"', ["query.remote table:t select"]),
    ("psql -f x.sql app", ["query.local adhoc"]),
    ("cat q.sql | psql app", ["query.local adhoc"]),
    ("psql app <<SQL\n\\timing on\nselect *\nfrom a, b;\nSQL", ["query.local table:a, b select"]),
    ("psql app <<< 'select * from t'", ["query.local table:t select"]),
    ("psql app -c '\\d users'", ["catalog.schema table:users"]),
    ("psql app -c '\\dt'", ["catalog.list adhoc"]),
    ("psql -l", ["catalog.list adhoc"]),
    ("psql app -c \"\\copy t from 'x.csv' csv\"", ["query.local table:x.csv, t copy"]),
    ("sudo -u postgres psql -c 'select * from t'", ["query.local table:t select"]),
    ("docker exec -it pg psql -U me -c 'select * from t'", ["query.local table:t select"]),
    ("docker compose -f c.yml exec -T db psql -U me -c 'select * from t'", ["query.local table:t select"]),
    ("kubectl -n prod exec pg-0 -- psql -c 'select * from t'", ["query.remote table:t select"]),
    ("ssh -p 22 me@box 'psql app -c \"select * from t\"'", ["query.remote table:t select"]),
    ("PSQL='docker exec pg psql -U me'; $PSQL -c 'select * from t'", ["query.local table:t select"]),
    ("bash -lc 'time timeout 10 psql -c \"select * from t\"'", ["query.local table:t select"]),
    ("if psql -c 'select * from t'; then echo ok; fi", ["query.local table:t select"]),
    ('for t in a b; do psql -c "select 1"; done', ["query.local adhoc select"]),
    ('for t in a b; do psql -c "select * from $t"; done', ["query.local adhoc select"]),
    ("ssh box <<'EOF'\npsql -c 'select * from t'\nEOF", ["query.remote table:t select"]),
    ("case $1 in\n  a) psql -c 'select * from t' ;;\n  *) echo no ;;\nesac", ["query.local table:t select"]),
    ("sudo su - postgres -c \"psql -c 'select * from t'\"", ["query.local table:t select"]),
    (
        "diff <(psql -c 'select * from a') <(psql -c 'select * from b')",
        ["query.local table:a select", "query.local table:b select"],
    ),
    ("printf '%s\\n' '.headers on' 'select * from t;' | sqlite3 a.db", ["query.local table:t select"]),
    ("{ echo 'select *'; echo 'from t;'; } | sqlite3 a.db", ["query.local table:t select"]),
    ("read -r -d '' Q <<'EOF'\nselect * from t\nEOF\nduckdb a.db \"$Q\"", ["query.local table:t select"]),
    ("tee q.sql <<'EOF' | psql\nselect * from t\nEOF", ["file.write q.sql", "query.local table:t select"]),
    ("find . -name '*.sql' | xargs -n1 psql -f", ["file.search .", "query.local adhoc"]),
    ("n=$(psql -tc 'select count(*) from t'); echo $n", ["query.local table:t select"]),
    ("psql -c 'explain analyze select * from t'", ["query.local table:t explain"]),
    ("echo -e 'select *\\nfrom t' | psql", ["query.local table:t select"]),
    ("psql <<-EOF\n\tselect * from t\n\tEOF\ncat x", ["query.local table:t select", "file.read x"]),
    ("T=orders\npsql <<EOF\nselect * from $T\nEOF", ["query.local table:orders select"]),
    ("echo \"$(case $1 in a) psql -c 'select * from t';; esac)\"", ["query.local table:t select"]),
    ('psql -c "$(< q.sql)"', ["query.local adhoc"]),
    ("{ echo 'begin;'; cat q.sql; } | psql", ["query.local adhoc"]),
    ("sudo PGHOST=db.example.com psql -c 'select 1'", ["query.remote adhoc select"]),
    ("(echo 'drop table t' > log; echo 'select 1') | psql", ["file.write log", "query.local adhoc"]),
    ("duckdb -c 'with orders as (from orders) from orders'", ["query.local table:orders select"]),
    ("duckdb -c 'with recursive r as (select 1 union all select * from r) from r'", ["query.local adhoc select"]),
    # other clients
    ('mysql -uroot -psecret shop -e "select * from t"', ["query.local table:t select"]),
    ('mysql --host=db.example.com -e "select * from t\\G"', ["query.remote table:t select"]),
    ("mariadb shop < dump.sql", ["query.local adhoc"]),
    (
        "bq query --use_legacy_sql=false 'select * from `p.d.t`, unnest(x)'",
        ["query.remote table:p.d.t select"],
    ),
    ("bq --project_id=p query --nouse_legacy_sql <<'EOF'\nselect 1\nEOF", ["query.remote adhoc select"]),
    ("bq head -n 5 p:d.t", ["catalog.sample table:p.d.t"]),
    ("snowsql -c prod -q 'select * from db.s.t'", ["query.remote table:db.s.t select"]),
    ("snow sql -q 'select * from t' --format json", ["query.remote table:t select"]),
    ("clickhouse-client --query 'select * from t final'", ["query.local table:t select"]),
    ("clickhouse client --host ch.example.com -q 'select * from t'", ["query.remote table:t select"]),
    ("clickhouse local -q \"select * from file('x.csv')\"", ["query.local table:x.csv select"]),
    ("trino --server https://t.example.com --execute 'select * from c.s.t'", ["query.remote table:c.s.t select"]),
    # programs given on the command line
    ("python -c \"import duckdb; print(duckdb.sql('from t').fetchall())\"", ["query.local table:t select"]),
    (
        "uv run --with duckdb python - <<'PY'\nimport duckdb\ncon = duckdb.connect(\"a.db\")\n"
        'for t in ["orders", "customers"]:\n    print(con.execute(f"select count(*) from {t}").fetchone())\nPY',
        ["query.local table:orders select", "query.local table:customers select"],
    ),
    (
        'python3 <<EOF\nimport pandas as pd, psycopg2\ncon = psycopg2.connect(host="db.example.com")\n'
        'pd.read_sql("""select *\n  from t""", con)\nEOF',
        ["query.remote table:t select"],
    ),
    (
        "python -c \"import sqlite3; q = 'select * from t'; sqlite3.connect('a.db').execute(q + ' limit 1')\"",
        ["query.local table:t select"],
    ),
    (
        "node -e \"new (require('pg').Client)({host: '10.0.0.5'}).query('select * from t')\"",
        ["query.remote table:t select"],
    ),
]

FILES_AND_WEB: list[tuple[str, list[str]]] = [
    ("cat a.txt b.txt", ["file.read a.txt", "file.read b.txt"]),
    ("head -n 20 /var/log/x.log | grep err", ["file.read /var/log/x.log"]),
    ("tail -5 x.log", ["file.read x.log"]),
    ("sed -n '1,20p' src/a.py", ["file.read src/a.py"]),
    ("sed -i.bak 's/a/b/' a.py", ["file.write a.py"]),
    ("sed -i '' -e 's/a/b/' a.py", ["file.write a.py"]),
    ("awk -F, -v n=1 '{print $n}' x.csv", ["file.read x.csv"]),
    ("wc -l < x.csv", ["file.read x.csv"]),
    ("grep -rn -A 3 'agnes query' src", ["file.search src"]),
    ("grep -e one -e two notes.md", ["file.search notes.md"]),
    ("rg 'select \\* from' -g '*.py'", ["file.search ."]),
    ("cat notes.md | rg todo", ["file.read notes.md"]),
    ("find src tests -name '*.py'", ["file.search src", "file.search tests"]),
    ("ls -la data", ["file.search data"]),
    ("cat > q.sql <<'EOF'\nselect * from t\nEOF", ["file.write q.sql"]),
    ("echo hi | tee -a out.log > /dev/null", ["file.write out.log"]),
    ("cp a.csv data/", ["file.read a.csv", "file.write data/"]),
    ("echo a >> notes.md 2>&1", ["file.write notes.md"]),
    ("cat 'src/(app)/page.tsx'", ["file.read src/(app)/page.tsx"]),
    ("ssh box cat /etc/hosts", ["file.read box:/etc/hosts"]),
    ("curl -sL -H 'A: b' https://api.example.com/v1/x?y=1 | jq .", ["web.fetch api.example.com"]),
    ("curl -o data.csv http://localhost:3000/x", ["web.fetch localhost:3000", "file.write data.csv"]),
    ("wget -q https://example.com/data.zip", ["web.fetch example.com"]),
    ('curl "$BASE/health"', ["web.fetch adhoc"]),
]

NOTHING: list[str] = [
    'echo "select 1"',
    "echo 'agnes query \"select * from orders\"'",
    "git commit -m \"agnes query: psql -c 'select 1'\"",
    "git commit -m \"$(cat <<'EOF'\nUse duckdb app.db \"select 1\"\nagnes query 'from t'\nEOF\n)\"",
    "# agnes query 'select 1'",
    "true # psql -c 'select 1'",
    "printf 'psql -c \"select 1\"\\n'",
    "git log | grep 'agnes query'",
    "git log --grep='duckdb app.db'",
    "history | grep psql",
    "agnes --help",
    "agnes query --help",
    "agnes query",
    "agnes query --sql",
    "agnes catalog --help",
    "echo y | duckdb --help",
    "mysql -psecret shop",
    "echo x # ; psql -c 'select 1'",
    "cat <<'EOF'\n$(psql -c 'select 1')\nEOF",
    "command -v cat jq",
    "agnes pull --quiet",
    "agnes status",
    "agnes snapshot create",
    "psql --version",
    "psql mydb",
    "duckdb --help",
    "duckdb",
    "sqlite3 app.db",
    "sqlite3 app.db '.mode csv'",
    "mysql -V",
    "bq --help",
    "bq mk d.t",
    "which psql sqlite3 duckdb",
    "command -v duckdb",
    "man psql",
    "pip install duckdb psycopg2 && brew install libpq",
    "docker run -d -p 5432:5432 postgres:16",
    "docker exec pg ls",
    "psql_version=1",
    "python -m pytest tests/test_sql.py",
    "python script.py --sql 'select 1 from t'",
    "python -c \"print('select * from t')\"",
    "python -c \"import pandas as pd; pd.DataFrame().query('a > 1')\"",
    "python - <<'EOF'\n# con.execute('select * from t')\nEOF",
    "node -e \"console.log('select * from t'); new Map().get('select')\"",
    "case $x in psql) echo 'select 1';; esac",
    "f() { echo 'psql'; }",
    "make test 2>&1 | tail -20",
    "make test > /dev/null 2>&1",
    "cd src && ls",
    "cat",
    "cat --help",
    "npm run build && git diff | cat",
    "curl --version",
    "if [[ $a < $b ]]; then :; fi",
    "echo $((1 > 2))",
    "bash deploy.sh",
    "ssh box",
    "",
]


def _shown(access: Access) -> str:
    return " ".join(filter(None, (access.action, access.resource, access.statement)))


def _of(command: str) -> list[str]:
    return [_shown(access) for access in accesses_of("Bash", {"command": command})]


@pytest.mark.parametrize(("command", "expected"), [*QUERIES, *FILES_AND_WEB])
def test_command_touches_this_data(command: str, expected: list[str]) -> None:
    assert _of(command) == expected


@pytest.mark.parametrize("command", NOTHING)
def test_command_touches_no_data(command: str) -> None:
    assert _of(command) == []


def test_an_access_carries_command_sql_tables_and_dialect() -> None:
    command = "psql -c 'insert into b select * from a; update b set x = 1'"
    assert accesses_of("Bash", {"command": command}) == [
        Access(
            "query.local",
            "table:a, b",
            command=command,
            sql="insert into b select * from a; update b set x = 1",
            tables_read=("a",),
            tables_written=("b",),
            statement="insert",
            dialect="postgres",
        )
    ]


@pytest.mark.parametrize(
    ("command", "dialect"),
    [
        ("duckdb a.db 'from t'", "duckdb"),
        ("sqlite3 a.db 'select 1'", "sqlite"),
        ("psql -c 'select 1'", "postgres"),
        ("mysql -e 'select 1'", "mysql"),
        ("bq query 'select 1'", "bigquery"),
        ("snowsql -q 'select 1'", "snowflake"),
        ("clickhouse-client -q 'select 1'", "clickhouse"),
        ("trino --execute 'select 1'", "trino"),
        ("agnes query 'select 1'", "duckdb"),
    ],
)
def test_dialect_is_that_of_the_program(command: str, dialect: str) -> None:
    assert [access.dialect for access in accesses_of("Bash", {"command": command})] == [dialect]


def test_the_same_access_counts_once_per_call() -> None:
    assert _of("cat a; cat a; psql -c 'select 1'; psql -c 'select 1'") == ["file.read a", "query.local adhoc select"]


def test_texts_are_cut_and_huge_sql_is_not_parsed() -> None:
    values = ", ".join(f"({number})" for number in range(30_000))
    [access] = accesses_of("Bash", {"command": f"duckdb a.db <<'EOF'\ninsert into t values {values}\nEOF"})
    assert access.command is not None and access.sql is not None
    assert (len(access.command), len(access.sql)) == (4000, 4000)
    assert (access.statement, access.tables_written) == ("insert", ())


def test_sql_that_cannot_be_parsed_is_kept_as_text() -> None:
    [access] = accesses_of("Bash", {"command": "duckdb -c \"select * from {{ ref('x') }}\""})
    assert (access.sql, access.resource, access.statement) == ("select * from {{ ref('x') }}", "adhoc", "select")


@pytest.mark.parametrize(
    "script",
    [
        "a=$(" * 5000 + "psql",
        "psql -c '" + "(" * 3000 + "select 1" + ")" * 3000 + "'",
        "bash -c " * 2000 + "psql",
        "a=x; " + 'a="$a$a"; ' * 200 + 'psql -c "$a"',
        "psql " + "<<E\n" * 3000,
        "duckdb -c 'select * from a " + "join b " * 300 + "'",
        "cat " + "`" * 5001,
        "cat " + "a=(" * 5001,
        "python -c '" + "[" * 5000 + "execute(1)'",
        'psql -c "' + "\\" * 5001,
        "cat " + "$'\\" * 3000,
    ],
)
def test_a_pathological_script_is_read_without_harm(script: str) -> None:
    assert isinstance(accesses_of("Bash", {"command": script}), list)


def test_variables_cannot_blow_a_script_up() -> None:
    script = "a=" + "x" * 19_000 + "; cat " + "$a" * 2_000
    words = [word for command in commands_in(script, Budget()) for word in command.argv]
    assert sum(map(len, words)) < 250_000


def test_a_script_without_a_word_of_interest_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bash, "commands_in", lambda *_: pytest.fail("parsed"))
    assert accesses_of("Bash", {"command": "git status && npm test 2>&1 | less-js 2> /dev/null"}) == []


_PIECES = st.sampled_from(["", " ", "'", '"', "`", "$(", ")", "(", "|", "<<E", "\n", "&", ";", "{", "\\", "#", "\x00"])
_COMMANDS = st.sampled_from([*(command for command, _ in QUERIES + FILES_AND_WEB), *NOTHING])


@settings(max_examples=400, deadline=None)
@given(command=_COMMANDS, start=st.integers(0, 200), length=st.integers(0, 30), piece=_PIECES, again=st.integers(1, 20))
def test_a_damaged_command_is_read_without_harm(command: str, start: int, length: int, piece: str, again: int) -> None:
    damaged = command[:start] + piece + command[start + length :] * again
    assert isinstance(accesses_of("Bash", {"command": damaged}), list)
