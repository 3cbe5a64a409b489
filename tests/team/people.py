"""What people on several machines did, some of it alike."""

from tests.transcripts import Transcript

SQL = ("c-%s", "Bash", {"command": "duckdb shop.duckdb -c 'select 1 from orders'"})


def talk(session: str, hour: int) -> Transcript:
    told = Transcript(session, f"2026-03-10T{hour:02}:00:00").title(f"about {session}").prompt("count").wait(5)
    told.row("pr-link", prUrl="https://git.example.com/shop/pull/7", prNumber=7)
    call = (SQL[0] % session, *SQL[1:])
    return told.response(call).wait(5).result(call[0], "no", error=True).wait(900).response()


def fork_of(told: Transcript, session: str) -> Transcript:
    """The same rows in another session, as a fork writes them that does not say so."""
    fork = Transcript(session, told.now)
    fork.rows = [row | {"sessionId": session} for row in told.rows]
    return fork.wait(60).prompt("and then").wait(5).response()


def cut(told: Transcript, rows: int) -> Transcript:
    """A transcript that is not yet copied to its end."""
    told.rows = told.rows[:rows]
    return told
