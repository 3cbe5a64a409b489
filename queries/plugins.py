"""Where a skill, a sub-agent or a slash command comes from, as far as this machine's lists of plugins tell."""

from __future__ import annotations

CURATED, FLEA, MARKETPLACE, OWN, BUILTIN, UNKNOWN = "curated", "flea", "marketplace", "own", "builtin", "unknown"
"""An Agnes server's marketplace, what its people put into its store, another marketplace, one's own, Claude Code's own.

Unknown: of a plugin that no list names, and of those of other people and machines.
"""

_OWN_FOLDERS = ("project", "user")
"""What stands before the colon of a slash command that lies in a folder of one's own."""

SOURCES = f"""
    SELECT plugin, arg_min(source, (NOT is_installed, list_position(['{CURATED}', '{FLEA}', '{MARKETPLACE}', '{OWN}'],
        source))) AS plugin_source FROM plugins GROUP BY plugin
"""
"""SQL: where each plugin is from; of two with one name, the one that is installed."""


def source_of(plugin: str, plugin_source: str, elsewhere: str) -> str:
    """SQL of where a thing of a plugin is from: the plugin's name, its source by `SOURCES`, whether it was elsewhere.

    Of other people and machines the lists of this one say nothing; only the name of the flea market tells.
    """
    own = ", ".join(f"'{name}'" for name in _OWN_FOLDERS)
    return f"""CASE WHEN {plugin} = '{FLEA}' THEN '{FLEA}' WHEN {plugin} IN ({own}) THEN '{OWN}'
        WHEN {elsewhere} THEN '{UNKNOWN}' ELSE coalesce({plugin_source}, '{UNKNOWN}') END"""
