"""Start the page: a socket of this machine only, a token, and the library that listens (uvicorn)."""

from __future__ import annotations

import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from fenzhi.errors import OutputError
from fenzhi.server.app import make_app
from fenzhi.server.door import TOKEN, Door
from fenzhi.server.year import Year, open_year

HOST = "127.0.0.1"


class _Listener(uvicorn.Server):
    """The library's server; what a signal means is left to the command line."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@dataclass(frozen=True)
class Served:
    """A page that is ready: ``address`` holds the token. ``run`` listens until it is stopped."""

    address: str
    server: uvicorn.Server
    year: Year
    socket: socket.socket

    def run(self) -> None:
        """Answer requests until ``stop``."""
        # The first what-if should not wait for the year; what is wrong with it is said to who asks.
        threading.Thread(target=self.year.warm, name="fenzhi simulation", daemon=True).start()
        try:
            self.server.run(sockets=[self.socket])
        finally:
            self.socket.close()

    def stop(self) -> None:
        """End ``run`` in whatever thread it is."""
        self.server.should_exit = True

    @contextmanager
    def in_background(self) -> Iterator[Served]:
        """Answer requests in a thread while the block runs, for notebooks and tests."""
        thread = threading.Thread(target=self.run, name="fenzhi serve", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join(timeout=20)


def serve(
    folder: Path | str,
    *,
    hospital: str | None = None,
    run: Path | str | None = None,
    port: int = 0,
    lang: str = "zh",
) -> Served:
    """Return the page of a region's or hospital's folder, ready to ``run``; it listens on 127.0.0.1 only.

    ``hospital``: the page is for this hospital and shows no other's stays; without it, in a region, one is chosen on
    the page. ``run``: a finished run of the folder, else its last. ``port``: 0 takes a free one. Raises
    :class:`fenzhi.errors.FenzhiError` in words: no finished run, an unknown hospital, a port in use.
    """
    year = open_year(Path(folder), hospital, None if run is None else Path(run), lang)
    listening = _listen(port)
    port = listening.getsockname()[1]
    token = secrets.token_urlsafe(32)
    config = uvicorn.Config(
        Door(make_app(year), token=token, port=port),
        loop="asyncio",
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=2,
    )
    return Served(f"http://{HOST}:{port}/?{TOKEN}={token}", _Listener(config), year, listening)


def _listen(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.bind((HOST, port))
        listening.listen()
    except OSError as error:
        listening.close()
        raise OutputError(
            f"the port cannot be used: {error.strerror or error}",
            code="SERVE_PORT",
            field="--port",
            value=port,
            remedy="give another port, or none for a free one",
        ) from error
    return listening
