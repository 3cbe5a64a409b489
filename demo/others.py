"""Sessions of two more coding agents for `--demo`, as Codex 0.140 and Gemini CLI write them, from the same script."""

from __future__ import annotations

import json
import random
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

from .play import filled, words_for
from .rows import Clock, DemoLine, Event, Pause, Row, timestamp
from .script import Project, ScriptStep, ScriptTurn

_WINDOW = 272_000
"""Tokens of context that a thread of Codex has."""
_CHARS_PER_TOKEN = 4


@dataclass(slots=True)
class Played:
    """One session of another agent that is being written."""

    path: Path
    project: Project
    cwd: str
    turns: Iterable[ScriptTurn]
    random: random.Random
    clock: Clock
    context: int = 0
    """Tokens that the next response finds in the cache."""

    @abstractmethod
    def play(self) -> Iterator[Event]:
        """All that happens in it; endless if its turns are."""

    def line(self, row: Row) -> DemoLine:
        """A row of its file."""
        return DemoLine(self.path, row)

    def uuid(self) -> str:
        """A new id that begins with the time, of version 7."""
        moment = int(self.clock.now.timestamp() * 1000)
        return str(UUID(int=(moment << 80 | self.random.getrandbits(80)) & ~(0xF000C << 60) | 0x70008 << 60))

    def used(self, output: int) -> tuple[int, int]:
        """Input and, of it, what came from the cache, of a response with some output."""
        cached, self.context = self.context, self.context + self.random.randint(800, 3_000) + output
        return self.context - output, cached

    def commands(self, turn: ScriptTurn) -> list[tuple[ScriptStep, str]]:
        """The steps of a turn that a shell can do, each with its command."""
        found = []
        for step in turn.steps:
            if step.tool == "Bash":
                found.append((step, str(step.given["command"])))
            elif step.tool == "Read":
                found.append((step, f"cat {step.given['file_path']}"))
            elif step.tool == "Grep":
                found.append((step, f"rg {step.given['pattern']} {step.given['path']}"))
        return found


@dataclass(slots=True)
class CodexThread(Played):
    """A rollout of Codex."""

    model: str = "gpt-5.1-codex"
    effort: str = "medium"
    _totals: dict[str, int] = field(default_factory=dict)

    def play(self) -> Iterator[Event]:
        """As Codex writes it."""
        thread = self.path.stem[-36:]
        meta = {
            "id": thread,
            "timestamp": timestamp(self.clock.now),
            "cwd": self.cwd,
            "originator": "codex_cli_rs",
            "cli_version": "0.140.0",
            "source": "cli",
            "model_provider": "openai",
            "git": {"branch": self.random.choice(self.project.branches)},
        }
        yield self._row("session_meta", meta)
        self.context = self.random.randint(9_000, 14_000)
        for number, turn in enumerate(self.turns):
            if number:
                yield Pause(self.random.uniform(30, 240))
            yield from self._turn(turn)

    def _turn(self, turn: ScriptTurn) -> Iterator[Event]:
        words, began = words_for(self.random, self.project), self.clock.now
        turn_id = self.uuid()
        yield self._event("task_started", turn_id=turn_id, model_context_window=_WINDOW)
        yield self._row(
            "turn_context", {"turn_id": turn_id, "cwd": self.cwd, "model": self.model, "effort": self.effort}
        )
        yield self._event("user_message", message=filled(turn.prompt, words))
        yield Pause(self.random.uniform(2, 9))
        for step, command in self.commands(turn):
            call = f"call_{self.random.getrandbits(64):016x}"
            given = '{"cmd": ' + _quoted(filled(command, words)) + "}"
            yield self._item("function_call", name="exec_command", arguments=given, call_id=call)
            yield self._usage(self.random.randint(60, 400))
            yield Pause(step.seconds)
            told = "\n".join(filled(line, words) for line in step.out)
            output = f"Process exited with code {int(step.failed)}\nOutput:\n{told}"
            yield self._item("function_call_output", call_id=call, output=output)
            self.context += len(told) // _CHARS_PER_TOKEN
            yield Pause(self.random.uniform(1, 6))
        content = [{"type": "output_text", "text": filled(turn.answer, words)}]
        yield self._item("message", role="assistant", content=content)
        yield self._usage(self.random.randint(200, 900))
        took = int((self.clock.now - began).total_seconds() * 1000)
        first = self.random.randint(700, 2_500)
        yield self._event("task_complete", turn_id=turn_id, duration_ms=took, time_to_first_token_ms=first)

    def _usage(self, output: int) -> DemoLine:
        given, cached = self.used(output)
        last = {
            "input_tokens": given,
            "cached_input_tokens": cached,
            "output_tokens": output,
            "reasoning_output_tokens": output * 2 // 5,
            "total_tokens": given + output,
        }
        for name, count in last.items():
            self._totals[name] = self._totals.get(name, 0) + count
        info = {"total_token_usage": dict(self._totals), "last_token_usage": last, "model_context_window": _WINDOW}
        return self._event("token_count", info=info, rate_limits=None)

    def _event(self, kind: str, **fields: Any) -> DemoLine:
        return self._row("event_msg", {"type": kind, **fields})

    def _item(self, kind: str, **fields: Any) -> DemoLine:
        return self._row("response_item", {"type": kind, **fields})

    def _row(self, kind: str, payload: Row) -> DemoLine:
        return self.line({"timestamp": timestamp(self.clock.now), "type": kind, "payload": payload})


