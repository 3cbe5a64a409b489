"""Programs whose options and operands are credentials without saying so: `mysql -p…`, `curl -u user:…`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ..late import Late
from .judging import is_reference, looks_secret
from .spans import BREAKS, Spans
from .values import Value, value_at


@dataclass(frozen=True, slots=True)
class Program:
    """Which words of a program's command line are credentials.

    `options` take one as the next word, or as the rest of the same word; `joined` only as the rest of it. `pairs` take
    `user:password`. Where `after` is given, only behind one of these words; `operands` counts from there, from 0,
    negative from the last one. `assignments`: every `name=value` behind `after` holds one.
    """

    options: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    between: str = ":"
    """What separates the user from the password."""
    after: tuple[str, ...] = ()
    operands: tuple[int, ...] = ()
    assignments: bool = False
    slash: bool = False
    """An operand `user/password@database`."""
    flag: str = ""
    """Operands only count with a short option that has this letter in it."""
    values: tuple[str, ...] = field(default=())
    """Options whose next word is no operand."""
    is_pair: bool = False
    """Of an operand only what is behind the colon."""
    passed_over: str = ""
    """A pattern of words that are no operands."""


def _many(names: str, *programs: Program) -> dict[str, tuple[Program, ...]]:
    return dict.fromkeys(names.split(), programs)


_LOGIN = Program(options=("-p",), after=("login",))

_KEYCHAIN = ("unlock-keychain", "create-keychain", "set-key-partition-list")

PROGRAMS: dict[str, tuple[Program, ...]] = {
    **_many(
        "mysql mysqldump mysqladmin mysqlimport mysqlshow mysqlcheck mysqlpump mysqlslap mycli mariadb "
        "mariadb-dump mariadb-admin mariadb-import",
        Program(joined=("-p",)),
    ),
    "mysqlsh": (Program(joined=("-p",)), Program(pairs=("--uri",), operands=(0,), is_pair=True)),
    **_many(
        "curl",
        Program(
            pairs=("-u", "-U", "--user", "--proxy-user", "-E", "--cert", "-x", "--proxy", "--preproxy"),
            options=("-b", "--oauth2-bearer", "--cookie", "--ftp-account"),
        ),
    ),
    **_many(
        "http https xh xhs httpie",
        Program(pairs=("-a", "--auth")),
        Program(options=("-a", "--auth"), after=("bearer",)),
    ),
    **_many("etcdctl", Program(pairs=("--user",))),
    **_many("govc", Program(pairs=("-u",))),
    **_many("ab siege wrk hey", Program(pairs=("-A", "-P"))),
    **_many("sshpass", Program(options=("-p",))),
    **_many("redis-cli valkey-cli keydb-cli iredis", Program(options=("-a", "--pass"))),
    **_many("docker podman nerdctl buildah oras crane regctl az oc cf ibmcloud argocd bw lpass flux", _LOGIN),
    "helm": (_LOGIN, Program(options=("--password",))),
    "skopeo": (_LOGIN, Program(pairs=("--creds", "--src-creds", "--dest-creds"))),
    **_many("twine poetry", Program(options=("-p",), after=("upload", "publish"))),
    **_many(
        "mongo mongosh mongodump mongorestore mongoexport mongoimport mongostat mongotop cqlsh nodetool beeline "
        "influx rabbitmqadmin pgcli arangosh arangodump rdesktop crackmapexec nxc smbmap evil-winrm psexec plink pscp "
        "psftp cypher-shell couchbase-cli cbq racadm",
        Program(options=("-p", "-pw")),
    ),
    **_many("sqlcmd bcp osql mssql-cli tsql isql-fb ipmitool mosquitto_pub mosquitto_sub", Program(options=("-P",))),
    **_many("sqlplus sqlldr impdp expdp imp exp rman sqlcl", Program(slash=True)),
    **_many(
        "ldapsearch ldapwhoami ldapadd ldapmodify ldapdelete ldapmodrdn ldappasswd ldapcompare",
        Program(options=("-w",)),
    ),
    **_many("vsql", Program(options=("-w",))),
    **_many("schtasks signtool", Program(options=("/p", "/rp"))),
    **_many("expo", Program(options=("-p",), after=("login",))),
    **_many("altool", Program(options=("-p",))),
    **_many("hatch", Program(options=("-a", "--auth"), after=("publish",))),
    **_many("vercel doctl codecov", Program(options=("-t",))),
    **_many("codecov.io/bash", Program(options=("-t",))),
    **_many("glab", Program(options=("-v", "--value"), operands=(2,), after=("variable",))),
    **_many("eas", Program(options=("--value",), after=("secret:create", "env:create"))),
    **_many("databricks", Program(options=("--string-value",))),
    **_many("kaggle", Program(options=("-v",), after=("config",))),
    **_many("heroku", Program(after=("auth:token",), operands=(0,))),
    **_many("cloudflared", Program(after=("service",), operands=(1,))),
    **_many("zerotier-cli", Program(joined=("-T",))),
    **_many("consul", Program(after=("set-agent-token",), operands=(1,))),
    **_many("bundle bundler", Program(after=("config",), operands=(-1,), is_pair=True)),
    "composer": (
        Program(after=("http-basic", "bitbucket-oauth"), operands=(1,)),
        Program(after=("github-oauth", "gitlab-oauth", "gitlab-token", "bearer"), operands=(0,)),
    ),
    "dotnet": (
        Program(after=("set",), operands=(1,)),
        Program(options=("-p",), after=("source",)),
    ),
    **_many("nuget", Program(after=("setapikey",), operands=(0,))),
    **_many("networksetup", Program(after=("-setairportnetwork",), operands=(2,))),
    **_many("smbclient smbget rpcclient winexe wmic", Program(pairs=("-U", "--user"), between="%")),
    "net": (
        Program(pairs=("-U",), between="%"),
        Program(after=("user",), operands=(1,)),
        Program(after=("use",), operands=(0,), passed_over=r"[\"']*(?:/|\\\\|\*|[A-Za-z]:)"),
    ),
    **_many("snmpget snmpwalk snmpset snmpbulkwalk", Program(options=("-A", "-X", "-c"))),
    **_many("lftp", Program(pairs=("-u", "--user"), between=",")),
    **_many("ncftp ncftpput ncftpget cadaver", Program(options=("-p",))),
    **_many("7z 7za 7zr 7zz rar unrar", Program(joined=("-p", "-hp"))),
    **_many("zip unzip", Program(options=("-P",))),
    **_many("openssl", Program(options=("-k", "-K", "-pass", "-passin", "-passout"))),
    **_many("ssh-keygen", Program(options=("-N", "-P"))),
    **_many("htpasswd htdigest mosquitto_passwd", Program(operands=(-1,), flag="b")),
    **_many("useradd usermod", Program(options=("-p",))),
    **_many("vault", Program(after=("login", "unwrap"), operands=(0,))),
    **_many("ngrok", Program(after=("authtoken", "add-authtoken"), operands=(0,))),
    **_many(
        "wandb cargo railway fly supabase",
        Program(after=("login",), operands=(0,), values=("--registry", "--host", "--project-ref")),
    ),
    **_many("snyk", Program(after=("auth",), operands=(0,))),
    **_many("cf", Program(after=("auth",), operands=(1,))),
    "gh": (Program(options=("-b", "--body"), after=("secret", "variable")),),
    "aws": (Program(options=("--secret-string", "--value"), after=("secretsmanager", "put-parameter")),),
    "pulumi": (Program(after=("--secret",), operands=(1,)),),
    "mc": (Program(after=("set", "add"), operands=(2, 3)),),
    **_many("rabbitmqctl", Program(after=("add_user", "change_password", "authenticate_user"), operands=(1,))),
    **_many("wpa_passphrase", Program(operands=(1,))),
    **_many("rclone", Program(after=("obscure",), operands=(0,))),
    **_many("security", Program(options=("-w",), after=("add-generic-password", "add-internet-password"))),
    **_many("vault-kv doppler flyctl", Program(after=("set", "put"), assignments=True)),
    **_many("xfreerdp wfreerdp mstsc cmdkey winrs", Program(joined=("/p:", "/pass:", "-p:", "-password:"))),
    **_many("ansible-vault", Program(after=("encrypt_string",), operands=(0,))),
    **_many("mkpasswd", Program(operands=(0,))),
    **_many("nmcli", Program(options=("password", "wifi-sec.psk", "802-11-wireless-security.psk"))),
}
PROGRAMS["vault"] += (Program(after=("put", "patch", "write"), assignments=True),)
PROGRAMS["vault"] += (Program(after=("unseal",), operands=(0,)),)
PROGRAMS["poetry"] += (Program(after=("config",), operands=(2,)),)
PROGRAMS["openssl"] += (Program(after=("passwd",), operands=(0,)),)
PROGRAMS["security"] += (Program(options=("-P",), after=("import", "export")),)
PROGRAMS["supabase"] += (Program(options=("-p",)), Program(after=("secrets",), assignments=True))
PROGRAMS["security"] += (Program(options=("-p", "-k"), after=_KEYCHAIN),)
PROGRAMS["redis-cli"] += (Program(after=("auth",), operands=(0, 1)),)
PROGRAMS["fly"] += (Program(after=("set",), assignments=True),)
PROGRAMS["az"] += (
    Program(options=("--value",), after=("secret",)),
    Program(options=("--password", "-p")),
)
PROGRAMS["bw"] += (Program(options=("--session",)),)
PROGRAMS["bw"] += (Program(after=("login",), operands=(1,)), Program(after=("unlock",), operands=(0,)))

ANCHORS = tuple(
    anchor for name in PROGRAMS for anchor in ((name,) if len(name) > 4 else (f"{name} ", f'{name}"', f"{name}'"))
)
"""Short names are parts of many words; with the blank or the quotation mark behind them of few."""

_LONG = (
    "-password",
    "-passwd",
    "-pass",
    "-passphrase",
    "-pwd",
    "-pw",
    "-profile",
    "-project",
    "-path",
    "-key",
    "-keyout",
    "-keyform",
)
_WORDS = 60
_GAP = Late(r"(?:[ \t]|\\\r?\n)*+")
_END = Late(r"\r?\n|[|;)`]|&(?=[&\s]|$)|\\n|$")
_WORD = Late(
    r"(?:\\(?![\"'n\r])[^\n]|\"(?:\\.|[^\"\\\n])*+\"|'[^'\n]*+'|[^\s\"'\\;|&<>()`]++|&(?![&\s]|$)|[<>](?=\S)|\$\()++"
)
_OPENED = Late(r"\\*[\"']")
_IN_ARRAY = Late(r"\\*[\"'][ \t\n]*,[ \t\n]*(?:\\*[\"']args\\*[\"'][ \t]*:[ \t]*\[[ \t\n]*)?(?=\\*[\"'])")
_NEXT_ELEMENT = Late(r"[ \t\n]*,[ \t\n]*(?=\\*[\"'])")
"""`["curl", "-u", "user:password"]`, and `"command": "curl", "args": ["-u", "user:password"]`."""
_ASSIGNED = Late(r"[A-Za-z_][\w.-]*=")


def run(text: str, start: int, end: int, spans: Spans) -> None:
    """Find the credentials in the command of the program whose name stands here."""
    name = text[start:end].rstrip(" \"'").lower()
    end = start + len(name)
    follows = text[end : end + 1]
    if start < spans.read_to.get(name, 0) or not (follows.isspace() or follows in ("\\", '"', "'", ".")):
        return
    if start and (text[start - 1].isalnum() or text[start - 1] in "_.-") and text[start - 2 : start] not in BREAKS:
        return
    in_array = _IN_ARRAY.match(text, end)
    found = _words(text, end) if in_array is None else _elements(text, in_array.end())
    spans.read_to[name] = found[-1][1] if found else end
    for program in PROGRAMS[name]:
        _ProgramReading(text, program, found, spans, are_quoted=in_array is not None).read()


def _words(text: str, pos: int) -> list[tuple[int, int]]:
    """Where the words of a command stand, to its end."""
    words: list[tuple[int, int]] = []
    if text[pos : pos + 4].lower() == ".exe":
        pos += 4
    while len(words) < _WORDS:
        pos = _GAP.match(text, pos).end()  # type: ignore[union-attr]
        if _END.match(text, pos):
            break
        value = value_at(text, pos) if _OPENED.match(text, pos) else None
        word = _WORD.match(text, pos)
        end = word.end() if word is not None else pos
        if value is not None and value.is_quoted:
            end = max(end, value.after)
        if end <= pos:
            break
        words.append((pos, end))
        pos = end
    return words


def _elements(text: str, pos: int) -> list[tuple[int, int]]:
    """Where the words of a command stand that are elements of an array, without their quotation marks."""
    words: list[tuple[int, int]] = []
    while len(words) < _WORDS:
        value = value_at(text, pos)
        if value is None or not value.is_quoted:
            break
        words.append((value.start, value.end))
        more = _NEXT_ELEMENT.match(text, value.after)
        if more is None:
            break
        pos = more.end()
    return words


class _ProgramReading:
    """The words of one command, read by the rules of one program."""

    def __init__(
        self, text: str, program: Program, words: list[tuple[int, int]], spans: Spans, *, are_quoted: bool
    ) -> None:
        self._text = text
        self._are_quoted = are_quoted
        """The words stand between quotation marks that are none of theirs."""
        self._program = program
        self._words = words
        self._spans = spans

    def read(self) -> None:
        program = self._program
        begun = not program.after
        ignored = re.compile(program.passed_over) if program.passed_over else None
        operands: list[int] = []
        has_flag = not program.flag
        skip = False
        for at, (start, end) in enumerate(self._words):
            word = self._text[start:end]
            if skip:
                skip = False
                continue
            if not begun:
                begun = word.lower().split(".")[0] in program.after or word.lower() in program.after
                continue
            if word in program.values:
                skip = True
            elif word.startswith("-") or word in program.options:
                has_flag = has_flag or (word[1:2] != "-" and program.flag in word)
                skip = self._option(at, word)
            elif word.lower().startswith(program.joined or ("\0",)):
                self._option(at, word)
            elif program.assignments and (assigned := _ASSIGNED.match(self._text, start)) is not None:
                self._blot(self._value(assigned.end()))
            elif program.slash and "/" in word.lstrip("/@"):
                self._slashed(start, end)
                return
            elif ignored is None or not ignored.match(word):
                operands.append(at)
        if has_flag:
            self._operands(operands)

    def _operands(self, operands: list[int]) -> None:
        for wanted in self._program.operands:
            if -len(operands) <= wanted < len(operands):
                start, end = self._words[operands[wanted]]
                word = self._text[start:end]
                if not word.startswith(("/", "@")) and (wanted >= 0 or len(operands) > 1):
                    value = self._value(start)
                    if self._program.is_pair and value is not None:
                        colon = self._text.find(":", value.start, value.end)
                        host = self._text.rfind("@", value.start, value.end)
                        if 0 < host < colon or self._text.startswith("//", colon + 1):
                            continue
                        value = value._replace(start=colon + 1, end=host if host > 0 else value.end)
                        if colon < 0 or not looks_secret(self._text[value.start : value.end], is_strict=False):
                            continue
                    self._blot(value)

    def _value(self, pos: int) -> Value | None:
        """The value that begins at a place in a word."""
        if not self._are_quoted:
            return value_at(self._text, pos)
        end = next((end for start, end in self._words if start <= pos <= end), pos)
        return Value(pos, end, end, True)

    def _option(self, at: int, word: str) -> bool:
        """Read one option; whether the next word belongs to it."""
        program = self._program
        start, end = self._words[at]
        for option in sorted((*program.options, *program.joined, *program.pairs), key=len, reverse=True):
            is_long = option.startswith("--") or not option.startswith("-")
            if option in program.pairs and not is_long and re.fullmatch(rf"-[A-Za-z#]*{option[1:]}", word):
                word = option
            if len(option) == 2 and word.lower() in _LONG:
                continue  # no `-p` with something behind it
            if word == option and option not in program.joined:
                if at + 1 < len(self._words):
                    self._found(self._words[at + 1][0], option)
                return True
            is_separate = len(option) > 2 and not is_long and option[-1] != ":"
            if not word.startswith(option) or (is_separate and word[len(option) : len(option) + 1] != "="):
                continue
            rest = start + len(option)
            if self._text[rest : rest + 1] == "=":
                rest += 1
            elif is_long and option[-1] != ":":
                continue
            if rest < end:
                self._found(rest, option)
            return False
        return False

    def _found(self, pos: int, option: str) -> None:
        value = self._value(pos)
        if value is None or self._text[value.start : value.start + 1] == "-":
            return
        word = self._text[value.start : value.end]
        if option in self._program.pairs:
            at = word.find(self._program.between)
            if at < 0 or is_reference(word[at + 1 :]) or word.startswith("//", at + 1):
                return
            host = word.rfind("@")
            is_proxy = option in ("-x", "--proxy", "--preproxy", "--uri")
            if is_proxy and host < at:
                return  # a host and its port
            end = value.start + host if is_proxy else value.end
            value = value._replace(start=value.start + at + 1, end=end)
        elif option == "-b" and "=" not in word and "curl" in self._text[max(0, pos - 4000) : pos].lower():
            return
        elif word.startswith(("pass:", "env:", "file:", "fd:", "stdin")):
            if not word.startswith("pass:"):
                return
            value = value._replace(start=value.start + 5)
        self._blot(value)

    def _slashed(self, start: int, end: int) -> None:
        value = self._value(start)
        if value is None:
            return
        slash = self._text.find("/", value.start, max(value.end, end))
        at = self._text.rfind("@", slash, max(value.end, end))
        self._blot(Value(slash + 1, at if at > slash else value.end, end, False) if slash > value.start else None)

    def _blot(self, value: Value | None) -> None:
        if value is not None and value.end > value.start and not is_reference(self._text[value.start : value.end]):
            self._spans.add(value.start, value.end)
