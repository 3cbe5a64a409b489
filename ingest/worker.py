"""`python -m agnes_stats.ingest.worker`: a worker process of the ingester; see `work.py`."""

import contextlib
import os

from .work import serve

NICENESS = 12
"""Of those beside a dashboard, for which the screen, and who else is at work, need not wait."""

if __name__ == "__main__":
    with contextlib.suppress(AttributeError, OSError):  # Windows knows none
        os.nice(NICENESS)
    serve()
