"""Several stores as one: another machine's taken over into ours, and what a team's machines send each other."""
