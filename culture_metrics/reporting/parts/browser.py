"""PDFs by the Chrome, Edge or Chromium that is there: one process for all pages, nothing from the network."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import time
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from websocket import WebSocketException, create_connection

from culture_metrics.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websocket import WebSocket

ON_PATH = (
    "google-chrome", "google-chrome-stable", "chrome", "chromium", "chromium-browser", "microsoft-edge",
    "microsoft-edge-stable", "msedge",
)  # fmt: skip
ON_WINDOWS = (
    ("Google", "Chrome", "Application", "chrome.exe"),
    ("Microsoft", "Edge", "Application", "msedge.exe"),
    ("Chromium", "Application", "chrome.exe"),
)
ROOTS = ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA")
ON_MAC = ("Google Chrome", "Microsoft Edge", "Chromium")
#: A browser of its own, that loads nothing and asks for nothing.
OPTIONS = (
    "--headless=new", "--remote-debugging-port=0", "--no-first-run", "--no-default-browser-check",
    "--disable-gpu", "--disable-extensions", "--disable-sync", "--disable-background-networking",
    "--disable-component-update", "--disable-default-apps", "--host-resolver-rules=MAP * ~NOTFOUND",
    "--disable-dev-shm-usage",
)  # fmt: skip
#: Seconds to wait for its start, and for one answer of it.
START, ANSWER = 40, 90
#: A4 in inches, and how far a page that does not fit is made smaller, step by step.
PAPER = {"paperWidth": 8.27, "paperHeight": 11.69}
SMALLER, SMALLEST = 0.95, 0.55
_SIGNED = re.compile(rb"(/(?:Creator|Producer) \()((?:[^()\\]|\\.)*)\)")
_PAGE = re.compile(rb"/Type\s*/Page\b(?!s)")
_LISTENING = re.compile(rb"DevTools listening on (ws://\S+)")


def find_browser() -> Path | None:
    """Return the program of Chrome, Edge or Chromium, where one is installed."""
    places: list[Path] = []
    if sys.platform == "win32":
        roots = [Path(os.environ[name]) for name in ROOTS if os.environ.get(name)]
        places = [root.joinpath(*parts) for parts in ON_WINDOWS for root in roots]
    elif sys.platform == "darwin":
        homes = (Path("/Applications"), Path.home() / "Applications")
        places = [home / f"{app}.app" / "Contents" / "MacOS" / app for app in ON_MAC for home in homes]
    there = next((place for place in places if place.is_file()), None)
    named = next((found for name in ON_PATH if (found := shutil.which(name))), None)
    return there or (Path(named) if named else None)


def pages_in(pdf: bytes) -> int:
    """Count the pages of a PDF that a browser printed."""
    return len(_PAGE.findall(pdf))


def unsigned(pdf: bytes) -> bytes:
    r"""Take the browser and system that printed it out of a PDF; every byte stays where it is.

    Examples
    --------
    >>> unsigned(br"/Creator (Mozilla/5.0 \(X11; Linux\))/Producer (Skia/PDF m156)")
    b'/Creator (culture-metrics           )/Producer (             )'
    """
    ours = b"culture-metrics"

    def named(found: re.Match[bytes]) -> bytes:
        room = len(found[2])
        return found[1] + (ours if len(ours) <= room else b"").ljust(room) + b")"

    return _SIGNED.sub(named, pdf)


class Printer:
    """A running browser that prints HTML."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket, self._number = socket, 0
        self._session: str | None = None
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._frame = self._ask("Page.getFrameTree")["frameTree"]["frame"]["id"]

    def one_sheet(self, html: str) -> bytes:
        """Print a page on one sheet of A4: what does not fit is made smaller until it does."""
        # Given as text: no path of this computer comes into the PDF, and no folder needs to be readable.
        self._ask("Page.setDocumentContent", frameId=self._frame, html=html)
        scale = 1.0
        while True:
            asked = {"printBackground": True, "preferCSSPageSize": True, "generateTaggedPDF": True}
            answer = self._ask("Page.printToPDF", scale=scale, **asked, **PAPER)
            pdf = base64.b64decode(answer["data"])
            if pages_in(pdf) <= 1 or scale < SMALLEST:
                return unsigned(pdf)
            scale *= SMALLER

    def _ask(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        asked: dict[str, Any] = {"id": self._number, "method": method, "params": params}
        try:
            self._socket.send(json.dumps(asked | ({"sessionId": self._session} if self._session else {})))
            return self._answer(method)
        except (WebSocketException, OSError, json.JSONDecodeError) as error:
            raise _refused(f"{method}: {type(error).__name__}") from error

    def _answer(self, method: str) -> dict[str, Any]:
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise _refused(answer["error"].get("message", method))
                found: dict[str, Any] = answer["result"]
                return found


@contextmanager
def printer(program: Path) -> Iterator[Printer]:
    """Start a browser and end it.

    Raises
    ------
    ReportError
        When it does not start, or does not do what it is asked.
    """
    with TemporaryDirectory(prefix="culture-metrics-", ignore_cleanup_errors=True) as place:
        log = Path(place) / "log"
        # Chrome has no sandbox for the superuser, as in containers; what it is shown was made here.
        more = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        command = [str(program), *OPTIONS, *more, f"--user-data-dir={Path(place) / 'profile'}", "about:blank"]
        try:
            with log.open("wb") as errors:
                process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
                )
        except OSError as error:
            raise _refused(error.strerror or type(error).__name__) from error
        try:
            address = _address(process, log)
            try:
                socket = create_connection(address, timeout=ANSWER, suppress_origin=True, http_no_proxy=["*"])
            except (WebSocketException, OSError) as error:
                raise _refused(type(error).__name__) from error
            with closing(socket):
                try:
                    yield Printer(socket)
                finally:
                    with suppress(WebSocketException, OSError):
                        socket.send(json.dumps({"id": 0, "method": "Browser.close"}))
        finally:
            _end(process)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    until = time.monotonic() + START
    while time.monotonic() < until and process.poll() is None:
        if found := _LISTENING.search(log.read_bytes()):
            return found[1].decode()
        time.sleep(0.05)
    raise _refused("it did not start, or may not be driven by other programs here")


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def _refused(why: str) -> ReportError:
    return ReportError(
        "The browser did not print the pages",
        got=why,
        hint="Open the pages and print them from the browser: each is one sheet of A4.",
    )
