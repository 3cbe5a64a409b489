"""From the settings to the parts: the filter, the sources, the engine, the clock. Imports nothing slow."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..queries.filters import Filter
from ..queries.paths import exists, expanded, home_folder
from ..queries.store import Store, StoreError
from ..queries.store.files import LAKE_SUFFIX, TEAM_MARK
from . import user_names
from .ranges import range_named, ranged
from .settings import BadSetting, Settings, parts_of

if TYPE_CHECKING:
    from ..ingest.engine import Engine
    from ..ingest.server_source import ServerAccess
    from ..queries.budget import Period


def only_read(settings: Settings) -> Settings:
    """The settings; of a team's store, into which no file of this machine is read, as if they said `no-ingest`."""
    is_drained = settings.store.suffix == LAKE_SUFFIX or exists(Path(f"{settings.store}{TEAM_MARK}"))
    return replace(settings, no_ingest=True) if is_drained else settings


def need_store(settings: Settings) -> None:
    """Raise StoreMissing where the settings forbid to read, and so to make a store, and there is none."""
    if settings.no_ingest:
        Store(settings.store).demand()


def utc_now() -> dt.datetime:
    """Now, in UTC without a zone, as the store keeps times."""
    return dt.datetime.now(dt.UTC).replace(tzinfo=None)


def filter_of(settings: Settings) -> Filter:
    """The filter that the settings ask for."""
    made = Filter(
        zone=settings.tz,
        since=settings.since,
        until=settings.until,
        project=settings.project,
        model=settings.model,
        user=None if settings.user is None else user_names.asked_for(settings.user),
        branch=settings.branch,
        agent=settings.agent,
        machine=settings.machine,
        version=settings.agent_version,
    )
    days = None if settings.range is None else range_named(settings.range)
    return made if days is None else ranged(made.but(since=None, until=None), Filter(), days, utc_now())


def budgets_of(settings: Settings) -> dict[Period, float]:
    """The budgets in USD, by period; none where money is not told."""
    if settings.no_cost:
        return {}
    amounts: dict[Period, float | None] = {
        "session": settings.budget_session,
        "day": settings.budget_day,
        "week": settings.budget_week,
        "month": settings.budget,
    }
    return {period: usd for period, usd in amounts.items() if usd is not None}


def engine_of(settings: Settings, store: Store) -> Engine:
    """The ingester for the settings' sources."""
    from ..ingest.engine import Engine
    from ..ingest.prices import PriceOverrides

    overrides = (
        PriceOverrides() if not (settings.prices or settings.aliases or settings.windows) else _overrides(settings)
    )
    return Engine(store, roots_of(settings, store), zones=_zones(settings), overrides=overrides)


def _zones(settings: Settings) -> list[str]:
    return sorted({"UTC", settings.tz})


def _overrides(settings: Settings) -> Any:
    from .price_config import overrides_from

    return overrides_from(settings)


def roots_of(settings: Settings, store: Store | None = None) -> list[Any]:
    """The named sources, or else all that are found on this machine; the store knows where sessions worked.

    What the status line leaves beside a store belongs to that, whatever the sources.
    """
    from ..ingest.formats import Places, Root, find_roots
    from ..ingest.limit_log import log_beside

    own = [Root("limits", store.path.parent)] if store is not None and exists(log_beside(store.path)) else []
    if settings.source:
        parts = [parts_of(source) for source in settings.source]
        return [*(Root(kind, expanded(path).absolute(), machine) for kind, machine, path in parts), *own]
    worked_in: tuple[str, ...] = ()
    if store is not None and exists(store.path):
        from ..queries.sessions import projects
        from ..queries.teams import is_teams

        # What is wrong with the store is told by whoever needs it, not by who looks for sources.
        with contextlib.suppress(StoreError), store.read() as connection:
            if is_teams(connection):
                # Its mark is lost, but nothing of this machine belongs into it all the same.
                return []
            worked_in = tuple(choice.value for choice in projects(connection))
    return [*find_roots(Places(dict(os.environ), home_folder(), Path.cwd(), worked_in)), *own]


def server_access(settings: Settings) -> ServerAccess:
    """The Agnes server of the config file, else of this machine's `agnes` command. Raises BadSetting without any."""
    from ..ingest.server_source import AgnesServerError, server_for

    try:
        access = server_for(os.environ, home_folder(), **(settings.agnes or {}))
    except AgnesServerError as error:
        raise BadSetting(f"--agnes-server: {error}") from None
    if access is None:
        raise BadSetting("--agnes-server: no token found; run `agnes auth login`, or set AGNES_TOKEN")
    return access


def looked_in(settings: Settings) -> list[str]:
    """The folders in which sessions are looked for, as a person would name them."""
    if settings.source:
        return list(settings.source)
    from ..ingest import formats

    return [place for place, _ in formats.looked_in(os.environ)]


def misnamed(settings: Settings) -> list[str]:
    """What is wrong with the variables that name folders of transcripts, a line each; nothing where none is read."""
    if settings.source or settings.no_ingest:
        return []
    from ..ingest import formats

    wrong = formats.not_there(os.environ)
    return [f"{variable} names {place}, and there is no such folder" for variable, place in wrong]


def workspace_places(worked_in: int) -> list[str]:
    """Where Agnes workspaces are looked for on this machine, in words; sessions worked in so many folders."""
    from ..ingest.formats import Places
    from ..ingest.formats.agnes.workspace import WorkspaceSource

    return WorkspaceSource.looked_for(Places(dict(os.environ), home_folder(), Path.cwd()), worked_in)
