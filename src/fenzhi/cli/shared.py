"""What the commands share: options, the progress bar, tables for the terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

F = TypeVar("F", bound=Callable[..., Any])
FOLDER = click.Path(path_type=Path, file_okay=False)
PATH = click.Path(path_type=Path)

STAGES = {
    "read region": "读取统筹区",
    "read history": "读取历史病例",
    "group history": "历史病例分组",
    "measure weights": "测算权重",
    "read records": "读取本年病例",
    "read catalogue": "读取目录",
    "group": "分组",
    "score": "计算分值",
    "draw": "模拟余下月份",
    "price and settle": "点值与结算",
    "collect tables": "汇总结果表",
    "write tables": "写结果表",
    "write reports": "写报表",
    "write": "写文件",
    "build": "测算目录",
    "done": "完成",
}


def lang_option(function: F) -> F:
    """Add ``--lang``."""
    return click.option(
        "--lang",
        type=click.Choice(["zh", "en"]),
        default="zh",
        show_default=True,
        help="语言 / language of pages and summaries",
    )(function)


WIDE = 160


def console() -> Console:
    """Return a console for standard output; wide enough for whole amounts where it is no terminal."""
    out = Console(highlight=False)
    if not out.is_terminal and "COLUMNS" not in os.environ:
        out.width = WIDE
    return out


def say(text: str) -> None:
    """Print one line to standard output, as it is and unbroken."""
    console().print(text, soft_wrap=True, markup=False)


@contextmanager
def progress_bar(lang: str = "zh") -> Iterator[Callable[[str, float], None]]:
    """Show a progress bar on standard error; give a function (stage, share done)."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    screen = Console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("", total=1.0)

        def show(stage: str, done: float) -> None:
            bar.update(task, completed=done, description=STAGES.get(stage, stage) if lang == "zh" else stage)

        yield show


_FIGURE = re.compile(r"[-+]?[0-9][0-9,]*(\.[0-9]+)?%?|-|")


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a title and a table of texts, taken as they are; columns of figures but the first stand to the right."""
    out = Table(box=SIMPLE_HEAD, pad_edge=False)
    for i, name in enumerate(columns):
        figures = i > 0 and bool(rows) and all(_FIGURE.fullmatch(row[i]) for row in rows)
        # A figure is never broken over two lines; text gives way.
        out.add_column(
            escape(name), justify="right" if figures else "left", overflow="fold", no_wrap=figures and bool(i)
        )
    for row in rows:
        out.add_row(*(escape(cell) for cell in row))
    say(title)
    console().print(out)
