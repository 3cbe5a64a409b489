"""A folder of transcripts, and the store that follows it, for tests of what may happen to both."""

import json
from pathlib import Path

from agnes_stats.ingest.engine import Engine
from agnes_stats.ingest.formats import Root
from agnes_stats.ingest.progress import IngestSummary

from tests.storing import kept_open, store_in
from tests.transcripts import Transcript, write

DAY = "2026-03-10T09:00:00"
FOLDER = "projects/-home-dana-work"


def talk(session: str = "s1", responses: int = 3) -> Transcript:
    transcript = Transcript(session, DAY).prompt("count the orders")
    for _ in range(responses):
        transcript.wait(10).response()
    return transcript


class World:
    """A folder of transcripts, and the store that follows it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "claude"
        write(self.root, [talk()])
        (folder / "data").mkdir()
        self.store = store_in(folder / "data")
        self.engine = Engine(self.store, [Root("claude", self.root)], workers=1)
        with kept_open(self.store):
            self.engine.catch_up()

    @property
    def file(self) -> Path:
        return self.root / FOLDER / "s1.jsonl"

    def catch_up(self) -> IngestSummary:
        return self.engine.catch_up()

    def count(self, what: str = "responses") -> int:
        with self.store.read() as connection:
            row = connection.execute(f"SELECT count(*) FROM {what}").fetchone()
        assert row is not None
        return int(row[0])

    def gone(self) -> list[str]:
        with self.store.read() as connection:
            rows = connection.execute("SELECT path FROM files WHERE gone_at IS NOT NULL ORDER BY path").fetchall()
        return [Path(path).name for (path,) in rows]

    def errors(self) -> list[str]:
        with self.store.read() as connection:
            return [error for (error,) in connection.execute("SELECT error FROM files WHERE error <> ''").fetchall()]


def lines(transcript: Transcript) -> str:
    return "".join(json.dumps(row) + "\n" for row in transcript.rows)


def shorter(file: Path) -> None:
    file.write_text("".join(file.read_text().splitlines(keepends=True)[:2]))
