"""Programs that run other programs (sudo, uv run, docker exec, ssh): what they run in the end."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from .options import words
from .scripts import POWERSHELL, SH

_MAX_LAYERS = 12
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=", re.ASCII)
_VERSION = re.compile(r"(python|pypy|ipython|node|psql|ruby)[\d.]+$")
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ksh", "ash", "fish"})
_POWERSHELLS = frozenset({"powershell", "pwsh"})
_WINDOWS_PROGRAM = re.compile(r".*[\\/][^\\/\s]+\.(?:exe|cmd|bat)", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(?:exe|cmd|bat)$", re.IGNORECASE)
_SHELL_SCRIPT = re.compile(r"-[a-zA-Z]*c[a-zA-Z]*")


@dataclass(frozen=True, slots=True)
class Call:
    """What a command runs in the end: a program with its words, or a further shell script."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    script: str | None = None
    language: str = SH
    """Of the further script."""
    script_from_input: bool = False
    """The further script is what the command reads from its input."""
    host: str | None = None
    """The host of an ssh connection."""
    remote: bool = False
    """It runs on another machine."""

    @property
    def program(self) -> str:
        return program(self.argv[0]) if self.argv else ""


@dataclass(frozen=True, slots=True)
class _Layer:
    """How to find the inner command: skip options (those in `values` take a word), then `skip` operands."""

    values: frozenset[str] = frozenset()
    skip: int = 0
    remote: bool = False


def _layer(values: str = "", skip: int = 0, *, remote: bool = False) -> _Layer:
    return _Layer(words(values), skip, remote)


_CONTAINER = (
    "-e --env -u --user -w --workdir --env-file --index -v --volume --name --network --entrypoint -p --publish -m"
)
_PYTHON_RUN = (
    "--with --python -p --project --directory --env-file --extra --group --package --with-requirements "
    "--from --with-editable --index-url --default-index --index --spec -C"
)
_SUDO = _layer("-u --user -g --group -h --host -p --prompt -C -D --chdir -R -T -U")
_PREFIXES: dict[str, _Layer] = {
    "sudo": _SUDO,
    "doas": _SUDO,
    "env": _layer("-u --unset -C --chdir -S"),
    "time": _layer("-f -o"),
    "nice": _layer("-n"),
    "ionice": _layer("-c -n -p"),
    "stdbuf": _layer("-i -o -e"),
    "timeout": _layer("-s --signal -k --kill-after", 1),
    "gtimeout": _layer("-s --signal -k --kill-after", 1),
    "flock": _layer("-w --timeout -E", 1),
    "xargs": _layer("-I -n -P -d -L -a -s -E"),
    "watch": _layer("-n --interval"),
    "wsl": _layer("-d --distribution -u --user --cd"),
    "exec": _layer("-a"),
    **dict.fromkeys(("nohup", "setsid", "command", "builtin", "caffeinate", "unbuffer", "chronic"), _layer()),
    "uvx": _layer(_PYTHON_RUN),
    **dict.fromkeys(("npx", "bunx"), _layer("-p --package")),
}
_CONTAINERS = dict.fromkeys(("exec", "run"), _layer(_CONTAINER, 1))
_ENVIRONMENTS = ("poetry", "pdm", "pipenv", "hatch", "rye", "pixi", "pipx")
_SECRETS = ("doppler", "op", "infisical", "dotenv", "railway")
_SUBCOMMANDS: dict[str, dict[str, _Layer]] = {
    "uv": {"run": _layer(_PYTHON_RUN)},
    **{name: {"run": _layer(_PYTHON_RUN)} for name in _ENVIRONMENTS},
    **{name: {"run": _layer("-n --name -p --prefix --cwd")} for name in ("conda", "mamba", "micromamba")},
    **{name: {"run": _layer("-p --project -c --config -e --env")} for name in _SECRETS},
    **{name: {"exec": _layer("-n --namespace -c --container", 1, remote=True)} for name in ("kubectl", "oc")},
    **dict.fromkeys(("docker", "podman", "nerdctl", "docker-compose"), _CONTAINERS),
    "npm": {"exec": _layer("-p --package"), "x": _layer("-p --package")},
    "pnpm": {"exec": _layer(), "dlx": _layer("--package")},
    "yarn": {"exec": _layer(), "dlx": _layer("-p --package")},
    "bun": {"x": _layer("-p --package")},
    "mise": {"exec": _layer(), "x": _layer()},
    "direnv": {"exec": _layer("", 1)},
    "aws-vault": {"exec": _layer("", 1)},
}
_BETWEEN = {"docker": {"compose", "container"}, "podman": {"compose", "container"}, "uv": {"tool"}}
_GLOBAL_VALUES = words(
    "-f --file -p --project-name --project-directory --profile --context -n --namespace -H --host "
    "--kubeconfig --project --directory --env-file"
)
_SCRIPT_OPTIONS = {
    **dict.fromkeys(("su", "runuser", "script"), ("-c", "-lc", "-qc", "--command")),
    "nix-shell": ("--run", "--command"),
}
"""Programs that run the script one of their options gives."""
_SSH_VALUES = frozenset(f"-{letter}" for letter in "bcDEeFIiJLlmOopQRSWw")


def program(word: str) -> str:
    """Return the bare name of a program: no folder, no version (`python3.12`, `duckdb@latest`), no `.exe`."""
    return _remembered(word) if len(word) <= _USUAL else _bare(word)


_USUAL = 100
"""Characters of a word that is worth remembering: the same few programs run again and again."""


