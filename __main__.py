"""`python -m agnes_stats` is the command `agnes-stats`."""

from agnes_stats.tui.start import main

if __name__ == "__main__":
    raise SystemExit(main())
