"""What every coding agent can say, in words of none of them: the vocabulary between decoders and the store.

A decoder (`formats/<agent>/`) turns what it finds in a file into these events and hands them to an `Emitter`
(`emit.py`), which makes rows of them. Neither knows the other's business: a decoder knows no table, and the emitter no
agent.

Units, everywhere: times are microseconds since 1970 in UTC, or None where the source tells none; durations are
milliseconds; positions are bytes from the start of a file, or any number that orders what stands in it; money is USD.
What the source does not say is None: nothing is guessed, and unknown is never 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from ..tasks import TaskChange
from .work import ChangedLines

if TYPE_CHECKING:
    from ..access import Access


class ResponseKind(StrEnum):
    """What a response was for. Only turns, advisors' answers and declined fallbacks are answers to somebody.

    All kinds count in tokens and cost; those of `facts.ANSWERS` alone are counted as responses.
    """

    TURN = "turn"
    """An answer of the model in a conversation, a sub-agent's too."""
    ADVISOR = "advisor"
    """A second model that the first one asked while it answered."""
    FALLBACK = "fallback"
    """An attempt that was paid for and declined before another model answered."""
    COMPACTION = "compaction"
    """The making of a summary of the conversation, where the source bills it apart."""
    TOOL = "tool"
    """A model that a tool used on its own."""
    HEADLESS = "headless"
    """A call of the agent itself without a conversation: titles, names of branches, suggestions."""
    ACCOUNT = "account"
    """What an account at the end tells beyond the single responses."""
    REQUEST = "request"
    """What a ledger of the agent tells of one request. Turns and accounts that it covers bill nothing: `ledgers.py`."""


class StopReason(StrEnum):
    """Why a model stopped."""

    END = "end"
    """It was done."""
    TOOL_USE = "tool_use"
    """It asked for a tool."""
    LENGTH = "length"
    """It reached the most it may write, or its window was full."""
    STOP_SEQUENCE = "stop_sequence"
    PAUSE = "pause"
    """It will go on when it is asked to."""
    REFUSAL = "refusal"
    ERROR = "error"
    ABORTED = "aborted"
    """A person or a program stopped it."""
    OTHER = "other"
    """The source gives a reason that is none of these."""


class ToolKind(StrEnum):
    """What stands behind a tool's name. The values are those of the column `class`."""

    TOOL = "tool_use"
    MCP = "mcp_call"
    """A tool of an MCP server."""
    SUBAGENT = "subagent"
    """It hands work over to another agent."""


class NoticeKind(StrEnum):
    """What happened in a session besides prompts, responses and tools. The values are those of `events.kind`."""

    COMPACTION = "compact"
    """The conversation was replaced by a summary of it. `amount`: tokens before, if told."""
    TURN = "turn"
    """A turn ended. `amount`: milliseconds that it took."""
    FIRST_TOKEN = "first_token"
    """The first token of a turn came. `amount`: milliseconds after it was asked for."""
    INTERRUPT = "interrupt"
    """A person stopped the model."""
    ERROR = "api_error"
    """The model's service answered with an error."""
    COMMIT = "commit"
    """A commit was made. `text`: its hash, as short as it was told."""
    PULL_REQUEST = "pull_request"
    """A pull request was made or worked on. `text`: its address."""
    LINES_ADDED = "lines_added"
    """A file was changed. `amount`: lines that it has now and had not."""
    LINES_REMOVED = "lines_removed"
    """A file was changed. `amount`: lines that it had and has no more."""


class Billed(StrEnum):
    """Who pays for a response, where the source says so. None: by the token, at the model's price."""

    ELSEWHERE = "elsewhere"
    """A subscription: known to cost nothing by the token, neither $0 nor unpriced."""


BACKGROUND = "background"
"""Stands for the status of a sub-agent that goes on after the call that started it has returned."""


class Place(msgspec.Struct, gc=False):
    """Where and when something was told, and in which session."""

    session: str | None
    """The session it belongs to; a sub-agent's events name the session that its work belongs to."""
    ts: int | None
    pos: int
    is_copy: bool = False
    """The source shows that this was copied from another session, which owns it if it has it, too."""
    embedded: bool = False
    """Told in passing by somebody else's file: anything that the own file says is preferred."""
    copy_signs: int = 0
    """What speaks for a copy that does not say so: of two tellings of the same time the one with more is the copy."""
    home: str | None = None
    """Of a sub-agent that names a session it was not started in: the one it was started in. It belongs to that one, as
    long as the session it names shows no rows of its own."""


