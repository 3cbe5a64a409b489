"""A generated session as a sequence of rows and pauses, in the order in which they happen."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from .length import at_length
from .rows import (
    REJECTED,
    DemoLine,
    DemoReply,
    Event,
    Note,
    Pause,
    Row,
    Transcript,
    text_block,
    thinking,
    tool_block,
)
from .script import Project, ScriptStep, ScriptTurn
from .text import API_ERROR, ASIDES, COLUMNS, COMMANDS, MONTHS, SUMMARY

LATER = "?"
"""Begins a task of a to-do list that is left for another day."""

AGENT_MODEL = "claude-haiku-4-5-20251001"
CONTEXT_LIMIT = 120_000
"""Tokens; a longer conversation is compacted. Well below the real limits, so that short sessions show it too."""

_QUICK = frozenset({"Read", "Grep", "Glob"})
"""Tools that are often called together."""


@dataclass(frozen=True, slots=True)
class PlayPlan:
    """What is decided about a session before it begins."""

    project: Project
    turns: Iterable[ScriptTurn]
    title: str
    """The title row it has: `ai-title`, `custom-title`, or none with ``."""
    stumbles: bool = False
    """Whether the API fails once."""
    breaks: bool = True
    """Whether the person goes away for a while now and then."""


def play(transcript: Transcript, plan: PlayPlan) -> Iterator[Event]:
    """All events of a session; endless if its turns are."""
    rng = transcript.random
    yield transcript.bare("permission-mode", permissionMode="acceptEdits")
    yield _hook(transcript)
    transcript.unsent += rng.randint(14_000, 22_000)
    yield Pause(rng.uniform(4, 40))
    for number, turn in enumerate(plan.turns):
        words = words_for(rng, plan.project)
        if number:
            yield from _between(transcript, breaks=plan.breaks)
        yield from _turn(transcript, turn, words)
        yield transcript.bare("last-prompt", lastPrompt=filled(turn.prompt, words))
        if number == 0 and plan.title:
            key = "aiTitle" if plan.title == "ai-title" else "customTitle"
            yield transcript.bare(plan.title, **{key: filled(turn.title, words)})
        if number == 0 and plan.stumbles:
            yield Pause(rng.uniform(20, 60))
            yield transcript.prompt("and the same for the other table?")
            yield Pause(rng.uniform(30, 90))
            yield transcript.api_error(API_ERROR)
        if transcript.context > CONTEXT_LIMIT:
            yield Pause(1.0)
            yield from transcript.compacted(SUMMARY)


def words_for(rng: random.Random, project: Project) -> dict[str, str]:
    """What the placeholders of one turn stand for."""
    table, other = rng.sample(project.tables, 2)
    return {
        "table": table,
        "other": other,
        "column": rng.choice(COLUMNS),
        "month": rng.choice(MONTHS),
        "rows": str(rng.randint(2, 480)),
        "count": str(rng.randint(900, 48_000)),
    }


def filled(text: str, words: Mapping[str, str]) -> str:
    """A text of the script with its placeholders filled in."""
    return re.sub(r"\$(\w+)", lambda found: words.get(found[1], found[0]), text)


def _hook(transcript: Transcript) -> DemoLine:
    attachment = {
        "type": "hook_success",
        "hookName": "SessionStart:startup",
        "hookEvent": "SessionStart",
        "content": "",
        "stdout": "",
        "stderr": "",
        "exitCode": 0,
        "durationMs": transcript.random.randint(40, 900),
    }
    return transcript.chained("attachment", attachment=attachment)


def _between(transcript: Transcript, *, breaks: bool) -> Iterator[Event]:
    """What happens between two questions: a person thinks, or goes away, says something short, runs a command."""
    rng = transcript.random
    yield Pause(rng.uniform(1_200, 6_000) if breaks and rng.random() < 0.15 else rng.uniform(25, 240))
    chance = rng.random()
    if chance < 0.3:
        prompt, answer = rng.choice(ASIDES)
        yield from _turn(transcript, ScriptTurn("", prompt, answer=answer), {})
        yield Pause(rng.uniform(10, 120))
    elif chance < 0.5:
        command = rng.choice(COMMANDS)
        tags = f"<command-name>/{command}</command-name>\n<command-message>{command}</command-message>"
        if ":" in command or command == "review":
            yield transcript.prompt(f"{tags}\n<command-args></command-args>", permissionMode="acceptEdits")
            yield Pause(rng.uniform(2, 6))
            yield from transcript.reply(
                DemoReply([text_block("Nothing to add here.")], rng.randint(60, 400), "end_turn")
            )
        else:
            yield transcript.system("local_command", content=tags, level="info")
        yield Pause(rng.uniform(5, 30))


def _turn(transcript: Transcript, turn: ScriptTurn, words: Mapping[str, str]) -> Iterator[Event]:
    """A prompt and everything until the answer is there."""
    rng = transcript.random
    started, before = transcript.clock.now, transcript.rows
    yield transcript.prompt(filled(turn.prompt, words))
    yield Pause(rng.uniform(2, 6))
    yield from _steps(transcript, turn.steps, words, turn.plan)
    answer = [text_block(filled(turn.answer, words))]
    yield from transcript.reply(DemoReply(answer, rng.randint(120, 1_400), "end_turn", turn.web_searches))
    yield Pause(0.2)
    took = (transcript.clock.now - started) // timedelta(milliseconds=1)
    yield transcript.system("turn_duration", durationMs=took, messageCount=transcript.rows - before)


def _steps(
    transcript: Transcript, steps: Iterable[ScriptStep], words: Mapping[str, str], plan: Sequence[str] = ()
) -> Iterator[Event]:
    """Tool calls with their results, and the responses that ask for them; on the way a to-do list is kept."""
    rng = transcript.random
    groups = list(_together(rng, steps))
    before: Sequence[Row] = ()
    for number, together in enumerate(groups):
        listed = _listed(plan, words, number * len(plan) // len(groups))
        written = [_todo_call(transcript, listed)] if listed != before else []
        calls = [
            tool_block(
                transcript,
                step.tool,
                {name: _value(transcript, name, text, words) for name, text in step.given.items()},
            )
            for step in together
        ]
        thoughts = [thinking(transcript)] if rng.random() < 0.35 else []
        yield from transcript.reply(DemoReply([*thoughts, *written, *calls], rng.randint(90, 900)))
        for call in written:
            yield _todo_result(transcript, call, before, listed)
            yield Pause(0.1)
            before = listed
        for step, call in zip(together, calls, strict=True):
            yield Pause(step.seconds * rng.uniform(0.7, 1.8))
            if step.tool == "Task" and not step.denied:
                yield from _sub_agent(transcript, step, call, words)
            elif step.denied:
                yield transcript.result(call, REJECTED, denied=True)
            else:
                text = at_length(rng, call, filled("\n".join(step.out), words) or _silence(call), failed=step.failed)
                text = f"Exit code 1\n{text}" if step.failed and step.tool == "Bash" else text
                yield transcript.result(call, text, _told(call, text), failed=step.failed)
        yield Pause(rng.uniform(1.5, 7))
    if plan:
        listed = _listed(plan, words, len(plan))
        call = _todo_call(transcript, listed)
        yield from transcript.reply(DemoReply([call], rng.randint(90, 260)))
        yield Pause(0.1)
        yield _todo_result(transcript, call, before, listed)
        yield Pause(rng.uniform(1.0, 3.0))


def _listed(plan: Sequence[str], words: Mapping[str, str], done: int) -> list[Row]:
    """The to-do list of a turn of which the first `done` are done, and the next one is being done."""
    statuses = ["completed"] * done + ["in_progress"] + ["pending"] * len(plan)
    listed = []
    for task, status in zip(plan, statuses, strict=False):
        content = filled(task.removeprefix(LATER), words)
        status = "pending" if task.startswith(LATER) else status
        listed.append({"content": content, "status": status, "activeForm": content})
    return listed


def _todo_call(transcript: Transcript, listed: Sequence[Row]) -> Row:
    """The list, written anew."""
    return tool_block(transcript, "TodoWrite", {"todos": list(listed)})


def _todo_result(transcript: Transcript, call: Row, before: Sequence[Row], listed: Sequence[Row]) -> DemoLine:
    text = (
        "Todos have been modified successfully. Ensure that you continue to use the todo list to track your progress."
    )
    return transcript.result(call, text, {"oldTodos": list(before), "newTodos": list(listed)})


def _together(rng: random.Random, steps: Iterable[ScriptStep]) -> Iterator[list[ScriptStep]]:
    """The steps, in groups that one response asks for."""
    group: list[ScriptStep] = []
    for step in steps:
        if group and not (step.tool in _QUICK and group[-1].tool in _QUICK and rng.random() < 0.6):
            yield group
            group = []
        group.append(step)
    if group:
        yield group


def _value(transcript: Transcript, name: str, value: object, words: Mapping[str, str]) -> object:
    if not isinstance(value, str):
        return value
    text = filled(value, words)
    return f"{transcript.cwd}/{text}" if name in ("file_path", "path") else text


def _silence(call: Row) -> str:
    """What the tools say that have nothing to show."""
    if "file_path" in call["input"]:
        return f"The file {call['input']['file_path']} has been updated successfully."
    return "(no output)"


def _told(call: Row, text: str) -> Row | None:
    """The program's own account of a result, as far as it differs from the text."""
    given = call["input"]
    match call["name"]:
        case "Bash":
            return {"stdout": text, "stderr": "", "interrupted": False, "isImage": False}
        case "Read":
            lines = text.count("\n") + 1
            file = {"filePath": given["file_path"], "content": text, "numLines": lines, "startLine": 1}
            return {"type": "text", "file": file | {"totalLines": lines}}
        case "Edit":
            change = {"oldString": given["old_string"], "newString": given["new_string"]}
            return {"filePath": given["file_path"], **change, "userModified": False, "replaceAll": False}
        case "Grep":
            return {"mode": "content", "numFiles": 0, "filenames": [], "content": text}
        case "TaskCreate":
            number = re.search(r"#(\d+)", text)
            return {"task": {"id": number[1] if number else "0", "subject": given["subject"]}}
        case "TaskUpdate":
            return {"success": True, "taskId": given["taskId"], "updatedFields": sorted(given.keys() - {"taskId"})}
    return None


