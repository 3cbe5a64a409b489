"""Made-up sessions for `agnes-stats --demo`: files as agents leave them, written by nobody's work; knows no room."""
