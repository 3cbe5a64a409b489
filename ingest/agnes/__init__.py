"""Agnes: the analyst's workspaces on this machine, and their server. Readers only; nothing is stored."""
