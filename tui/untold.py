"""Why something is missing: what a coding agent does not tell, in a sentence, where it would stand."""

from __future__ import annotations

from ..ingest.formats import SOURCES, Matter


def why(agent: str | None, matter: Matter) -> str | None:
    """Why an agent's sessions lack something; None if the agent tells it, or is not known."""
    found = (source.untold.get(matter) for source in SOURCES.values() if source.agent == agent and agent is not None)
    return next(filter(None, found), None)


def sentences(kind: str) -> str:
    """All that the agent of a source does not tell, for the list of sources; "" if there is nothing to say."""
    return "; ".join(SOURCES[kind].untold.values()) if kind in SOURCES else ""
