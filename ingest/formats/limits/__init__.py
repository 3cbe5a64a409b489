"""What Claude Code's status line was told of the plan's limits."""
