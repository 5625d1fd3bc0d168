"""The browser that photographs figures: one for all of them, and never waited for without end.

kaleido has a server of this kind, but one that waits for ever where no browser is found, or the browser dies.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import signal
import subprocess
from contextlib import suppress
from functools import cache
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any

import plotly

from culture_metrics.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds for one picture, the start of the browser included, and for the browser's end.
PATIENCE, FAREWELL = 60.0, 5.0
INSTEAD = "or save as .html, which any browser opens."


class Camera:
    """A browser in a thread of its own.

    It starts with the first picture and stays for the next, which then takes a tenth of the time. After a
    picture that failed the next one gets a new browser.

    Parameters
    ----------
    patience : float
        Seconds to wait for one picture.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience
        self._browser: Any = None
        self._one_at_a_time = Lock()
        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, name="pictures", daemon=True).start()
        atexit.register(self.close)

    def picture(self, shown: Mapping[str, Any], opts: Mapping[str, Any], where: str = "") -> bytes:
        """Return a figure, given as its JSON object, as the bytes of a picture.

        Raises
        ------
        ReportError
            When kaleido or a browser is not there, or no picture came in time.
        """
        try:
            import kaleido
            from kaleido.errors import ChromeNotFoundError
        except ImportError as error:
            raise ReportError(
                "A picture needs a package that is not installed",
                where=where,
                expected="kaleido, version 1 or newer, and Chrome, Chromium or Edge",
                hint="Install it: pip install 'culture-metrics[pictures]'. Without it, save as .html: the "
                "page has a button that saves a PNG.",
            ) from error
        with self._one_at_a_time:
            taken = asyncio.run_coroutine_threadsafe(self._take(kaleido, shown, opts), self._loop)
            try:
                return taken.result(self.patience)
            except ChromeNotFoundError as error:
                raise ReportError(
                    "A picture needs Chrome, Chromium or Edge, and none was found",
                    where=where,
                    hint=f"Install one, or set BROWSER_PATH to it; {INSTEAD}",
                ) from error
            except BaseException as error:
                self.close(ask=False)
                if not isinstance(error, Exception):  # whoever waited stopped it
                    raise
                raise ReportError(
                    f"The browser gave no picture within {self.patience:g} seconds"
                    if isinstance(error, TimeoutError)
                    else "The browser ended, or refused, before it gave a picture",
                    where=where,
                    got=type(error).__name__,
                    hint=f"Try again, or set BROWSER_PATH to another Chrome, Chromium or Edge; {INSTEAD}",
                ) from error

    async def _take(self, kaleido: Any, shown: Mapping[str, Any], opts: Mapping[str, Any]) -> bytes:
        if self._browser is None or self._browser.subprocess.poll() is not None:
            script = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
            self._browser = kaleido.Kaleido(timeout=self.patience, plotlyjs=str(script), mathjax=False)
            await self._browser.open()
        return bytes(await self._browser.calc_fig(shown, opts=opts))

    def close(self, *, ask: bool = True) -> None:
        """End the browser: it is asked to, but by force where it is not or does not answer."""
        browser, self._browser = self._browser, None
        process = getattr(browser, "subprocess", None)
        if process is None or process.poll() is not None:
            return
        with suppress(Exception):
            if ask:
                asyncio.run_coroutine_threadsafe(browser.close(), self._loop).result(FAREWELL)
        with suppress(OSError, subprocess.TimeoutExpired):
            if process.poll() is None and hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)  # what started the browser, and the browser
            elif process.poll() is None:
                process.kill()
            process.wait(FAREWELL)


@cache
def camera() -> Camera:
    """Return the one that all figures share."""
    return Camera()
