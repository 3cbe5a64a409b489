"""Where the program starts: an answer that was kept and is still right is told before anything else is imported."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence

from ..queries import kept


def main(arguments: Sequence[str] | None = None) -> int:
    """The command `agnes-stats`; its exit status. `arguments`: another command line than that of the process."""
    with kept.beginning(list(sys.argv[1:] if arguments is None else arguments)) as may_keep:
        if may_keep is not None:
            answer = may_keep.find(time.time())
            if answer is not None and _is_told(answer):
                return 0
            may_keep.look()
        from .cli import main as whole

        return whole(arguments)


def _is_told(answer: bytes) -> bool:
    """Write an answer, that was fit for this terminal, as it is; whether that is done, or nobody wants it any more.

    What else is wrong is told by the run that makes the answer anew.
    """
    left = memoryview(answer)
    try:
        while left:
            left = left[os.write(1, left) :]
    except BrokenPipeError:
        return True
    except OSError:
        return False
    return True