@dataclass(slots=True)
class GeminiChat(Played):
    """A chat of Gemini CLI."""

    session_id: str = ""
    model: str = "gemini-2.5-pro"

    def play(self) -> Iterator[Event]:
        """As Gemini CLI writes it: an answer is told again when the results of its calls are there."""
        began = timestamp(self.clock.now)
        yield self.line(
            {"sessionId": self.session_id, "projectHash": "0" * 64, "startTime": began, "lastUpdated": began}
        )
        self.context = self.random.randint(6_000, 9_000)
        for number, turn in enumerate(self.turns):
            if number:
                yield Pause(self.random.uniform(40, 300))
            words = words_for(self.random, self.project)
            yield self.line(self._message("user", filled(turn.prompt, words)))
            for step, command in self.commands(turn):
                yield Pause(self.random.uniform(2, 8))
                call: Row = {"id": f"run-{self.random.getrandbits(48):012x}", "name": "run_shell_command"}
                call |= {"args": {"command": filled(command, words)}}
                told = self._answer("", self.random.randint(20, 160))
                yield self.line(told | {"toolCalls": [call | {"status": "executing", "timestamp": told["timestamp"]}]})
                yield Pause(step.seconds)
                done = {"status": "error" if step.failed else "success", "timestamp": timestamp(self.clock.now)}
                text = "\n".join(filled(line, words) for line in step.out)
                result = [{"functionResponse": {"name": call["name"], "response": {"output": text}}}]
                yield self.line(told | {"toolCalls": [call | done | {"result": result}]})
            yield Pause(self.random.uniform(3, 12))
            yield self.line(self._answer(filled(turn.answer, words), self.random.randint(150, 700)))
            if number == 0:
                yield self.line({"$set": {"summary": filled(turn.title, words)}})

    def _answer(self, text: str, output: int) -> Row:
        given, cached = self.used(output)
        thoughts = output // 2
        told = {"input": given, "output": output, "cached": cached, "thoughts": thoughts, "tool": 0}
        tokens = told | {"total": given + output + thoughts}
        return self._message("gemini", text) | {"model": self.model, "tokens": tokens}

    def _message(self, kind: str, text: str) -> Row:
        return {"id": self.uuid(), "timestamp": timestamp(self.clock.now), "type": kind, "content": text}


def _quoted(text: str) -> str:
    return json.dumps(text)
