"""PowerShell, and what else runs programs on Windows: one row per script, with the data it touches."""

from __future__ import annotations

import pytest
from agnes_stats.ingest.access import Access, accesses_of
from agnes_stats.ingest.access.commands import ScriptBudget
from agnes_stats.ingest.access.powershell import commands_in
from agnes_stats.ingest.agnes.shell_actions import sync_actions_in
from agnes_stats.ingest.formats.claude.tools import detail_of
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples

ORDERS = "query.local table:orders select"

SCRIPTS: list[tuple[str, list[str]]] = [
    # how programs are called
    ('duckdb shop.duckdb -c "SELECT * FROM orders"', [ORDERS]),
    ("duckdb.exe shop.duckdb -c 'from orders'", [ORDERS]),
    ("DuckDB.EXE C:\\data\\shop.duckdb -c 'from orders'", [ORDERS]),
    ("& 'C:\\Program Files\\DuckDB\\duckdb.exe' shop.duckdb -c 'from orders'", [ORDERS]),
    ('& "$env:LOCALAPPDATA\\duckdb.exe" shop.duckdb -c "from orders"', [ORDERS]),
    (".\\bin\\duckdb shop.duckdb -c 'from orders'", [ORDERS]),
    ("cd C:\\w; duckdb shop.duckdb -c 'from orders' | Select-Object -First 3", [ORDERS]),
    ("duckdb shop.duckdb `\n  -c `\r\n  'from orders'", [ORDERS]),
    ("$r = duckdb shop.duckdb -c 'from orders'", [ORDERS]),
    ("if (Test-Path shop.duckdb) { duckdb shop.duckdb -c 'from orders' } else { Write-Host 'none' }", [ORDERS]),
    ("1..3 | ForEach-Object { duckdb shop.duckdb -c 'from orders' }", [ORDERS]),
    ("try { duckdb shop.duckdb -c 'from orders' } catch { throw }", [ORDERS]),
    ("function Q { duckdb shop.duckdb -c 'from orders' }; Q", [ORDERS]),
    ("$env:PGHOST = 'db.example.com'; psql -c 'select * from orders'", ["query.remote table:orders select"]),
    ("Start-Process -Wait duckdb -ArgumentList 'shop.duckdb .tables'", ["catalog.list adhoc"]),
    ("Invoke-Expression \"duckdb shop.duckdb -c 'from orders'\"", [ORDERS]),
    ("uv run agnes query 'from orders'", [ORDERS]),
    ("wsl duckdb shop.duckdb -c 'from orders'", [ORDERS]),
    ("wsl.exe -d Ubuntu -e bash -c \"duckdb shop.duckdb -c 'from orders'\"", [ORDERS]),
    ("ssh box \"sqlite3 app.db 'select * from orders'\"", ["query.remote table:orders select"]),
    # quotes, variables, texts that go into a program
    ("duckdb shop.duckdb -c 'select ''a'' from orders'", [ORDERS]),
    ('duckdb shop.duckdb -c "select ""a"" from orders"', [ORDERS]),
    ('duckdb shop.duckdb -c "select `"a`" from orders"', [ORDERS]),
    ("$db = 'shop.duckdb'; $sql = 'from orders'; duckdb $db -c $sql", [ORDERS]),
    ('$t = "orders"; duckdb shop.duckdb -c "from ${T}"', [ORDERS]),
    ("[string]$sql = 'from '; $sql += 'orders'\nduckdb shop.duckdb -c \"$sql\"", [ORDERS]),
    ("duckdb shop.duckdb -c @'\nselect *\nfrom orders -- it's \"big\"\n'@", [ORDERS]),
    ('$sql = @"\nselect "a" from orders\n"@\n$sql | duckdb shop.duckdb', [ORDERS]),
    ("'from orders' | duckdb shop.duckdb", [ORDERS]),
    ("Write-Output 'from orders' | duckdb shop.duckdb", [ORDERS]),
    ('duckdb shop.duckdb -c "$(Get-Content q.sql -Raw)"', ["query.local adhoc"]),
    ("Get-Content q.sql | sqlite3 app.db", ["query.local adhoc"]),
    ("(Get-Content -Raw .\\q.sql) | psql", ["query.local adhoc"]),
    ("Set-Content q.sql 'from orders'; duckdb shop.duckdb -f q.sql", ["file.write q.sql", ORDERS]),
    (
        "'from orders' | Out-File -FilePath q.sql -Encoding utf8; duckdb shop.duckdb -f q.sql",
        ["file.write q.sql", ORDERS],
    ),
    ("duckdb shop.duckdb -c 'from orders' > out.csv 2>$null", [ORDERS, "file.write out.csv"]),
    ("duckdb shop.duckdb -c 'from orders' 2>&1 | Out-Null", [ORDERS]),
    ('psql --% -c "select * from orders"', ["query.local table:orders select"]),
    (
        "foreach ($t in 'orders', 'items') { duckdb shop.duckdb -c \"from $t\" }; 'from x' | duckdb x.db",
        [ORDERS, "query.local table:items select", "query.local table:x select"],
    ),
    ('ForEach ($t in $all) { duckdb shop.duckdb -c "from orders" }', [ORDERS]),
    # files and the web
    ("Get-Content C:\\data\\a.csv -TotalCount 5", ["file.read C:\\data\\a.csv"]),
    ("gc a.txt, b.txt", ["file.read a.txt", "file.read b.txt"]),
    ("gc -Path:a.txt", ["file.read a.txt"]),
    ("type 'my notes.txt'", ["file.read my notes.txt"]),
    ("Get-ChildItem -Recurse -Filter *.sql src", ["file.search src"]),
    ("Select-String -Pattern 'orders' -Path *.sql", ["file.search *.sql"]),
    ("sls orders *.sql", ["file.search *.sql"]),
    ("Add-Content log.txt 'done'", ["file.write log.txt"]),
    ("Import-Csv in.csv | Export-Csv out.csv -NoTypeInformation", ["file.read in.csv", "file.write out.csv"]),
    ("Copy-Item a.csv -Destination b.csv", ["file.read a.csv", "file.write b.csv"]),
    ("Invoke-WebRequest -Uri https://example.com/a.csv -OutFile a.csv", ["web.fetch example.com", "file.write a.csv"]),
    ("irm 'https://example.com/api?a=1&b=2'", ["web.fetch example.com"]),
    ("curl.exe -s https://example.com", ["web.fetch example.com"]),
    # SQL Server
    ("sqlcmd -S localhost\\SQLEXPRESS -d shop -Q 'select * from orders'", [ORDERS]),
    ("sqlcmd -S db.example.com,1433 -Q 'select * from dbo.orders'", ["query.remote table:dbo.orders select"]),
    ("Invoke-Sqlcmd -ServerInstance . -Database shop -Query 'select * from orders'", [ORDERS]),
]

