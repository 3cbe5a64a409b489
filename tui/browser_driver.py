"""The driver of a dashboard in a browser, which ends with the server that started it."""

from __future__ import annotations

from textual.drivers.web_driver import WebDriver
from textual.messages import ExitApp


class BrowserDriver(WebDriver):
    """Textual's own (8.2), but that the app ends when nobody can speak to it any more."""

    def run_input_thread(self) -> None:
        """Take what the server sends, until it says, or is, no more."""
        super().run_input_thread()
        self._app.post_message(ExitApp())
