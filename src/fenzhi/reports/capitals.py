"""Amounts in Chinese capital numerals (大写金额), as vouchers and confirmations state them."""

from __future__ import annotations

DIGITS = "零壹贰叁肆伍陆柒捌玖"
PLACES = ("", "拾", "佰", "仟")


def capitals(fen: int) -> str:
    """Return an amount without sign in capital numerals: 140950 is 人民币壹仟肆佰零玖元伍角整.

    A row of zeros inside a number is one 零; zeros at the end of a group of four digits are none; an amount without fen
    ends with 整.
    """
    if fen < 0:
        raise ValueError("the words beside an amount say which way it goes: give it without sign")
    yuan, rest = divmod(fen, 100)
    jiao, cent = divmod(rest, 10)
    text = f"{_whole(yuan)}元" if yuan else ""
    if jiao:
        text += f"{DIGITS[jiao]}角"
    if cent:
        text += ("零" if yuan and not jiao else "") + f"{DIGITS[cent]}分"
    if not fen:
        text = "零元"
    return "人民币" + text + ("" if cent else "整")


def _whole(number: int) -> str:
    """Return a whole number above 0 in capitals; a lower part that leaves its first place empty is set off by 零."""
    for size, name in ((10**8, "亿"), (10**4, "万")):
        high, low = divmod(number, size)
        if high:
            gap = "零" if 0 < low < size // 10 else ""
            return _whole(high) + name + gap + (_whole(low) if low else "")
    return _four(number)


def _four(group: int) -> str:
    """Return one to four digits in capitals, without zeros at either end."""
    text, gap = "", False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if not digit:
            gap = bool(text)
            continue
        text += ("零" if gap else "") + DIGITS[digit] + PLACES[place]
        gap = False
    return text
