"""GitHub Copilot CLI (`copilot`): sessions under `~/.copilot`."""
