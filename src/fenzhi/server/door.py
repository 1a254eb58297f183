"""The door of the page: who may come in, and what an answer never allows a browser to do. Pure ASGI.

The token in the printed address is checked once and exchanged for a cookie that no script can read and no other site
can send. A Host header that is not ours is refused (a foreign name that was made to point at this machine), and so is
whatever another page sends here. docs/decisions/0011.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from http.cookies import CookieError, SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: Everything comes from this server, scripts and styles from files; nothing may frame the page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    # Not no-referrer: a form would then say its origin is null, as a foreign page does.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
)
TOKEN = "token"
#: The longest body that is read, in bytes: a scenario or a case in words.
LONGEST = 256 * 1024
REFUSED = {
    403: "请使用 fenzhi serve 打印的完整地址打开本页。 / Open the page by the whole address that was printed.\n",
    405: "本页不接受这种请求。 / This page takes no such request.\n",
    413: "内容过长。 / That is too long.\n",
    421: "本页只在本机使用。 / This page is for this machine only.\n",
}


class Door:
    """Lets in whoever knows ``token``; ``port`` is ours."""

    def __init__(self, app: App, *, token: str, port: int) -> None:
        self._app = app
        self._token = token.encode()
        # What the cookie holds: the token itself is in no later request.
        self._pass = secrets.token_urlsafe(32)
        # Cookies of one machine are shared by all its ports: ours has the port in its name.
        self._cookie = f"fenzhi_{port}"
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        refused = self._foreign(scope, headers)
        if refused:
            await _refuse(send, refused)
            return
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = [value for name, value in query if name == TOKEN]
        if given:
            if secrets.compare_digest(given[-1].encode(), self._token):
                await self._enter(send, scope["path"], [pair for pair in query if pair[0] != TOKEN])
            else:
                await _refuse(send, 403)
        elif not secrets.compare_digest(self._shown(headers).encode(), self._pass.encode()):
            await _refuse(send, 403)
        else:
            await self._app(scope, _limited(receive), _guarded(send))

    def _foreign(self, scope: Scope, headers: dict[str, str]) -> int:
        """Return the status that refuses a request from elsewhere; 0 if it is from here."""
        if [name for name, _ in scope["headers"]].count(b"host") != 1 or headers["host"] not in self._hosts:
            return 421
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return 405
        origin = headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return 403
        site, mode = headers.get("sec-fetch-site"), headers.get("sec-fetch-mode")
        opened = scope["method"] == "GET" and mode == "navigate"
        if site not in (None, "same-origin", "none") and not opened:
            return 403
        length = headers.get("content-length", "0")
        return 0 if length.isdecimal() and int(length) <= LONGEST else 413

    def _shown(self, headers: dict[str, str]) -> str:
        """Return what the cookie holds, empty without one."""
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(self._cookie)
        except CookieError:
            return ""
        return "" if found is None else found.value

    async def _enter(self, send: Send, path: str, query: list[tuple[str, str]]) -> None:
        """Hand out the cookie and lead to the address without the token."""
        # One slash: two would be the address of another machine.
        place = "/" + quote(path.lstrip("/")) + (f"?{urlencode(query)}" if query else "")
        cookie = f"{self._cookie}={self._pass}; Path=/; HttpOnly; SameSite=Strict"
        more = ((b"location", place.encode("ascii")), (b"set-cookie", cookie.encode()))
        await _plain(send, 303, "", more)


async def _plain(send: Send, status: int, text: str, more: tuple[tuple[bytes, bytes], ...] = ()) -> None:
    kind = (b"content-type", b"text/plain; charset=utf-8")
    body = text.encode()
    size = (b"content-length", str(len(body)).encode())
    await send({"type": "http.response.start", "status": status, "headers": [kind, size, *HEADERS, *more]})
    await send({"type": "http.response.body", "body": body})


async def _refuse(send: Send, status: int) -> None:
    await _plain(send, status, REFUSED[status])


def _guarded(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *HEADERS]
        await send(message)

    return guarded


def _limited(receive: Receive) -> Receive:
    """Return a receiver that ends a body without stated length once it is too long."""
    read = 0

    async def limited() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        return {"type": "http.disconnect"} if read > LONGEST else message

    return limited
