"""``fenzhi serve``."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import click

from fenzhi.cli.shared import FOLDER, lang_option, say

TEXTS = {
    "zh": ("本页只在本机打开,地址含口令,请勿转发:", "按 Ctrl-C 结束", "已结束"),
    "en": (
        "For this machine only; the address holds the token, do not pass it on:",
        "Ctrl-C ends it",
        "ended",
    ),
}


@click.command("serve", epilog="例 / example:  fenzhi serve my-region --hospital H99010001")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option(
    "--hospital",
    metavar="CODE",
    help="本页只给这家机构:不出现其他机构的病例 / the page is for this hospital: no other's stays are shown",
)
@click.option("--run", "run", type=FOLDER, metavar="RUN", help="缺省为最后一次运算 / default: the last run")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="缺省取空闲端口 / default: a free one")
@lang_option
def command(folder: Path, hospital: str | None, run: Path | None, port: int, lang: str) -> None:
    """在本机打开一个页面:总览、预测、情景模拟(滑块)、科室、单病例、导出。不连接网络,地址含口令。

    A local page on a finished run: overview, forecast, scenarios by sliders, departments, one case, everything to
    take away. Bound to 127.0.0.1, with a token; it asks nothing of the network.
    """
    from fenzhi.server import serve

    served = serve(folder, hospital=hospital, run=run, port=port, lang=lang)

    def stop(_number: int, _frame: FrameType | None) -> None:
        served.stop()

    first, last, ended = TEXTS[lang]
    say(first)
    say(served.address)
    say(last)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    served.run()
    say(ended)