class Speaker(msgspec.Struct, gc=False, frozen=True):
    """Who said it, the main conversation of the session or one of its sub-agents; with which version and branch."""

    subagent_id: str | None = None
    """None for the main conversation."""
    subagent_name: str | None = None
    """What kind of sub-agent, or which mode of the main conversation, as far as its own rows tell. See `Subagent`."""
    is_sidechain: bool = False
    """Not part of the main conversation, whether or not the sub-agent has an id."""
    version: str | None = None
    """The agent's version."""
    branch: str | None = None
    """The git branch."""


class Tokens(msgspec.Struct, gc=False):
    """The tokens of one response. The kinds do not overlap, except that `reasoning` is part of `output`."""

    input: int = 0
    """Neither read from nor written to a cache."""
    output: int = 0
    """All that was generated, reasoning included."""
    cache_read: int = 0
    cache_write_5m: int = 0
    """Written to a cache. Agents that do not tell how long it lives fill this kind."""
    cache_write_1h: int = 0
    reasoning: int | None = None
    """The part of `output` that was thinking; None where the source does not tell."""

    @property
    def total(self) -> int:
        """All tokens, each once."""
        return self.input + self.output + self.cache_read + self.cache_write_5m + self.cache_write_1h


class CacheMiss(msgspec.Struct, gc=False):
    """That a prompt was not found in the cache, though it might have been."""

    reason: str | None
    """In one word."""
    tokens: int | None
    """How much of the prompt."""


class Attribution(msgspec.Struct, gc=False):
    """What a source says that a response worked on."""

    plugin: str | None = None
    skill: str | None = None
    mcp_server: str | None = None
    mcp_tool: str | None = None


class Response(msgspec.Struct, gc=False, kw_only=True):
    """One answer of a model, or one bill. Told again under the same key, the telling with the largest output wins."""

    key: str
    """Unique over all agents: prefix it with the agent's name unless its ids are unique by themselves."""
    place: Place
    speaker: Speaker
    model: str | None
    """As the source names it; None is shown as unknown and has no price."""
    tokens: Tokens
    kind: ResponseKind = ResponseKind.TURN
    provider: str | None = None
    """Who serves the model, in the words of the price library (`anthropic`, `openai`, `google`); for its price."""
    gateway: str | None = None
    """Through whom the request went, if not straight to the provider."""
    priced_as: str | None = None
    """The model whose price it has, where `model` is a name that somebody made up."""
    tool: str | None = None
    """The tool that used the model, or what a headless call was for."""
    stop_reason: StopReason | None = None
    requested_at: int | None = None
    """When the prompt or tool result that it answers was there."""
    ended_at: int | None = None
    """When its last piece was there; None: at the time of its place."""
    prompt_id: str | None = None
    """The prompt whose turn it belongs to."""
    effort: str | None = None
    """The thinking level that was asked for."""
    ttft_ms: int | None = None
    """To the first token."""
    duration_ms: int | None = None
    """Of the whole response, where the source measured it."""
    speed: str = "standard"
    service_tier: str = "standard"
    inference_geo: str | None = None
    """Where the model had to run, if that was asked for."""
    web_searches: int = 0
    cache_miss: CacheMiss | None = None
    attribution: Attribution | None = None
    billed: Billed | None = None
    logged_cost_usd: float | None = None
    """What the source itself says that it cost; kept beside our own figure."""
    is_error: bool = False
    lower_bound: bool | None = False
    """The source is known to log less output than there was; None: that shows only when the conversation goes on."""
    early_output: bool = False
    """With `lower_bound` None: this may be the count from the start of the stream. If no better one follows, it is a
    lower bound."""
    stays_early: bool = False
    """With `lower_bound` None: this version of the agent often logs no better count, so none is waited for."""
    least_output: int | None = None
    """With `lower_bound` None: tokens that the text shown must have taken at the least; less output than that is as
    `early_output`. Of several tellings the most counts."""


