"""The Sessions tab: its views. A new one is a file beside the others with a `Pane` in it, and a line here."""

from __future__ import annotations

from ..views import View, ViewsTab


class SessionsTab(ViewsTab):
    """What is running, what did it take, and who did what?"""

    VIEWS = (
        View("sessions", "List", "Sessions", "list", "SessionsPane"),
        View("activity", "Activity", "Activity", "activity", "ActivityPane"),
        View("delegations", "Delegations", "Delegations", "delegations", "DelegationsPane"),
        View("agents", "Agents", "Agents", "agents", "AgentsPane"),
        View("tasks", "Tasks", "Tasks", "tasks", "TasksPane"),
        View("metrics", "Metrics", "Metrics", "metrics", "MetricsPane"),
    )