def _sub_agent(parent: Transcript, step: ScriptStep, call: Row, words: Mapping[str, str]) -> Iterator[Event]:
    """A sub-agent's own transcript and its note, then what it reports to its parent."""
    rng = parent.random
    agent_id = f"a{rng.getrandbits(64):016x}"
    # All of a session's sub-agents lie in one folder, however deep they are.
    folder = parent.path.parent if parent.agent_id is not None else parent.path.with_suffix("") / "subagents"
    crew = Transcript(
        path=folder / f"agent-{agent_id}.jsonl",
        session_id=parent.session_id,
        cwd=parent.cwd,
        branch=parent.branch,
        model=AGENT_MODEL if parent.model.startswith("claude") else parent.model,
        random=rng,
        clock=parent.clock,
        version=parent.version,
        agent_id=agent_id,
        counts_output=parent.counts_output,
        unsent=rng.randint(6_000, 11_000),
        depth=parent.depth + 1,
    )
    given = call["input"]
    if step.failed and not step.crew:
        # There is no such type: nobody begins.
        yield parent.result(call, filled("\n".join(step.out), words), failed=True)
        return
    note = {"agentType": given["subagent_type"], "description": given["description"]}
    yield Note(folder / f"agent-{agent_id}.meta.json", note | {"toolUseId": call["id"], "spawnDepth": crew.depth})
    started = parent.clock.now
    if step.in_background:
        launched = {"isAsync": True, "status": "async_launched", "agentId": agent_id, "prompt": given["prompt"]}
        said = [text_block("Async agent launched successfully.")]
        yield parent.result(call, "", launched | {"description": given["description"], "content": said})
    yield crew.prompt(given["prompt"])
    yield Pause(rng.uniform(1, 4))
    yield from _steps(crew, step.crew, words)
    report = at_length(rng, call, filled("\n".join(step.out), words))
    yield from crew.reply(DemoReply([text_block(report)], rng.randint(250, 900), "end_turn"))
    yield Pause(0.3)
    took = (parent.clock.now - started) // timedelta(milliseconds=1)
    if step.in_background:
        yield _notified(parent, agent_id, call, report, crew.context, took)
        return
    if step.failed:
        yield parent.result(call, report, failed=True)
        return
    told = {
        "status": "completed",
        "prompt": given["prompt"],
        "agentId": agent_id,
        "agentType": given["subagent_type"],
        "content": [text_block(report)],
        "totalDurationMs": took,
        "totalTokens": crew.context,
        "totalToolUseCount": len(step.crew),
    }
    yield parent.result(call, report, told)


def _notified(parent: Transcript, agent_id: str, call: Row, report: str, tokens: int, took: int) -> DemoLine:
    """What a session is told when a sub-agent in the background has come to its end."""
    text = (
        f"<task-notification>\n<task-id>{agent_id}</task-id>\n<tool-use-id>{call['id']}</tool-use-id>\n"
        f'<status>completed</status>\n<summary>Agent "{call["input"]["description"]}" finished</summary>\n'
        f"<result>{report}</result>\n<usage><subagent_tokens>{tokens}</subagent_tokens>"
        f"<duration_ms>{took}</duration_ms></usage>\n</task-notification>"
    )
    parent.unsent += len(text) // 4
    message = {"role": "user", "content": text}
    return parent.chained("user", message=message, origin={"kind": "task-notification"}, promptSource="system")
