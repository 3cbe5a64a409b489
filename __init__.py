"""agnes-stats: a live terminal dashboard for coding-agent sessions."""

__version__ = "0.1.0"
