"""The addresses of the page: parts, answers to sliders and forms, files to take away. Computes nothing itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from fenzhi.errors import FenzhiError, InputError
from fenzhi.reports.display import Table
from fenzhi.reports.pages import TEMPLATES as REPORTS
from fenzhi.server.export import KINDS, file_of
from fenzhi.server.parts import ANSWERS, PARTS
from fenzhi.server.section import Section
from fenzhi.server.whole import whole_file
from fenzhi.server.year import Year

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
#: Address -> file and its kind. Nothing else is handed out.
STATIC = {
    "page.css": (REPORTS / "page.css", "text/css"),
    "serve.css": (HERE / "static" / "serve.css", "text/css"),
    "serve.svg": (HERE / "static" / "serve.svg", "image/svg+xml"),
    "serve.js": (HERE / "static" / "serve.js", "text/javascript"),
}


def make_app(year: Year) -> Starlette:
    """Return the application that shows a year; who may ask is decided before it (:mod:`fenzhi.server.door`)."""
    pages = _Pages(year)
    return Starlette(
        routes=[
            *(Route("/" if name == "overview" else f"/{name}", pages.part(name)) for name in PARTS),
            *(Route(f"/answer/{name}", pages.answer(name), methods=["POST"]) for name in ANSWERS),
            Route("/take/{part}/{file}", pages.take),
            Route("/take/{part}/{file}", pages.take_answer, methods=["POST"]),
            Route("/whole/{file}", pages.whole),
            Route("/static/{file}", _static),
        ],
        exception_handlers={FenzhiError: pages.refused},
    )


def _static(request: Request) -> Response:
    file = STATIC.get(request.path_params["file"])
    if file is None:
        return Response("", status_code=404)
    return Response(file[0].read_bytes(), media_type=file[1])


class _Pages:
    """Makes the answers of one year."""

    def __init__(self, year: Year) -> None:
        self.year = year
        environment = Environment(
            loader=FileSystemLoader([TEMPLATES, REPORTS]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.tests["a_table"] = lambda block: isinstance(block, Table)
        manifest = year.tables.manifest
        environment.globals |= {
            "w": year.words,
            "manifest": manifest,
            "synthetic": year.tables.synthetic,
            "version": manifest.get("versions", {}).get("fenzhi", ""),
            "parts": list(PARTS),
            "linked": False,
        }
        self._environment = environment

    def _chosen(self, request: Request) -> str | None:
        return self.year.chosen(request.query_params.get("hospital"))

    def _query(self, code: str | None) -> str:
        """Return what an address says of the chosen hospital: nothing on a page that is one hospital's."""
        return "" if code is None or self.year.own is not None else "?" + urlencode({"hospital": code})

    def _render(self, template: str, code: str | None, **shown: Any) -> str:
        year = self.year
        return self._environment.get_template(template).render(
            code=code,
            name=None if code is None else year.names()[code],
            names=None if year.own is not None else year.names(),
            query=self._query(code),
            **shown,
        )

    def part(self, name: str) -> Callable[[Request], Response]:
        """Return the answer to the address of a part of the page."""
        part = PARTS[name]

        def shown(request: Request) -> Response:
            code = self._chosen(request)
            if code is None and not part.of_region:
                return HTMLResponse(self._render("choose.html", None, part=name))
            section = PARTS[name].of(self.year, code)
            more = {} if part.more is None else part.more(self.year, code)
            return HTMLResponse(
                self._render(part.template, code, part=name, section=section, ask=None, **more)
            )

        return shown

    def answer(self, name: str) -> Callable[[Request], Any]:
        """Return the answer to a question of sliders or a form, as JSON: ``html`` to show, figures besides."""

        async def answered(request: Request) -> Response:
            body = await request.body()

            def work() -> dict[str, Any]:
                asked = _json(body)
                code = self.year.chosen(asked.get("hospital"))
                answer = ANSWERS[name](self.year, code, asked)
                ask = json.dumps(asked, ensure_ascii=False)
                html = self._render("answer.html", code, part=name, section=answer.section, ask=ask)
                return {"html": html, **answer.said}

            try:
                return JSONResponse(await run_in_threadpool(work))
            except FenzhiError as error:
                html = self._render("refused.html", None, error=error)
                # A question that makes no sense is answered in words: for the browser that is no failure.
                return JSONResponse({"error": error.code, "html": html})

        return answered

    def take(self, request: Request) -> Response:
        """Return a table or picture of a part as a file."""
        name, code = request.path_params["part"], self._chosen(request)
        if name not in PARTS or (code is None and not PARTS[name].of_region):
            return Response("", status_code=404)
        return self._file(request, PARTS[name].of(self.year, code))

    async def take_answer(self, request: Request) -> Response:
        """Return a table or picture of an answer as a file; the form says again what was asked."""
        name = request.path_params["part"]
        if name not in ANSWERS:
            return Response("", status_code=404)
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        asked = _json(form.get("ask", ["{}"])[0].encode())

        def work() -> Response:
            code = self.year.chosen(asked.get("hospital"))
            return self._file(request, ANSWERS[name](self.year, code, asked).section)

        return await run_in_threadpool(work)

    def _file(self, request: Request, section: Section) -> Response:
        found = re.fullmatch(r"([a-z0-9_-]+)\.([a-z]+)", request.path_params["file"])
        if found is None or found[2] not in KINDS:
            return Response("", status_code=404)
        content = file_of(section.block(found[1], found[2]), found[2], self.year)
        return self._download(content, f"{section.name}-{found[1]}.{found[2]}", KINDS[found[2]])

    def whole(self, request: Request) -> Response:
        """Return the whole results as a file."""
        code = self._chosen(request)
        content, file, kind = whole_file(self.year, code, request.path_params["file"])
        return self._download(content, file, kind)

    def _download(self, content: bytes, file: str, kind: str) -> Response:
        name = f"{self.year.tables.manifest['run_id']}-{file}"
        said = f"attachment; filename*=UTF-8''{quote(name)}"
        return Response(content, media_type=kind, headers={"content-disposition": said})

    def refused(self, _request: Request, error: Exception) -> Response:
        """Return the page that says in words why there is no answer."""
        return HTMLResponse(self._render("error.html", None, part="", error=error), status_code=400)


def _json(body: bytes) -> dict[str, Any]:
    """Return what was asked. Raises :class:`InputError` if it is no JSON object."""
    try:
        asked = json.loads(body)
    except ValueError:
        asked = None
    if not isinstance(asked, dict):
        raise InputError(
            "the question is not readable",
            code="SERVE_ASK",
            remedy="ask by the sliders and forms of the page",
        )
    return asked
