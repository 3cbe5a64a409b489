"""What the people of a server's folder, or of a team, did: for whoever runs it."""

from __future__ import annotations

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from ...queries.operator import Operated, PeopleSkill, PeopleTable, PersonActivity
from .. import format as words
from ..kit.captioned_table import Listing
from ..kit.spark import sparkline
from ..kit.table import Column, Record
from ..user_names import user_name
from .text import SyncLook

PEOPLE = (
    Column("who", "Who", by="username"),
    Column("active", "Active", 7, "right", by="active_seconds"),
    Column("days", "Days", 4, "right", min_screen=60, by="active_days"),
    Column("sessions", "Sessions", 8, "right", min_screen=76),
    Column("prompts", "Prompts", 7, "right"),
    Column("skills", "Skills", 6, "right", min_screen=84),
    Column("queries", "Queries", 7, "right", min_screen=92, by="queries"),
    Column("failed", "Failed", 6, "right", min_screen=92, by="failed_queries"),
    Column("tokens", "Tokens", 7, "right", min_screen=100, by="tokens_total"),
    Column("late", "Late", 4, "right", min_screen=108, by="late_sessions"),
    Column("last", "Last", 15, min_screen=68, by="last_active_at"),
)
SKILLS = (
    Column("name", "Skill"),
    Column("source", "From", 11, min_screen=44),
    Column("times", "Times", 6, "right", by="invocations"),
    Column("failed", "Failed", 6, "right", by="errors"),
    Column("people", "People", 6, "right"),
)
TABLES = (
    Column("name", "Table"),
    Column("times", "Times", 6, "right", by="accesses"),
    Column("failed", "Failed", 6, "right"),
    Column("people", "People", 6, "right"),
    Column("last", "Last", 15, min_screen=60, by="last_at"),
)


class PeopleView(Vertical):
    """People on top; below them the skills and the tables that they used most."""

    DEFAULT_CSS = """
    PeopleView > #people-list { height: 2fr; }
    PeopleView > Horizontal { height: 1fr; }
    """

    def compose(self) -> ComposeResult:
        """Three lists."""
        yield Listing(PEOPLE, id="people-list")
        with Horizontal():
            yield Listing(SKILLS, id="people-skills")
            yield Listing(TABLES, id="people-tables")

    def show(self, told: Operated, look: SyncLook, *, nothing: str) -> None:
        """Put it on the screen; `nothing` is why there is nobody."""
        self.query_one("#people-list", Listing).show(
            [_person(row, look) for row in told.people], caption=_caption(told), nothing=nothing
        )
        skills, tables = self.query_one("#people-skills", Listing), self.query_one("#people-tables", Listing)
        skills.show([_skill(row, look) for row in told.skills], caption="skills", nothing="No skills were used.")
        tables.show([_table(row, look) for row in told.tables], caption="tables", nothing="No tables were used.")


def nobody(told: Operated, *, all_days: bool) -> str:
    """Why nobody is there: in which days nobody did anything. Of all days the last ones are looked at."""
    span = f"from {words.day(told.since, told.until)} to {words.day(told.until, told.until)}"
    which = f"the last {len(told.calendar())} days, {span}" if all_days else span
    return f"Nobody did anything {'in ' if all_days else ''}{which}. Press r for other days."


def _caption(told: Operated) -> str:
    days = {day.day: day.prompts for day in told.days}
    prompts = [days.get(day, 0) for day in told.calendar()]
    hours = sum(person.active_seconds for person in told.people)
    return " · ".join(
        [
            "1 person" if len(told.people) == 1 else f"{words.count(len(told.people))} people",
            f"{words.day(told.since, told.until)} to {words.day(told.until, told.until)}",
            f"prompts {sparkline(prompts, 30)}",
            f"{words.duration(hours)} active",
            "Enter shows one, Escape goes back",
        ]
    )


def _person(row: PersonActivity, look: SyncLook) -> Record:
    cells: dict[str, Text | str | int | None] = {
        "who": user_name(row.username),
        "active": words.duration(row.active_seconds),
        "days": words.count(row.active_days),
        "sessions": words.count(row.sessions),
        "prompts": words.count(row.prompts),
        "skills": words.count(row.skills),
        "queries": words.count(row.queries),
        "failed": look.marked("error", words.count(row.failed_queries)) if row.failed_queries else words.NONE,
        "tokens": words.count(row.tokens_total),
        "late": words.count(row.late_sessions) if row.late_sessions else words.NONE,
        "last": look.when(row.last_active_at),
    }
    return Record(row.username or "", cells, row)


def _skill(row: PeopleSkill, look: SyncLook) -> Record:
    cells: dict[str, Text | str | int | None] = {
        "name": row.name,
        "source": row.source,
        "times": words.count(row.invocations),
        "failed": look.marked("error", words.count(row.errors)) if row.errors else words.NONE,
        "people": words.count(row.people),
    }
    return Record(row.name, cells, row)


def _table(row: PeopleTable, look: SyncLook) -> Record:
    cells: dict[str, Text | str | int | None] = {
        "name": row.name,
        "times": words.count(row.accesses),
        "failed": look.marked("error", words.count(row.failed)) if row.failed else words.NONE,
        "people": words.count(row.people),
        "last": look.when(row.last_at),
    }
    return Record(row.name, cells, row)
