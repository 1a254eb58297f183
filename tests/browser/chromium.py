"""A headless Chromium, driven over its debugging pipe: no driver, no websocket, nothing to install but the browser."""

from __future__ import annotations

import base64
import json
import os
import re
import select
import shutil
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
PATIENCE = 120.0


def browser() -> str | None:
    """Return the program, or None: FENZHI_BROWSER names one (empty: none), else the first that is installed."""
    named = os.environ.get("FENZHI_BROWSER")
    if named is not None:
        return named or None
    # The protocol runs over two inherited descriptors, which is how POSIX systems do it.
    return next(filter(None, map(shutil.which, NAMES)), None) if os.name == "posix" else None


@dataclass
class Opened:
    """A page as the browser shows it, and what it said and asked for while it was opened."""

    chromium: Chromium
    session: str
    problems: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ask(self, expression: str) -> Any:
        """Return the value of a JavaScript expression."""
        found = self.chromium.call(
            "Runtime.evaluate", {"expression": expression, "returnByValue": True}, self.session
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, expression: str) -> Any:
        """Wait until a JavaScript expression holds, and return its value."""
        late = time.monotonic() + PATIENCE
        while not (found := self.ask(expression)):
            assert time.monotonic() < late, f"never true: {expression}"
            time.sleep(0.02)
        return found

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """Write the whole page as a PNG, or what its window shows."""
        found = self.chromium.call(
            "Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole}, self.session
        )
        path.write_bytes(base64.b64decode(found["data"]))

    def pdf(self, path: Path | None = None) -> int:
        """Print the page as its style sheet says; return the number of sheets."""
        options = {"preferCSSPageSize": True, "printBackground": True}
        found = self.chromium.call("Page.printToPDF", options, self.session)
        content = base64.b64decode(found["data"])
        if path is not None:
            path.write_bytes(content)
        return len(re.findall(rb"/Type\s*/Page\b(?!s)", content))

    def media(self, name: str) -> None:
        """Show the page as on ``screen`` or in ``print``."""
        self.chromium.call("Emulation.setEmulatedMedia", {"media": name}, self.session)

    def resize(self, width: int, height: int = 900) -> None:
        """Set the size of the window in CSS pixels."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.chromium.call("Emulation.setDeviceMetricsOverride", size, self.session)

    def close(self) -> None:
        """Close the tab."""
        self.chromium.call("Page.close", {}, self.session)


class Chromium:
    """The browser, with an empty profile in ``profile``."""

    def __init__(self, program: str, profile: Path) -> None:
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        import fcntl  # where descriptors are inherited, it is there

        # The program reads descriptor 3 and writes 4, whatever numbers the pipes have here.
        high = [fcntl.fcntl(pipe, fcntl.F_DUPFD_CLOEXEC, 10) for pipe in (to_browser, from_browser)]

        def place() -> None:
            for pipe, wanted in zip(high, (3, 4), strict=True):
                os.dup2(pipe, wanted)

        self._process = subprocess.Popen(
            [program, *OPTIONS, f"--user-data-dir={profile}"],
            preexec_fn=place,
            pass_fds=(3, 4),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for pipe in high:
            os.close(pipe)
        os.close(to_browser)
        os.close(from_browser)
        self._left = b""
        self._last = 0
        self._opened: dict[str, Opened] = {}
        self._loaded: set[str] = set()
        self.version = str(self.call("Browser.getVersion")["product"])

    def call(
        self, method: str, parameters: dict[str, Any] | None = None, session: str = ""
    ) -> dict[str, Any]:
        """Send a command and return its answer; what comes before it is noted."""
        self._last += 1
        wanted = self._last
        message: dict[str, Any] = {"id": wanted, "method": method, "params": parameters or {}}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            heard = self._hear()
            if heard.get("id") == wanted:
                assert "error" not in heard, (method, heard["error"])
                result: dict[str, Any] = heard["result"]
                return result

    def somebody_else(self, downloads: Path | None = None) -> str:
        """Return a user of the browser with cookies of his own, for ``open``; files go to ``downloads``."""
        user = str(self.call("Target.createBrowserContext")["browserContextId"])
        if downloads is not None:
            where = {"behavior": "allow", "downloadPath": str(downloads), "browserContextId": user}
            self.call("Browser.setDownloadBehavior", where)
        return user

    def open(self, page: Path | str, width: int, user: str | None = None) -> Opened:
        """Open a file or an address in a new tab of some width and wait until it is loaded."""
        whose = {} if user is None else {"browserContextId": user}
        target = self.call("Target.createTarget", {"url": "about:blank", **whose})["targetId"]
        session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        opened = self._opened[session] = Opened(self, session)
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable", {}, session)
        opened.resize(width)
        opened.requests.clear()
        self._loaded.discard(session)
        address = page if isinstance(page, str) else page.resolve().as_uri()
        self.call("Page.navigate", {"url": address}, session)
        while session not in self._loaded:
            self._hear()
        # Fonts are part of how a page looks.
        found = self.call(
            "Runtime.evaluate",
            {"expression": "document.fonts.ready.then(() => 1)", "awaitPromise": True},
            session,
        )
        assert found["result"]["value"] == 1
        return opened

    def close(self) -> None:
        """End the browser that was started here."""
        try:
            self.call("Browser.close")
        except (OSError, AssertionError):
            self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def _hear(self) -> dict[str, Any]:
        """Return the next message; note what pages say and ask for."""
        until = time.monotonic() + PATIENCE
        while b"\0" not in self._left:
            ready, _, _ = select.select([self._read], [], [], max(until - time.monotonic(), 0))
            assert ready, f"the browser was silent for {PATIENCE:.0f} s"
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has ended"
            self._left += more
        first, _, self._left = self._left.partition(b"\0")
        heard: dict[str, Any] = json.loads(first)
        opened = self._opened.get(heard.get("sessionId", ""))
        if opened is not None:
            self._note(opened, heard.get("method", ""), heard.get("params", {}))
        return heard

    def _note(self, opened: Opened, method: str, given: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.add(opened.session)
        elif method == "Network.requestWillBeSent":
            opened.requests.append(given["request"]["url"])
        elif method == "Runtime.exceptionThrown":
            opened.problems.append(given["exceptionDetails"]["text"])
        elif method == "Runtime.consoleAPICalled" and given["type"] in ("error", "warning", "assert"):
            opened.problems.append(str(given["args"]))
        elif method == "Log.entryAdded" and given["entry"]["level"] in ("error", "warning"):
            opened.problems.append(given["entry"]["text"])
