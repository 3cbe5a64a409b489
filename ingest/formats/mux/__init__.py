"""Mux, now Xum: workspaces under `~/.xum`, `~/.mux` or `~/.cmux`."""