class Telling(msgspec.Struct, gc=False):
    """What one line tells of a response of which there are several, as far as lines are compared.

    What else it tells is made of it only if it counts, and if no other line said the same. Fields are those of
    `Response`.
    """

    key: str
    place: Place
    speaker: Speaker
    tokens: Tokens
    is_error: bool
    least_output: int | None
    owner_says: tuple[Any, ...]
    """All that decides what else `whole` says of whose it is, besides place and speaker."""
    used_says: tuple[Any, ...]
    """All that decides what else it says of what it took, besides tokens."""
    requested_at: int | None = None
    prompt_id: str | None = None
    ended_at: int | None = None
    lower_bound: bool | None = None

    def whole(self) -> Response:
        """All that the line tells."""
        raise NotImplementedError


class ToolCall(msgspec.Struct, gc=False, kw_only=True):
    """A tool that a model asked for."""

    id: str
    """Unique over all agents, as for `Response.key`."""
    place: Place
    speaker: Speaker
    name: str
    kind: ToolKind = ToolKind.TOOL
    mcp_server: str | None = None
    """The server of an MCP tool."""
    mcp_tool: tuple[str, str] | None = None
    """What an MCP server, by its full name, calls the tool itself; None: the data it touches cannot be told."""
    given: Mapping[str, object] = {}
    """Its input, as decoded JSON."""
    detail: str | None = None
    """What it did, in one line, empty if that cannot be told; None: it is taken from `given`."""
    subagent_type: str | None = None
    """Which kind of sub-agent it hands work to."""
    skill: str | None = None
    """The skill that it loads."""
    is_builtin: bool = False
    """That skill, or kind of sub-agent, comes with the agent."""
    response_key: str | None = None
    prompt_id: str | None = None
    accesses: list[Access] | None = None
    """The data it touches; None: as `access.accesses_of` finds it by name and input."""
    script: str | None = None
    """The shell script that it runs, if it runs one and `given` does not have it under its usual name."""
    folder: str | None = None
    """Where it runs, as far as the source tells it beside the call."""
    addressee: str | None = None
    """Of a message whom it is for, of a sub-agent's call the name that the sub-agent is given: a name or an id."""
    tasks: list[TaskChange] | None = None
    """What it says of to-do lists; None: as `tasks.changes_in` finds it by name and input."""


class ToolResult(msgspec.Struct, gc=False, kw_only=True):
    """How a tool call ended. Its duration is the time from the call's place to this one's."""

    call_id: str
    place: Place
    is_error: bool = False
    text: str | None = None
    """What came back, or as much of it as is worth reading: for the error's words and counted rows. Not kept whole."""
    size: int | None = None
    """Bytes that came back."""
    denial: str | None = None
    """Why it was not allowed, if it was not: a short word."""
    subagent_id: str | None = None
    """The sub-agent that did the work."""
    subagent_status: str | None = None
    """How it ended, in the source's word; BACKGROUND: it has not, the call returned at once."""
    subagent_tokens: int | None = None
    """What the sub-agent took as the source sums it up; shown only where the sub-agent's own rows are absent."""
    subagent_ms: int | None = None
    lines: ChangedLines | None = None
    """Lines of files that it added and removed, where the source tells that. A call that failed has none."""
    changed_nothing: bool = False
    """Of a call that was to change a task: it was not there, or could not be changed so."""


class TaskState(msgspec.Struct, gc=False, kw_only=True):
    """A whole to-do list with ids, as an agent shows it; it heals what was missed of single changes."""

    id: str
    place: Place
    tasks: list[TaskChange]
    call_id: str | None = None
    """The call that asked for it."""


class BackgroundEnd(msgspec.Struct, gc=False, kw_only=True):
    """How something that went on in the background ended, as its session is told: a sub-agent, or a command.

    A sub-agent may end several times: each message to it is a new run.
    """

    id: str
    place: Place
    task_id: str
    """The sub-agent, or the command's task."""
    status: str
    """In the source's words: completed, failed, killed …"""
    call_id: str | None = None
    tokens: int | None = None
    """All that a sub-agent took so far."""
    duration_ms: int | None = None


