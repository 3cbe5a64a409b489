"""The first answers, asked for while Textual is imported and the screen is made: both take as long as the other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import TYPE_CHECKING, Any

from ..queries.filters import Filter
from ..queries.store import Stamp, Store
from . import learnt

if TYPE_CHECKING:
    from ..queries.store import Reader

    Questions = Mapping[str, Callable[[Reader], Any]]


LASTING = "lasting"
"""The question until when nothing runs, if all stays as it is."""


class Ahead:
    """Asks some questions with one filter in a thread of its own. A context manager that ends the thread."""

    def __init__(self, store: Store, chosen: Filter, questions: Questions) -> None:
        """The questions by name, the most urgent first."""
        self._store = store
        self._chosen = chosen
        self._questions = questions
        self._answers: dict[str, Future[Any]] = {name: Future() for name in questions}
        self._stamp: Stamp = ()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="agnes-stats-ahead")

    def __enter__(self) -> Ahead:
        self._thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def take(self, name: str, chosen: Filter) -> Any | None:
        """The answer to a question, once; waits for it. Raises what asking raised.

        None where it was not asked, not with this filter, or where the store has changed since.
        """
        answer = self._answers.get(name)
        if answer is None or chosen != self._chosen:
            return None
        del self._answers[name]
        found = answer.result()
        return found if self._store.stamp() == self._stamp else None

    def _ask(self) -> None:
        waiting = dict(self._answers)
        try:
            with self._store.read(unless=self._stop) as connection:
                self._stamp = self._store.stamp()
                learnt.learn(connection)
                for name, question in self._questions.items():
                    found = question(connection)
                    waiting.pop(name).set_result(found)
        except BaseException as error:  # noqa: BLE001
            # Whoever takes the answer tells it.
            for answer in waiting.values():
                answer.set_exception(error)
