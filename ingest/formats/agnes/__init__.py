"""What the Agnes command leaves on a laptop: workspaces and its account."""