class Prompt(msgspec.Struct, gc=False, kw_only=True):
    """What a person typed, or a slash command that a person gave."""

    id: str
    place: Place
    text: str | None = None
    command: str | None = None
    """The slash command's name, without the slash; then there is no text."""
    is_builtin: bool = False
    """The command comes with the agent."""
    begins_turn: bool = True
    """Whether it gives the model work. Commands that only change or show a setting do not."""
    source: str | None = None
    """How it came, in one word (typed, queued, sdk …); None where the source does not say."""


class Notice(msgspec.Struct, gc=False, kw_only=True):
    """Something that happened in a session."""

    id: str
    place: Place
    kind: NoticeKind
    text: str | None = None
    amount: int | None = None
    tokens_after: int | None = None
    """Of a compaction: what is left of `amount`."""
    cause: str | None = None
    """Of a compaction, in one word: whether it came by itself."""
    is_limit: bool = False
    """Of an error: a plan's limit was hit."""
    resets: str | None = None
    """Until when that limit lasts: an instant as `2026-03-10T17:20:00Z`, or the next time at which a clock shows
    `[MM-DD ]HH:MM[ ZONE]`; without a zone that of the machine."""


class LimitSample(msgspec.Struct, gc=False, kw_only=True):
    """How much of a plan's limit is used, as the agent was told by its service."""

    span: str
    """How long the limit's window is: five_hour, seven_day, minutes_N, or as the service calls it."""
    used: float
    """Per cent; more than 100 where the service says so."""
    resets_at: int | None
    """When the window ends."""
    account: str | None = None
    limit: str | None = None
    """Which limit of the account, where there are several of the same length."""


class Label(StrEnum):
    """What a source says of a session. Of `CWD` and `PROJECT` the first telling counts, of all others the last."""

    CWD = "cwd"
    PROJECT = "project"
    """The folder of the repository; told by itself, before `CWD`, only where it does not follow from that."""
    TITLE = "custom_title"
    """As a person named it."""
    GUESSED_TITLE = "ai_title"
    """As a model named it."""
    BRANCH = "git_branch"
    VERSION = "version"
    CONTEXT_WINDOW = "context_window"
    """In tokens, as the agent tells it."""
    FORKED_FROM = "forked_from"
    """The session that this one began as a copy of."""
    LEAF = "leaf"
    """The last row of the conversation, by which a `Summary` may name it."""


FIRST_LABELS = frozenset({Label.CWD, Label.PROJECT})


class Subagent(msgspec.Struct, gc=False, kw_only=True):
    """What is known of a sub-agent besides its own rows."""

    id: str
    type: str | None = None
    is_builtin: bool = False
    """That type comes with the agent."""
    description: str | None = None
    """The task that it was given, in one line."""
    call_id: str | None = None
    """The tool call that started it."""
    parent: str | None = None
    """The session or sub-agent that started it, where that is told."""
    reported_tokens: int | None = None
    """What it took as its parent sums it up; shown only where its own rows are absent, and counted never."""
    reported_at: int | None = None
    reported_pos: int = 0
    reported_ms: int | None = None
    reported_status: str | None = None
    reported_call_id: str | None = None
    reported_usd: float | None = None
    report_tokens: int | None = None
    """The size of what it reported, as the source estimates it."""


class Summary(msgspec.Struct, gc=False, kw_only=True):
    """A title that a model gave to the conversation which ends with a row; see `Label.LEAF`."""

    leaf: str
    pos: int
    text: str


class Worktree(msgspec.Struct, gc=False, kw_only=True):
    """A worktree that a session was given: its folder, and the folder of the project that it belongs to."""

    place: Place
    folder: str
    project: str


class OwnTotal(msgspec.Struct, gc=False, kw_only=True):
    """What the agent itself says that a session took so far, in all or by a model. Kept beside, never added.

    The latest telling counts.
    """

    place: Place
    model: str | None = None
    """None: the whole session."""
    tokens: Tokens | None = None
    web_searches: int | None = None
    cost_usd: float | None = None
    is_incomplete: bool | None = None
    """The agent does not know the price of all of it."""


Object = Mapping[str, Any]
"""A decoded JSON object."""
