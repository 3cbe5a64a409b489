"""Codes that a terminal obeys, as they may stand in a text from data."""

from __future__ import annotations

import re

# ECMA-48: CSI to its final byte; OSC, DCS, SOS, PM and APC to their terminator; then every shorter escape. A
# string that never ends keeps its text and loses only its introducer, or one stray byte would hide the rest.
ESCAPE_CODES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x80-\x9f]{0,4096}(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
