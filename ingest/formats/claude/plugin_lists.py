"""Which files of Claude Code say where its plugins are from."""

KNOWN, INSTALLED = "known_marketplaces.json", "installed_plugins.json"
"""In `<root>/plugins`: the marketplaces that were added, and the plugins that are installed from them."""

PLUGIN_LISTS = (KNOWN, INSTALLED)
