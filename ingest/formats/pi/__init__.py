"""Pi (`pi`), and the agents that write its format: OpenClaw, OMP."""
