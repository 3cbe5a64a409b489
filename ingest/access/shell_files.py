"""Shell commands that read, search or write files they name, and those that read the web."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..text import kept
from .hosts import web_host
from .model import ADHOC, Access, file_access
from .options import Grammar, Split, grammar, split

_MAX_FILES = 20
_WRITE_OPERATORS = frozenset({">", ">>", ">|", ">&", "&>", "&>>", "<>"})
_NO_FILE = re.compile(r"-?|/dev/.*|\{\}|[$`]\(.*|`.*|\\?;|\+|.*\n.*", re.DOTALL)
_AWK_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")


@dataclass(frozen=True, slots=True)
class FileReader:
    """A command that names files: what it does to them, and how many operands before them name none.

    The options in `instead` (grep's `-e`, awk's `-f`) take the place of those first operands.
    """

    action: str
    rules: Grammar
    skip: int = 0
    instead: tuple[str, ...] = ()


_CAT = FileReader("file.read", grammar(""))
_HEAD = FileReader("file.read", grammar("n c lines bytes s sleep-interval pid"))
_GREP_RULES = grammar("e regexp f file A B C after-context before-context context m max-count d D label")
_GREP = FileReader("file.search", _GREP_RULES, 1, ("e", "regexp", "f", "file"))
_RG = FileReader(
    "file.search",
    grammar(
        "e regexp f file g glob iglob t type T type-not A B C after-context before-context context m "
        "max-count j threads M max-columns d max-depth r replace E encoding sort sortr color colors "
        "type-add pre ignore-file"
    ),
    1,
    ("e", "regexp", "f", "file", "files"),
)
_LISTING = FileReader("file.search", grammar("I L P w T ignore time-style sort color block-size"))
_AWK = FileReader("file.read", grammar("F v f field-separator assign file"), 1, ("f", "file"))
_SED = FileReader("file.read", grammar("e expression f file l", attached="i"), 1, ("e", "expression", "f", "file"))
READERS: Mapping[str, FileReader] = {
    **dict.fromkeys(("cat", "tac", "nl", "zcat", "gzcat", "bzcat", "xzcat", "zstdcat", "less", "more", "wc"), _CAT),
    **dict.fromkeys(("head", "tail"), _HEAD),
    **dict.fromkeys(("bat", "batcat"), FileReader("file.read", grammar("l language r line-range style theme paging"))),
    **dict.fromkeys(("diff", "cmp"), FileReader("file.read", grammar("U C W x I F L width exclude label"))),
    **dict.fromkeys(("xxd", "hexdump", "od", "strings"), FileReader("file.read", grammar("n s l c t A j N w"))),
    "sort": FileReader("file.read", grammar("k key t field-separator S buffer-size T o")),
    "uniq": FileReader("file.read", grammar("f s w")),
    "cut": FileReader("file.read", grammar("d f c b delimiter fields")),
    "jq": FileReader(
        "file.read",
        grammar("arg:2 argjson:2 slurpfile:2 rawfile:2 indent f from-file L"),
        1,
        ("f", "from-file"),
    ),
    **dict.fromkeys(("grep", "egrep", "fgrep", "zgrep", "ggrep"), _GREP),
    **dict.fromkeys(("rg", "ag"), _RG),
    **dict.fromkeys(("ls", "tree"), _LISTING),
    **dict.fromkeys(
        ("fd", "fdfind"), FileReader("file.search", grammar("e extension t type d max-depth E exclude x X"), 1)
    ),
    **dict.fromkeys(("awk", "gawk", "mawk"), _AWK),
    **dict.fromkeys(("sed", "gsed"), _SED),
    "tee": FileReader("file.write", grammar("")),
}

_CURL = grammar(
    "o output X request H header d data data-raw data-binary data-urlencode data-ascii json u user A "
    "user-agent b cookie c cookie-jar e referer F form form-string T upload-file m max-time connect- "
    "timeout w write-out x proxy E cert key cacert capath K config C continue-at D dump-header r range "
    "Q quote U proxy-user P ftp-port t telnet-option y Y z url retry retry-delay retry-max-time resolve "
    "connect-to interface limit-rate max-redirs max-filesize output-dir oauth2-bearer aws-sigv4 unix- "
    "socket socks5 socks5-hostname variable url-query stderr trace trace-ascii ciphers"
)
_WGET = grammar(
    "O output-document o output-file a append-output e execute t tries T timeout w wait Q quota P "
    "directory-prefix U user-agent header user password post-data post-file body-data method i input- "
    "file B base l level A accept R reject D domains I X load-cookies save-cookies referer ca- "
    "certificate limit-rate waitretry"
)


def is_file(word: str) -> bool:
    """Return whether a word can name a file: not standard input, a device, or a substitution."""
    return _NO_FILE.fullmatch(word) is None


def reader_accesses(name: str, words: Sequence[str], host: str | None, *, piped: bool) -> list[Access]:
    """Return the accesses of a command of `READERS`, given the words after its name."""
    if name in ("sed", "gsed") and "-i" in words and words[words.index("-i") + 1 : words.index("-i") + 2] == ("",):
        words = [
            *words[: words.index("-i") + 1],
            *words[words.index("-i") + 2 :],
        ]  # BSD: the suffix is a word
    reader = READERS[name]
    given = split(words, reader.rules)
    if given.has("help", "version"):
        return []
    action = "file.write" if name in ("sed", "gsed") and given.has("i", "in-place") else reader.action
    names = given.operands if given.has(*reader.instead) else given.operands[reader.skip :]
    if name in ("awk", "gawk", "mawk"):
        names = tuple(word for word in names if not _AWK_ASSIGNMENT.match(word))
    if not names and not piped and _searches_folder(name, given):
        names = (".",)
    return [file_access(action, path, host) for path in names[:_MAX_FILES] if is_file(path)]


def _searches_folder(name: str, given: Split) -> bool:
    """Without a path, rg, fd and a recursive grep search the working folder."""
    if name in ("rg", "ag", "fd", "fdfind"):
        return bool(given.operands) or given.has("e", "regexp", "files")
    recursive = given.has("r", "R", "recursive", "dereference-recursive")
    return READERS[name] is _GREP and recursive and bool(given.operands or given.has("e", "regexp"))


def find_accesses(words: Sequence[str], host: str | None) -> list[Access]:
    """Return the folders `find` searches: the words before its first test; none means the working folder."""
    folders: list[str] = []
    for word in words:
        if word in ("-H", "-L", "-P"):
            continue
        if word.startswith(("-", "(", "!")):
            break
        folders.append(word)
    if "--help" in words or "--version" in words:
        return []
    return [file_access("file.search", path, host) for path in folders or ["."] if is_file(path)]


def copy_accesses(words: Sequence[str], host: str | None) -> list[Access]:
    """Return the files `cp` reads and the one it writes."""
    given = split(words, grammar("t target-directory S suffix"))
    sources, target = given.operands, given.last("t", "target-directory")
    if target is None:
        sources, target = given.operands[:-1], given.operands[-1] if len(given.operands) > 1 else None
    if target is None:
        return []
    read = [file_access("file.read", path, host) for path in sources[:_MAX_FILES] if is_file(path)]
    return [*read, *([file_access("file.write", target, host)] if is_file(target) else [])]


def redirect_accesses(redirects: Sequence[tuple[str, str]], host: str | None, *, skip_input: bool) -> list[Access]:
    """Return the files a command's redirections read and write; the shell opens them on its own side."""
    found: list[Access] = []
    for operator, target in redirects:
        if is_file(target) and operator in _WRITE_OPERATORS:
            found.append(file_access("file.write", target, host))
        elif is_file(target) and operator == "<" and not skip_input:
            found.append(file_access("file.read", target, host))
    return found


