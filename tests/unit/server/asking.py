"""Asking a served page as a browser does: the printed address first, then the cookie it handed out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, Request, build_opener

from fenzhi.server import Served, serve


@dataclass(frozen=True)
class Got:
    """Status, headers, body."""

    status: int
    headers: Any
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class User:
    """Somebody with a browser of his own; ``enter``: with the printed address."""

    def __init__(self, served: Served, *, enter: bool = True) -> None:
        self.base = served.address.split("/?")[0]
        self.jar = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self.jar))
        if enter:
            assert self.get(served.address.removeprefix(self.base)).status == 200

    def get(self, path: str, data: bytes | None = None, **headers: str) -> Got:
        asked = Request(self.base + path, data, {name.replace("_", "-"): v for name, v in headers.items()})
        try:
            with self._opener.open(asked, timeout=60) as answer:
                return Got(answer.status, answer.headers, answer.read())
        except HTTPError as refused:
            return Got(refused.code, refused.headers, refused.read())

    def ask(self, what: str, **said: Any) -> dict[str, Any]:
        got = self.get(f"/answer/{what}", json.dumps(said).encode())
        assert got.status == 200, got.text
        return got.json


@contextmanager
def served(folder: Path, **options: Any) -> Iterator[Served]:
    """A page that answers while the block runs."""
    with serve(folder, **options).in_background() as page:
        yield page
