"""Sessions at random, in which all that a filter can be about changes on the way."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from tests.transcripts import HAIKU, OPUS, SONNET, Transcript

UNPRICED = "acme/coder-large-2"
MODELS = (OPUS, SONNET, HAIKU, UNPRICED)
PROJECTS = ("/w/warehouse", "/w/web", "/home/dana/shop")
BRANCHES = ("main", "fix/churn", "")
VERSIONS = ("2.1.114", "2.1.41")
FIRST_DAY = dt.date(2026, 3, 9)
DAYS = 4

_SQL = ("SELECT count(*) FROM orders", "SELECT o.id FROM orders o JOIN customers USING (id)", "COPY t TO 'x.csv'")


class _Author:
    """Writes one session and the sub-agents it starts."""

    def __init__(self, rng: random.Random, name: str) -> None:
        self.rng = rng
        self.name = name
        begun = dt.datetime.combine(FIRST_DAY, dt.time()) + dt.timedelta(hours=24 * rng.random() * (DAYS - 1))
        if rng.random() < 0.4:
            begun = begun.replace(hour=23, minute=rng.randint(50, 59), second=rng.randint(0, 59))
        self.told = Transcript(name, begun, cwd=rng.choice(PROJECTS), model=rng.choice(MODELS))
        self.agents: list[Transcript] = []
        self._calls = 0

    def write(self) -> list[Transcript]:
        if self.rng.random() < 0.5:
            self.told.title(f"{self.rng.choice(['Fix', 'Add'])} {self.name}")
        for _ in range(self.rng.randint(1, 9)):
            self._step(self.told, depth=0)
        if self.rng.random() < 0.1:
            for row in self.told.rows:
                row.pop("timestamp", None)
        return [self.told, *self.agents]

    def _step(self, told: Transcript, depth: int) -> None:
        rng = self.rng
        if depth == 0 and rng.random() < 0.45:
            told.wait(rng.choice([1, 60, 3600, 40_000]))
            if rng.random() < 0.7:
                told.prompt(f"prompt {rng.randint(1, 99)}")
            else:
                told.command(rng.choice(["model", "review", "docs:write", "mine"]))
        usual: dict[str, Any] = told._usual
        if rng.random() < 0.3:
            usual["gitBranch"] = rng.choice(BRANCHES)
        if rng.random() < 0.2:
            usual["version"] = rng.choice(VERSIONS)
        if rng.random() < 0.2:
            told.model = rng.choice(MODELS)
        self._response(told, depth)
        if depth == 0 and rng.random() < 0.2:
            told.event("turn_duration", durationMs=rng.randint(1, 90_000))

    def _response(self, told: Transcript, depth: int) -> None:
        rng = self.rng
        told.wait(rng.choice([0, 2, 30, 500]))
        calls = [self._call() for _ in range(rng.choice([0, 0, 1, 1, 2]))]
        amounts = (rng.randint(0, 50), rng.choice([3, 40, 700]), rng.randint(0, 9000), rng.randint(0, 900))
        stop = None if rng.random() < 0.3 else "end_turn"
        if calls and rng.random() < 0.3:
            # The blocks of one response, each on a line of its own, the last of them a moment later, maybe tomorrow.
            if rng.random() < 0.5:
                told.now = max(told.now, told.now.replace(hour=23, minute=59, second=rng.randint(0, 59)))
            told.response(tokens=amounts, stop=stop)
            message = told.rows[-1]["message"]
            told.wait(rng.choice([1, 90])).response(*calls, tokens=amounts, stop=stop)
            told.rows[-1]["message"]["id"] = message["id"]
        else:
            told.response(*calls, tokens=amounts, stop=stop)
        for key, name, given in calls:
            self._answer(told, key, name, given, depth)

    def _call(self) -> tuple[str, str, dict[str, Any]]:
        rng, self._calls = self.rng, self._calls + 1
        sql = rng.choice(_SQL)
        name, given = rng.choice(
            [
                ("Read", {"file_path": f"/w/{rng.choice('abc')}.sql"}),
                ("Bash", {"command": f'duckdb -c "{sql}"'}),
                ("Bash", {"command": f'agnes query --remote --sql "{sql}"'}),
                ("Bash", {"command": "agnes pull"}),
                ("Bash", {"command": "ls"}),
                ("mcp__agnes__query", {"sql": sql}),
                ("Skill", {"skill": rng.choice(["docs:write", "tidy"])}),
                ("Task", {"subagent_type": rng.choice(["Explore", "docs:check"]), "description": "look"}),
            ]
        )
        return f"{self.name}-c{self._calls}", name, given

    def _answer(self, told: Transcript, key: str, name: str, given: dict[str, Any], depth: int) -> None:
        rng = self.rng
        agent = None
        if name == "Task" and depth < 2 and rng.random() < 0.8:
            agent = Transcript(self.name, told.now, agent=f"{self.name}-a{len(self.agents)}", model=rng.choice(MODELS))
            agent._usual |= told._usual
            self.agents.append(agent)
            agent.prompt("look")
            for _ in range(rng.randint(1, 3)):
                self._step(agent, depth + 1)
            if rng.random() < 0.5:
                agent.note(given["subagent_type"] if rng.random() < 0.7 else "reviewer", "look", key)
        if rng.random() < 0.15:
            return
        told.wait(rng.choice([0, 3, 200]))
        fields: dict[str, Any] = {}
        if agent is not None and (agent.about is None or rng.random() < 0.5):
            status = rng.choice(["completed", "async_launched"])
            fields["toolUseResult"] = {"agentId": agent.agent, "status": status}
        failed = rng.random() < 0.25
        if failed and rng.random() < 0.4:
            fields["toolDenialKind"] = "user-rejected"
        told.result(key, "12 rows", error=failed, **fields)


def random_sessions(seed: int) -> list[Transcript]:
    """A handful of sessions; one may be a fork that copies another's rows and goes on."""
    rng = random.Random(seed)
    found = [told for number in range(rng.randint(3, 7)) for told in _Author(rng, f"s{number}").write()]
    if rng.random() < 0.5:
        first = found[0]
        fork = Transcript("fork", first.now, cwd="/w/web", model=rng.choice(MODELS))
        fork.rows = [
            row | {"sessionId": "fork", "forkedFrom": {"sessionId": first.session}}
            for row in first.rows
            if row["type"] in ("user", "assistant")
        ]
        fork.wait(60).prompt("and now the other way").wait(5).response()
        found.append(fork)
    return found