def _bare(word: str) -> str:
    name = _SUFFIX.sub("", word.replace("\\", "/").rpartition("/")[2])
    name = name.partition("@")[0] or name
    found = _VERSION.match(name)
    return found[1] if found else name


_remembered = lru_cache(maxsize=1024)(_bare)


def unwrap(argv: Sequence[str], env: Mapping[str, str]) -> Call | None:
    """Return what a command's words run in the end, or None when they run nothing that can be seen."""
    call = Call(tuple(argv), env)
    for _ in range(_MAX_LAYERS):
        if not call.argv:
            return None
        # A variable that held a whole command; not a folder of Windows with a blank in its name.
        if " " in call.argv[0].strip() and not _WINDOWS_PROGRAM.fullmatch(call.argv[0]):
            call = replace(call, argv=(*call.argv[0].split(), *call.argv[1:]))
        inner = _peeled(call)
        if inner is None or inner is call or inner.script is not None or inner.script_from_input:
            return inner
        call = inner
    return None


def _peeled(call: Call) -> Call | None:
    """Return the call one layer in, the same call when it wraps nothing, None when it runs nothing."""
    name, words = call.program, call.argv[1:]
    if name in _SHELLS:
        return _shell(call, words)
    if name in _POWERSHELLS or name == "cmd":
        return _windows_shell(call, words)
    if name == "eval":
        return replace(call, script=" ".join(words))
    if name == "ssh":
        return _ssh(call, words)
    if name in _SCRIPT_OPTIONS:
        index = next((at for at, word in enumerate(words) if word in _SCRIPT_OPTIONS[name]), len(words))
        return replace(call, script=words[index + 1]) if index + 1 < len(words) else None
    if name in _PREFIXES:
        return _prefix(call, name, words)
    if name in _SUBCOMMANDS:
        return _subcommand(call, name, words)
    return call


def _shell(call: Call, words: Sequence[str]) -> Call | None:
    for index, word in enumerate(words):
        if _SHELL_SCRIPT.fullmatch(word):
            return replace(call, script=words[index + 1]) if index + 1 < len(words) else None
        if not word.startswith("-") and words[index - 1 : index] != ("-o",):
            return None  # a script file: its commands are not to be seen here
    return replace(call, script_from_input=True)


def _windows_shell(call: Call, words: Sequence[str]) -> Call | None:
    """Return what `powershell -Command …` or `cmd /c …` runs: a script, or, word by word, a program."""
    for index, word in enumerate(words):
        option = word.lower()
        if call.program == "cmd":
            runs = option in ("/c", "/k", "//c", "//k")
        else:
            runs = len(option) > 1 and "-command".startswith(option)
        rest = tuple(words[index + 1 :])
        if runs and rest and rest != ("-",):
            one = len(rest) == 1
            return replace(call, script=rest[0], language=POWERSHELL) if one else replace(call, argv=rest)
        if len(option) > 2 and ("-file".startswith(option) or "-encodedcommand".startswith(option)):
            return None  # a script that is not to be seen here
    return replace(call, script_from_input=True, language=POWERSHELL)


def _ssh(call: Call, words: Sequence[str]) -> Call | None:
    index = _past_options(words, _SSH_VALUES)
    if index >= len(words):
        return None
    away = replace(call, host=words[index], remote=True, env={})
    rest = words[index + 1 :]
    return replace(away, script=" ".join(rest)) if rest else replace(away, script_from_input=True)


def _prefix(call: Call, name: str, words: Sequence[str]) -> Call | None:
    layer = _PREFIXES[name]
    if name == "command" and words and words[0] in ("-v", "-V"):
        return None
    rest = words[_past_options(words, layer.values) + layer.skip :]
    env = dict(call.env)
    while rest and name in ("sudo", "doas", "env") and _ASSIGNMENT.match(rest[0]):
        key, _, env[key] = rest[0].partition("=")
        rest = rest[1:]
    if name == "watch" and rest:
        return replace(call, script=" ".join(rest))
    return replace(call, argv=tuple(rest), env=env)


def _subcommand(call: Call, name: str, words: Sequence[str]) -> Call | None:
    index = _past_options(words, _GLOBAL_VALUES)
    if words[index : index + 1] and words[index] in _BETWEEN.get(name, ()):
        index += 1
        index += _past_options(words[index:], _GLOBAL_VALUES)
    layer = _SUBCOMMANDS[name].get(words[index]) if index < len(words) else None
    if layer is None:
        return call
    rest = words[index + 1 :]
    at = _past_options(rest, layer.values) + layer.skip
    if layer.remote and "--" in rest:
        at = rest.index("--") + 1
    rest = rest[at:]
    if rest[:1] == ("--",):
        rest = rest[1:]
    if name == "uv" and rest[:1] == ("-",):
        rest = ("python", *rest)
    return replace(call, argv=tuple(rest), remote=call.remote or layer.remote)


def _past_options(words: Sequence[str], values: frozenset[str]) -> int:
    """Return the index of the first word that is neither an option nor an option's value."""
    index = 0
    while index < len(words):
        word = words[index]
        if word == "--":
            return index + 1
        if not word.startswith("-") or word == "-":
            return index
        index += 2 if _takes_next(word, values) else 1
    return index


def _takes_next(word: str, values: frozenset[str]) -> bool:
    """Return whether the word after an option is its value: of the letters in `-iu` only the last takes one."""
    if word.startswith("--") or len(word) < 3 or not word[1:].isalpha():
        return word in values
    before = any(f"-{letter}" in values for letter in word[1:-1])
    return word in values or (not before and f"-{word[-1]}" in values)
