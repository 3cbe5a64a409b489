"""What the command palette offers: all that can be done where one is, each by its name, and what can be filtered by."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape
from textual.screen import Screen

from ..queries.store import StoreError
from . import format as words
from . import learnt
from .ranges import RANGES
from .tabs import TABS
from .tokens.view import DIMENSIONS, dimensions
from .views import HasViews

if TYPE_CHECKING:
    from .app import AgnesStats
    from .tabs import Tab

MOST_FOUND = 12
"""Projects, models, sessions and tables, of each kind, that are offered for some words."""
_NEEDLESS = ("show_tab", "command_palette")
"""Actions that are offered in other words, or are this."""
_LEAST_TYPED = 2
"""Characters from which the store is asked."""


@dataclass(frozen=True, slots=True)
class Verb:
    """Something that can be done: its name, what it does in a sentence, the key that does it, and what does it."""

    name: str
    about: str
    key: str
    run: Callable[[], Any]

    @property
    def help(self) -> str:
        """What stands below the name."""
        return f"{self.about}  ({self.key})" if self.key else self.about


def verbs(app: AgnesStats, screen: Screen[Any]) -> Iterator[Verb]:
    """All that can be done on a screen, the keys that work there first."""
    from .screens.help import keys_that_work

    told = set()
    for node, binding, key in sorted(keys_that_work(screen), key=lambda found: found[0] is app):
        about = binding.tooltip or binding.description
        name = binding.description or about
        if name not in told and not binding.action.startswith(_NEEDLESS):
            told.add(name)
            yield Verb(name, about, key, functools.partial(app.run_action, binding.action, node))
    if screen is not app.screen_stack[0]:
        return
    for tab in TABS:
        yield from _places(app, tab)
    for choice in RANGES:
        yield Verb(
            f"Range: {choice.label}", "Show these days on every tab", "r", functools.partial(app.show_days, choice)
        )
    for name in dimensions():
        yield Verb(
            f"Break down by {DIMENSIONS[name]}", "On the Tokens tab", "b", functools.partial(app.break_down, name)
        )
    for theme in sorted(app.available_themes):
        shade = "dark" if app.available_themes[theme].dark else "light"
        yield Verb(f"Theme: {theme}", f"Other colours, {shade}", "", functools.partial(setattr, app, "theme", theme))


def _places(app: AgnesStats, tab: Tab) -> Iterator[Verb]:
    made = app.made_tab(tab.name)
    key = str(TABS.index(tab) + 1)
    yield Verb(f"Go: {tab.title}", "Show the tab", key, functools.partial(app.action_show_tab, tab.name))
    for name, title in made.views if isinstance(made, HasViews) else ():
        yield Verb(
            f"Go: {tab.title}, {title}", "Show this view", f"{key} [ ]", functools.partial(app.go, tab.name, name)
        )


class Verbs(Provider):
    """Finds what can be done by any words of its name or of what it does; then data by their names."""

    async def discover(self) -> Hits:
        """All that can be done here."""
        for verb in verbs(self._dashboard, self.screen):
            yield DiscoveryHit(verb.name, verb.run, help=escape(verb.help))

    async def search(self, query: str) -> Hits:
        """What has all words that were typed."""
        app = self._dashboard
        wanted = query.lower().split()
        if not wanted:
            return
        for verb in verbs(app, self.screen):
            if score := fits(wanted, verb.name, verb.about):
                yield Hit(score, marked(verb.name, wanted), verb.run, text=verb.name, help=escape(verb.help))
        if len(query.strip()) >= _LEAST_TYPED and self.screen is app.screen_stack[0]:
            for verb in await asyncio.to_thread(_found, app, query.strip()):
                yield Hit(0.1, marked(verb.name, wanted), verb.run, text=verb.name, help=verb.help)

    @property
    def _dashboard(self) -> AgnesStats:
        app: Any = self.app
        return app  # type: ignore[no-any-return]


def fits(wanted: Iterable[str], name: str, about: str = "") -> float:
    """How well a name with a sentence fits some words, all of which have to be in them: 0 to 1, 0 if not at all."""
    first, all_of_it = name.lower(), f"{name} {about}".lower()
    if not all(word in all_of_it for word in wanted):
        return 0.0
    starts = sum(any(part.startswith(word) for part in first.split()) for word in wanted)
    inside = sum(word in first for word in wanted)
    count = len(list(wanted))
    return 0.3 + 0.4 * starts / count + 0.2 * inside / count + 0.1 / (1 + len(first))


def marked(name: str, wanted: Iterable[str]) -> Content:
    """A name, which is no markup, with the words in it that were typed."""
    content, lower = Content(name), name.lower()
    for word in wanted:
        at = lower.find(word)
        if at >= 0:
            content = content.stylize("bold underline", at, at + len(word))
    return content


def _found(app: AgnesStats, text: str) -> list[Verb]:
    """Projects, models, sessions and tables with a text in their names. Runs in a thread."""
    from ..queries import access, sessions

    try:
        with app.store.read() as connection:
            learnt.learn(connection)
            projects = [choice.value for choice in sessions.projects(connection, app.chosen)]
            models = [choice.value for choice in sessions.models(connection, app.chosen)]
            titled = sessions.titled(connection, text, limit=MOST_FOUND)
            tables = access.tables_named(connection, text, limit=MOST_FOUND)
    except StoreError:
        # The pane says it, with the reason.
        return []
    lower = text.lower()
    found = []
    for field, values, told in (("project", projects, words.project), ("model", models, words.model)):
        names = [(value, words.clean(told(value), 60)) for value in values]
        for value, name in [pair for pair in names if lower in pair[1].lower() or lower in pair[0].lower()][
            :MOST_FOUND
        ]:
            run = functools.partial(app.choose, **{field: value})
            found.append(Verb(f"{field.capitalize()}: {name}", f"Show this {field} only", field[0], run))
    for session_id, title in titled:
        opened = functools.partial(app.open_session, session_id)
        found.append(Verb(f"Session: {words.clean(title, 60)}", "Open the session", "", opened))
    for table in tables:
        touched = functools.partial(app.show_accesses_of, table)
        found.append(Verb(f"Table: {words.clean(table, 60)}", "Show what read or wrote this table", "", touched))
    return found
