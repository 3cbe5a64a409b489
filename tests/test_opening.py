"""What others may have made is opened in one place, which opens nothing but regular files; who else opens and walks."""

import ast
import functools
import re
from pathlib import Path

import pytest

from tests.guards import parsed

ROOT = Path(__file__).resolve().parent.parent
OPENS = re.compile(
    r"(.*\.)?(open|open_code|fdopen|connect|FileIO|ZipFile)|.*\.(read_text|read_bytes|write_text|write_bytes)"
    r"|shutil\.copy.*|.*\.load_(verify_locations|cert_chain)|create_default_context|runpy\..*|tomllib\.load|json\.load"
)
WALKS = re.compile(r"(.*\.)?(scandir|listdir|glob|rglob|iterdir|fwalk)|os\.walk|.*path\.walk")

OPENING = {
    ("ingest/agnes/transport.py", "self._opener().open"): "a connection",
    ("ingest/agnes/transport.py", "context.load_verify_locations"): "of what the one place has read",
    ("ingest/agnes/transport.py", "super().connect"): "a connection",
    ("ingest/formats/database.py", "sqlite3.connect"): "a file that regular.check has looked at",
    ("ingest/formats/gemini/decoder.py", "regular.read_text"): "the one place",
    ("ingest/formats/mux/home.py", "regular.read_bytes"): "the one place",
    ("ingest/formats/opencode/files.py", "regular.read_bytes"): "the one place",
    ("ingest/limit_log.py", "os.open"): "for appending, without blocking",
    ("ingest/listed_rates.py", "FILE.read_text"): "a file of this package",
    ("ingest/session_states.py", "Path(f'/proc/{pid}/stat').read_text"): "the system's own",
    ("queries/postgres.py", "psycopg.connect"): "a server, by the network",
    ("ingest/early.py", "os.open"): "/dev/null",
    ("ingest/early.py", "open"): "a pipe made just before",
    ("ingest/early.py", "Path(os.fsdecode(path)).read_bytes"): "in a folder made for it",
    ("ingest/usage_reading.py", "path.write_text"): "in a folder made for it",
    ("ingest/usage_reading.py", "task.answer_of(number).read_bytes"): "in a folder made for it",
    ("ingest/usage_share.py", "self.answer_of(number).write_bytes"): "in a folder made for it",
    ("ingest/row_files.py", "first.open"): "in a folder made for it",
    ("ingest/row_files.py", "other.open"): "in a folder made for it",
    ("ingest/row_files.py", "path.open"): "in a folder made for it",
    ("ingest/row_files.py", "written[table].open"): "in a folder made for it",
    ("ingest/row_files.py", "Path(apart.path).open"): "in a folder made for it",
    ("ingest/row_files.py", "made[table].open"): "in a folder made for it",
    ("ingest/work.py", "open"): "what was opened for us: a stream",
    ("ingest/work.py", "os.fdopen"): "a pipe made just before",
    ("ingest/work.py", "os.open"): "/dev/null",
    ("queries/export.py", "path.open"): "a file made just before",
    ("queries/kept.py", "os.fdopen"): "what it has opened",
    ("queries/kept.py", "os.open"): "without blocking or following a link, and looked at again",
    ("queries/regular.py", "os.fdopen"): "the one place",
    ("queries/regular.py", "os.open"): "the one place",
    ("queries/replaced.py", "aside.write_text"): "a file made just before",
    ("queries/store/database.py", "connect"): "the one place",
    ("queries/store/database.py", "instance.open"): "the one place, once refuse_odd has looked",
    ("queries/store/starting.py", "duckdb.connect"): "for the one place, once refuse_odd has looked",
    ("queries/store/parquet.py", "duckdb.connect"): "without a file",
    ("queries/store/parsing.py", "duckdb.connect"): "without a file",
    ("queries/store/files.py", "self.path.open"): "a copy made just before",
    ("queries/store/files.py", "shutil.copyfile"): "a store that refuse_odd has looked at",
    ("queries/store/keepsakes.py", "path.open"): "a file made just before",
    ("queries/store/salvage.py", "shutil.copyfile"): "a store that refuse_odd has looked at",
    ("queries/store/locking.py", "Path('/proc/locks').read_text"): "the system's own list",
    ("queries/store/file.py", "connect"): "the one place's",
    ("queries/store/gate.py", "connect"): "the one place's",
    ("queries/store/locking.py", "os.open"): "without blocking or following a link, and looked at again",
    ("tui/app.py", "self.query_one(FilterInput).open"): "a line on the screen",
    ("tui/line_keeper.py", "self._path.write_bytes"): "a file that it has just locked",
    ("tui/line_soon.py", "os.open"): "without blocking or following a link, and only if another process locked it",
    ("tui/soon.py", "os.fdopen"): "a pipe made just before",
    ("tui/terminal.py", "open"): "what was opened for us: a stream",
    ("tui/terminal.py", "os.open"): "/dev/null",
    ("tui/commands/statusline.py", "os.open"): "/dev/null",
}
WALKING = {
    ("ingest/agnes/values.py", "os.scandir"): "one folder",
    ("ingest/formats/agnes/workspace.py", "snapshots.glob"): "one folder",
    ("ingest/formats/opencode/files.py", "(self._storage / 'message' / session).glob"): "one folder",
    ("ingest/formats/opencode/files.py", "(self._storage / 'session').glob"): "folders below one",
    ("ingest/formats/opencode/source.py", "os.scandir"): "one folder",
    ("ingest/prices.py", "beside.glob"): "one folder, of Python's",
    ("ingest/session_states.py", "os.scandir"): "one folder",
    ("ingest/walk.py", "os.scandir"): "the one place",
    ("queries/kept.py", "os.listdir"): "one folder, of our own",
    ("queries/kept.py", "os.scandir"): "folders that a run has listed, one by one",
    ("queries/store/scratch.py", "folder.glob"): "one folder, of our own",
}


@functools.cache
def calls() -> set[tuple[str, str]]:
    """(module, what it calls) of the whole project but its demo, which writes and reads in a folder of its own."""
    return {
        (str(path.relative_to(ROOT)), ast.unparse(node.func))
        for room in ("queries", "ingest", "tui")
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
    }


@pytest.mark.parametrize(("kind", "known"), [(OPENS, OPENING), (WALKS, WALKING)], ids=["opens", "walks"])
def test_nobody_opens_a_file_or_walks_a_folder_in_a_place_of_its_own(
    kind: re.Pattern[str], known: dict[tuple[str, str], str]
) -> None:
    assert {call for call in calls() if kind.fullmatch(call[1])} == set(known)
