"""The door alone: who is let in, and what is on every answer."""

from __future__ import annotations

import asyncio

import pytest

from fenzhi.server.door import LONGEST, Door

PORT = 4711
HOST = f"127.0.0.1:{PORT}"


async def inner(scope, receive, send):
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body += message["body"]
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside:" + body})


class Caller:
    """Asks one door; keeps no cookie by itself."""

    def __init__(self) -> None:
        self.door = Door(inner, token="secret", port=PORT)

    def ask(self, path="/", query="", method="GET", host=HOST, chunks=(b"",), **headers):
        named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        named += [(b"host", host.encode())] if host is not None else []
        scope = {"type": "http", "method": method, "path": path, "headers": named}
        scope["query_string"] = query.encode()
        waiting = [
            {"type": "http.request", "body": c, "more_body": i + 1 < len(chunks)}
            for i, c in enumerate(chunks)
        ]
        sent = []

        async def receive():
            return waiting.pop(0)

        async def send(message):
            sent.append(message)

        asyncio.run(self.door(scope, receive, send))
        if not sent:
            return 0, {}, b""
        said = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], said, b"".join(one.get("body", b"") for one in sent[1:])

    def cookie(self) -> str:
        return self.ask(query="token=secret")[1]["set-cookie"].split(";")[0]


@pytest.fixture(scope="module")
def caller():
    return Caller()


def test_the_token_becomes_a_cookie_and_leaves_the_address(caller):
    status, said, body = caller.ask("/scenario", "hospital=A%261&token=secret")
    assert (status, said["location"], body) == (303, "/scenario?hospital=A%261", b"")
    name, *rest = said["set-cookie"].split("; ")
    assert rest == ["Path=/", "HttpOnly", "SameSite=Strict"]
    assert name.startswith(f"fenzhi_{PORT}=")
    assert "secret" not in said["set-cookie"]


def test_the_cookie_lets_in(caller):
    status, said, body = caller.ask(cookie=f"other=1; {caller.cookie()}")
    assert (status, body) == (200, b"inside:")
    assert said["content-security-policy"].startswith(
        "default-src 'none'; script-src 'self'; style-src 'self'"
    )
    assert "http" not in said["content-security-policy"]
    assert "unsafe" not in said["content-security-policy"]
    assert said["cache-control"] == "no-store"
    assert said["referrer-policy"] == "same-origin"
    assert said["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("query", "cookie"),
    [
        ("", ""),
        ("token=", ""),
        ("token=wrong", ""),
        ("token=secret&token=wrong", ""),
        ("", f"fenzhi_{PORT}=x"),
    ],
)
def test_without_token_nobody_comes_in(caller, query, cookie):
    status, said, body = caller.ask(query=query, cookie=cookie)
    assert status == 403
    assert "fenzhi serve" in body.decode()
    assert "set-cookie" not in said
    assert "default-src 'none'" in said["content-security-policy"]


def test_a_wrong_token_is_refused_even_with_the_cookie(caller):
    assert caller.ask(query="token=wrong", cookie=caller.cookie())[0] == 403


@pytest.mark.parametrize(
    "host", ["evil.example", f"evil.example:{PORT}", "127.0.0.1", "127.0.0.1:1", "", None]
)
def test_a_name_that_is_not_ours_is_refused(caller, host):
    for query in ("", "token=secret"):
        assert caller.ask(query=query, host=host, cookie=caller.cookie())[0] == 421


def test_two_hosts_are_refused(caller):
    door = caller.door
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"token=secret"}
    scope["headers"] = [(b"host", b"evil.example"), (b"host", HOST.encode())]
    sent = []

    async def send(message):
        sent.append(message)

    asyncio.run(door(scope, None, send))
    assert sent[0]["status"] == 421


def test_localhost_is_ours(caller):
    assert caller.ask(host=f"localhost:{PORT}", cookie=caller.cookie())[0] == 200


def test_other_pages_may_not_ask(caller):
    cookie = caller.cookie()
    foreign = {"origin": "http://127.0.0.1:80"}, {"origin": "null"}, {"sec_fetch_site": "same-site"}
    for said in (*foreign, {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors"}):
        assert caller.ask(method="POST", cookie=cookie, **said)[0] == 403, said
    assert caller.ask(cookie=cookie, sec_fetch_site="same-site", sec_fetch_mode="cors")[0] == 403
    own = {"origin": f"http://{HOST}", "sec_fetch_site": "same-origin", "sec_fetch_mode": "cors"}
    assert caller.ask(method="POST", cookie=cookie, **own)[0] == 200
    # A link from a message leads to the page, and only leads there.
    assert caller.ask(query="token=secret", sec_fetch_site="cross-site", sec_fetch_mode="navigate")[0] == 303


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "CONNECT", "TRACE"])
def test_other_methods_are_refused(caller, method):
    assert caller.ask(method=method, cookie=caller.cookie())[0] == 405


def test_a_long_body_is_refused(caller):
    cookie = caller.cookie()
    assert caller.ask(method="POST", cookie=cookie, content_length=str(LONGEST + 1))[0] == 413
    assert caller.ask(method="POST", cookie=cookie, content_length="x")[0] == 413
    half = b"x" * (LONGEST // 2)
    assert caller.ask(method="POST", cookie=cookie, chunks=(half, half))[2] == b"inside:" + 2 * half
    # Without a stated length it ends as if the caller had gone.
    assert caller.ask(method="POST", cookie=cookie, chunks=(half, half, b"x")) == (0, {}, b"")


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "/a\r\nset-cookie: b"])
def test_the_way_in_leads_nowhere_else(caller, path):
    place = caller.ask(path, "token=secret")[1]["location"]
    assert place[0] == "/"
    assert place[1] not in "/\\"
    assert "\n" not in place


def test_what_is_no_request_gets_no_answer(caller):
    asyncio.run(caller.door({"type": "websocket"}, None, None))
