"""The command line. Commands load on first use, so that ``fenzhi --help`` is quick.

Exit codes: 0 done; 1 done, but rows were rejected and ``--strict`` was given; 2 wrong usage or input.
"""

from __future__ import annotations

import os
import signal
import sys
from importlib import import_module
from types import FrameType
from typing import NoReturn

import click

COMMANDS = {
    "demo": ("写一个合成的示范统筹区 / write a synthetic region to try things out", "fenzhi.cli.demo"),
    "check": ("检查统筹区文件夹或病例文件 / check a region folder or a file of stays", "fenzhi.cli.check"),
    "group": ("对病例分组 / group a file of stays", "fenzhi.cli.group"),
    "catalog": (
        "病种目录:由历史数据测算、检查 / catalogues: build from history, check",
        "fenzhi.cli.catalog",
    ),
    "policy": (
        "政策包:查看、检查、比较 / policy packs: show, check, compare",
        "fenzhi.cli.policy",
    ),
    "run": ("计算统筹区全年结算 / compute a region's year", "fenzhi.cli.run"),
    "review": (
        "特例单议:申请、名额、决定及其影响 / special review: applications, quota, decisions, their effect",
        "fenzhi.cli.review",
    ),
    "statement": (
        "一家机构的清算单与工作簿 / one hospital's statement and workbook from a run",
        "fenzhi.cli.statement",
    ),
    "departments": (
        "一家机构的科室盈亏、定额与需关注病例 / one hospital's departments: income, cost, why, quotas",
        "fenzhi.cli.departments",
    ),
    "ledger": ("账务:分录、余额与平衡 / the ledger of a run: entries, balances, proof", "fenzhi.cli.ledger"),
    "reconcile": (
        "与官方分组结果(3605、3606)逐例核对 / compare with official grouping results",
        "fenzhi.cli.reconcile",
    ),
    "forecast": (
        "由已发生月份预测全年,带区间 / forecast the year from the months done, with intervals",
        "fenzhi.cli.forecast",
    ),
    "compare": (
        "比较两次运算,差额按原因分解 / compare two runs: who gains, who loses, and why",
        "fenzhi.cli.compare",
    ),
    "switch": (
        "测算目录切换(2.0 到 3.0,DIP 到 DRG) / what moving to another catalogue does",
        "fenzhi.cli.switch",
    ),
    "simulate": (
        "模拟:如果这样做,点数与支付如何变化 / what a change would do to points and payment",
        "fenzhi.cli.simulate",
    ),
    "explain": ("解释一个病例的分组与金额 / explain one stay, group and yuan", "fenzhi.cli.explain"),
    "case": (
        "一个病例:预计支付、距各界限的距离、填写核对 / one case: payment, limits, what to look at again",
        "fenzhi.cli.case",
    ),
    "serve": (
        "本机页面:总览、预测、情景模拟、科室、单病例 / a local page: forecast, scenarios, departments, one case",
        "fenzhi.cli.serve",
    ),
}


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the names in the order of a year's work."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command's module and return its ``command``."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][1]).command
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (text, _) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fenzhi")
def app() -> None:
    """分值:按病种付费(DIP / DRG)的开放引擎。 The open engine for payment of hospitals by disease.

    \b
    开始 / begin:
      fenzhi demo my-region
      fenzhi run my-region
    """


_SHOW_CURSOR = "\x1b[?25h"
_STOPPED = "stopped; nothing half-written remains"


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    """Remove what is half-written and end at once.

    An exception would not do: raised while a library calls back into Python, it is printed and forgotten.
    """
    from fenzhi.files import remove_half_written

    remove_half_written()
    # A progress bar may have hidden the cursor.
    os.write(2, f"{_SHOW_CURSOR if os.isatty(2) else ''}{_STOPPED}\n".encode())
    os._exit(130)


def main() -> None:
    """Run the command line; errors are said in words, without a traceback."""
    from fenzhi.errors import FenzhiError

    # Results hold settlement data: not even half-written ones may be read by others.
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        code = app(standalone_mode=False, prog_name="fenzhi")
        sys.exit(code if isinstance(code, int) else 0)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo(_STOPPED, err=True)
        sys.exit(130)
    except FenzhiError as error:
        click.echo(error.text(), err=True)
        sys.exit(2)
    except MemoryError:
        click.echo(
            "[MEMORY] there is not enough memory for this\n  to do: close other programs or use smaller files",
            err=True,
        )
        sys.exit(2)
    except BrokenPipeError:
        # The reader of our output has gone (as in `fenzhi ... | head`); nothing can be said to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(2)
    except OSError as error:
        click.echo(f"[SYSTEM] {error.strerror or error}\n  where: {error.filename or 'unknown'}", err=True)
        sys.exit(2)
