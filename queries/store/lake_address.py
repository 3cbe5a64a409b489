"""Where a lakehouse is: how people name one, and the file on this machine that stands for it.

A lake is named `ducklake:postgresql://USER@HOST/DATABASE?data=FOLDER`: its catalogue is in a PostgreSQL, its rows are
Parquet files in a folder or a bucket. Everything else here goes by the path of a store, so a lake has one, too: of a
small file that holds its name, in a folder of its own, beside which lies what other stores have beside their file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from .. import postgres
from ..paths import expanded
from ..regular import read_text
from ..replaced import replace_text
from .errors import StoreForeign
from .files import LAKE_SUFFIX

SIGN = "ducklake:"
"""What the name of a lake begins with."""

SCHEMA = "agnes_stats_lake"
"""In which schema of the database the catalogue is, unless another one is named."""

FORM = "a lake is named as ducklake:postgresql://USER@HOST/DATABASE?data=FOLDER, or data=s3://BUCKET/FOLDER"

_MOST_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class LakeAddress:
    """A checked name of a lake, without a password."""

    catalogue: postgres.Address
    data: str | None
    """The folder, absolute and ending in a slash, or the bucket; None: as the catalogue has it."""
    schema: str

    @property
    def shown(self) -> str:
        """For people: machine and database, and the schema if it is not the usual one."""
        of = "" if self.schema == SCHEMA else f" ({self.schema})"
        return f"the lake at {self.catalogue.shown}{of}"

    @property
    def is_bucket(self) -> bool:
        """Whether the rows are in a bucket."""
        return self.data is not None and self.data.startswith("s3://")

    @property
    def text(self) -> str:
        """The name in full."""
        parts = urlsplit(self.catalogue.url)
        own = [("data", self.data)] if self.data else []
        own += [("schema", self.schema)] if self.schema != SCHEMA else []
        query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *own], quote_via=quote, safe="/:")
        return SIGN + parts._replace(query=query).geturl()


def is_lake(text: str) -> bool:
    """Whether a store is named as a lake is."""
    return text.startswith(SIGN)


def lake_address(text: str) -> LakeAddress:
    """What the name of a lake says. Raises ServerError, in words for people, for one that is none."""
    checked = postgres.address(text.removeprefix(SIGN), FORM)
    parts = urlsplit(checked.url)
    values = parse_qsl(parts.query, keep_blank_values=True)
    own = {name: value for name, value in values if name in ("data", "schema")}
    schema = own.get("schema", SCHEMA)
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", schema):
        raise postgres.ServerError("the schema of a lake is a name of small letters, digits and _")
    if not parts.path.strip("/"):
        raise postgres.ServerError(FORM)
    rest = urlencode([pair for pair in values if pair[0] not in own], quote_via=quote, safe="/:")
    return LakeAddress(postgres.Address(parts._replace(query=rest).geturl()), _data_of(own.get("data")), schema)


def _data_of(text: str | None) -> str | None:
    if text is None:
        return None
    scheme, sign, _ = text.partition("://")
    if sign:
        if scheme != "s3" or not text.removeprefix("s3://").strip("/"):
            raise postgres.ServerError(f"{text} is no folder and no bucket: {FORM}")
        return f"{text.rstrip('/')}/"
    if not text:
        raise postgres.ServerError(FORM)
    return f"{str(expanded(text).absolute()).rstrip('/')}/"


def path_for(lake: LakeAddress, folder: Path) -> Path:
    """The path of the file that stands for a lake, below a folder of the user's; made if it is not there.

    Raises OSError.
    """
    import hashlib

    name = hashlib.sha256(lake.text.encode()).hexdigest()[:16]
    path = folder / "lakes" / name / f"store{LAKE_SUFFIX}"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        replace_text(path, f"{lake.text}\n")
    return path


def lake_at(path: Path) -> LakeAddress:
    """The lake that a file stands for. Raises StoreForeign."""
    try:
        return lake_address(read_text(path, _MOST_BYTES).strip())
    except OSError as error:
        raise StoreForeign(f"{path}: {error.strerror or error}") from None
    except (ValueError, postgres.ServerError) as error:
        raise StoreForeign(f"{path} does not name a lake: {error}") from None
