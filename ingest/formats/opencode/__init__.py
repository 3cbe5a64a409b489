"""OpenCode (`opencode`): its database, and the files it kept before, under `~/.local/share/opencode`."""