def web_access(address: str) -> Access:
    """Return the access of a web address; its resource is the host, `adhoc` when it is not known."""
    address = kept(address, 1000)
    return Access("web.fetch", web_host(address) or ADHOC, path=address)


def curl_accesses(words: Sequence[str], host: str | None) -> list[Access]:
    given = split(words, _CURL)
    if given.has("help", "version", "V", "h", "M", "manual"):
        return []
    found = [web_access(address) for address in (*given.operands, *given.all("url")) if _is_address(address)]
    files = [path for path in given.all("o", "output") if is_file(path)] if found else []
    return [*found, *(file_access("file.write", path, host) for path in files)]


def wget_accesses(words: Sequence[str], host: str | None) -> list[Access]:
    given = split(words, _WGET)
    if given.has("help", "version", "V", "h"):
        return []
    found = [web_access(address) for address in given.operands if _is_address(address)]
    files = [path for path in given.all("O", "output-document") if is_file(path)] if found else []
    return [*found, *(file_access("file.write", path, host) for path in files)]


def _is_address(word: str) -> bool:
    return (
        "://" in word or word.startswith("$") or re.match(r"[\w-]+(?:\.[\w-]+)*(?::\d+)?(?:[/?#]|$)", word) is not None
    )


FILE_COMMANDS: Mapping[str, Callable[[Sequence[str], str | None], list[Access]]] = {
    "find": find_accesses,
    "cp": copy_accesses,
    "curl": curl_accesses,
    "wget": wget_accesses,
}