BASH_ON_WINDOWS: list[tuple[str, list[str]]] = [
    ("powershell.exe -NoProfile -Command \"duckdb 'C:\\data\\shop.duckdb' -c 'from orders'\"", [ORDERS]),
    ("pwsh -c 'Get-Content q.sql | duckdb shop.duckdb'", ["query.local adhoc"]),
    ("pwsh -File query.ps1", []),
    ("powershell -Command duckdb shop.duckdb -c 'from orders'", [ORDERS]),
    ('cmd //c "duckdb C:\\data\\shop.duckdb -c \\"from orders\\""', [ORDERS]),
    ("cmd.exe /c duckdb shop.duckdb -c 'from orders'", [ORDERS]),
    ("'/c/Program Files/DuckDB/duckdb.exe' shop.duckdb -c 'from orders'", [ORDERS]),
    ("agnes.cmd query 'from orders'", [ORDERS]),
]

NOTHING = [
    "",
    "git status",
    "# duckdb shop.duckdb -c 'from orders'",
    "<# duckdb shop.duckdb -c 'from orders' #> Get-Date",
    "Write-Host \"duckdb shop.duckdb -c 'from orders'\"",
    "$x = 'duckdb shop.duckdb'",
    "'psql -c select'",
    "Get-Process | Where-Object { $_.CPU -gt 10 }",
    "npm test 2> $null",
    "New-Item -ItemType Directory x",
]


def shown(found: list[Access]) -> list[str]:
    return [" ".join(filter(None, (access.action, access.resource, access.statement))) for access in found]


@pytest.mark.parametrize(("script", "expected"), SCRIPTS)
def test_a_script_touches_this_data(script: str, expected: list[str]) -> None:
    assert shown(accesses_of("PowerShell", {"command": script})) == expected


