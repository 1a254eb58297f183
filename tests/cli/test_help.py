"""Help, version, start-up: docs/cli.md is the help, every command gives an example, nothing heavy is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from cli.calls import done, fenzhi
from fenzhi.cli import COMMANDS, app

DOC = Path(__file__).parents[2] / "docs" / "cli.md"
HEAD = """\
# The command line

This page is the output of `--help`; a test compares them.

Exit codes: 0 done; 1 done, but rows were rejected and `--strict` was given; 2 wrong usage or input (the message says
what, where, and what to do; the codes are in [errors.md](errors.md)); 130 stopped by you or by the system.
"""


def contexts(command: click.Command, name: str, parent: click.Context | None = None):
    """Every command and subcommand with its full name."""
    settings = {"terminal_width": 100, "max_content_width": 100, **command.context_settings}
    context = click.Context(command, parent, info_name=name, **settings)
    yield context
    if isinstance(command, click.Group):
        for sub in command.list_commands(context):
            found = command.get_command(context, sub)
            assert found is not None
            yield from contexts(found, sub, context)


def page() -> str:
    parts = [HEAD]
    for context in contexts(app, "fenzhi"):
        parts.append(f"\n## {context.command_path}\n\n```\n{context.get_help().rstrip()}\n```\n")
    return "".join(parts)


def test_the_page_is_the_help():
    if os.environ.get("FENZHI_UPDATE_DOCS") == "1":
        DOC.write_text(page(), encoding="utf-8")
    assert DOC.read_text(encoding="utf-8") == page(), "FENZHI_UPDATE_DOCS=1 writes docs/cli.md again"


def test_every_command_gives_an_example_of_itself():
    leaves = [c for c in contexts(app, "fenzhi") if not isinstance(c.command, click.Group)]
    assert len(leaves) == 30
    for context in leaves:
        assert f"example:  {context.command_path} " in (context.command.epilog or ""), context.command_path


def test_the_options_of_the_examples_exist():
    for context in contexts(app, "fenzhi"):
        known = {name for option in context.command.params for name in option.opts}
        for example in (context.command.epilog or "").split("example:")[1:]:
            words = example.split("&&")[0].split()
            assert {word for word in words if word.startswith("-")} <= known, example


def test_help_lists_all_commands_in_the_order_of_the_work():
    out = done("--help")
    assert list(COMMANDS) == [
        "demo",
        "check",
        "group",
        "catalog",
        "policy",
        "run",
        "review",
        "statement",
        "departments",
        "ledger",
        "reconcile",
        "forecast",
        "compare",
        "switch",
        "simulate",
        "explain",
        "case",
        "serve",
    ]
    places = [out.index(f"\n  {name} ") for name in COMMANDS]
    assert places == sorted(places)
    assert done("-h") == out


def test_version():
    from importlib.metadata import version

    assert done("--version") == f"fenzhi, version {version('fenzhi')}\n"


@pytest.mark.parametrize(
    "args", [("nonsense",), ("run",), ("run", "x", "--nonsense"), ("run", "x", "--lang", "de"), ("demo",)]
)
def test_wrong_usage_is_2_with_a_hint(args):
    said = fenzhi(*args)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Usage: ")
    assert "Error: " in said.err


def test_a_file_where_a_folder_belongs_is_wrong_usage(tmp_path):
    (tmp_path / "file").write_text("x")
    said = fenzhi("run", tmp_path / "file")
    assert said.code == 2
    assert "is a file" in said.err


def loaded_by(code: str) -> set[str]:
    script = f"import sys\n{code}\nprint(*(m for m in ('polars', 'numba', 'numpy', 'pydantic') if m in sys.modules))"
    answer = subprocess.run(
        [sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True
    )
    return set(answer.stdout.split())


def test_the_command_line_loads_no_engine():
    modules = ", ".join(f"fenzhi.cli.{name}" for name in COMMANDS)
    assert loaded_by(f"import fenzhi, fenzhi.cli, {modules}") == set()
    # The test can fail: the engine is loaded by what computes.
    assert {"polars", "numba"} <= loaded_by("import fenzhi.pipeline")


def test_python_m_is_the_command_line():
    answer = subprocess.run(
        [sys.executable, "-m", "fenzhi", "--version"], capture_output=True, text=True, check=True
    )
    assert answer.stdout == done("--version")