@pytest.mark.parametrize(("script", "expected"), BASH_ON_WINDOWS)
def test_bash_on_windows_runs_what_bash_does(script: str, expected: list[str]) -> None:
    assert shown(accesses_of("Bash", {"command": script})) == expected


@pytest.mark.parametrize("script", NOTHING)
def test_a_script_touches_no_data(script: str) -> None:
    assert accesses_of("PowerShell", {"command": script}) == []


def test_an_access_carries_the_script_and_its_query() -> None:
    script = 'duckdb shop.duckdb -c "SELECT * FROM orders"'
    [access] = accesses_of("PowerShell", {"command": script, "description": "run"})
    assert (access.command, access.sql, access.tables_read) == (script, "SELECT * FROM orders", ("orders",))


@pytest.mark.parametrize(
    ("script", "action"),
    [
        ("agnes pull", "manifest.fetch"),
        ("Set-Location C:\\ws; Agnes.exe push --quiet 2>$null", "session.upload"),
        ("& 'C:\\Users\\me\\agnes.exe' update", "sync.update"),
        ("if ($?) { agnes pull }", "manifest.fetch"),
        ('powershell -Command "agnes pull"', "manifest.fetch"),
        ("agnes pull --dry-run", None),
        ("Write-Host 'agnes pull'", None),
        ("# agnes pull", None),
    ],
)
def test_a_sync_action_of_agnes(script: str, action: str | None) -> None:
    found = sync_actions_in("PowerShell", {"command": script})
    assert found == ([] if action is None else [(action, script)])


def test_only_what_runs_a_script_syncs() -> None:
    assert sync_actions_in("Bash", {"command": "agnes pull"}) == [("manifest.fetch", "agnes pull")]
    assert sync_actions_in("Monitor", {"command": "agnes push"}) == [("session.upload", "agnes push")]
    for name, given_ in (("Read", {"command": "agnes pull"}), ("Bash", {"command": 3}), ("PowerShell", {})):
        assert sync_actions_in(name, given_) == []


@pytest.mark.parametrize("tool", ["Bash", "PowerShell", "Monitor"])
def test_a_call_says_its_command(tool: str) -> None:
    given_ = {"command": "duckdb shop.duckdb `\n  -c 'from orders'", "description": "look"}
    assert detail_of(tool, given_) == given_["command"]
    assert detail_of(tool, {"description": "look"}) is None


@pytest.mark.parametrize(
    "script",
    [
        "(" * 5000 + "psql",
        "$(" * 5000,
        "{" * 5000 + "}" * 5000,
        '"' + '$("' * 3000,
        "$a = 'x'; " + '$a += "$a$a"; ' * 200 + "duckdb $a",
        "@'\n" * 3000,
        "duckdb " + "`" * 5001,
        "iex " * 2000 + "'psql'",
        "powershell -c " * 2000 + "psql",
        "a" + "," * 5000,
        "<#" * 5000,
        "& " * 5000,
        "foreach ($t in 1,2,3,4,5,6,7,8) {" * 20 + "psql" + "}" * 20,
    ],
)
def test_a_pathological_script_is_read_without_harm(script: str) -> None:
    assert isinstance(accesses_of("PowerShell", {"command": script}), list)
    assert isinstance(sync_actions_in("PowerShell", {"command": f"agnes {script}"}), list)


def test_variables_cannot_blow_a_script_up() -> None:
    script = "$a = '" + "x" * 19_000 + "'; cat " + "$a" * 2_000
    words = [word for command in commands_in(script, ScriptBudget()) for word in command.argv]
    assert 19_000 <= sum(map(len, words)) < 250_000


_PIECES = st.sampled_from(
    ["", " ", "'", '"', "`", "$(", "@'\n", ")", "(", "|", "\n", "&", ";", "{", "\\", "#", "\x00", ","]
)


@settings(max_examples=examples(60, 300), deadline=None)
@given(
    script=st.sampled_from([*(script for script, _ in SCRIPTS), *NOTHING]),
    start=st.integers(0, 100),
    length=st.integers(0, 30),
    piece=_PIECES,
    again=st.integers(1, 20),
)
def test_a_damaged_script_is_read_without_harm(script: str, start: int, length: int, piece: str, again: int) -> None:
    damaged = script[:start] + piece + script[start + length :] * again
    assert isinstance(accesses_of("PowerShell", {"command": damaged}), list)
