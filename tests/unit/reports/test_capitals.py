"""Amounts in capital numerals, as the rules for filling in vouchers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fenzhi.reports.capitals import DIGITS, capitals

# The first four are the examples of the annex to the rules on payment and settlement (支付结算办法).
EXAMPLES = {
    "1409.50": "壹仟肆佰零玖元伍角整",
    "6007.14": "陆仟零柒元壹角肆分",
    "16409.02": "壹万陆仟肆佰零玖元零贰分",
    "325.04": "叁佰贰拾伍元零肆分",
    "0.00": "零元整",
    "0.05": "伍分",
    "0.50": "伍角整",
    "1.00": "壹元整",
    "10.00": "壹拾元整",
    "107000.53": "壹拾万柒仟元伍角叁分",
    "100000.00": "壹拾万元整",
    "10000001.00": "壹仟万零壹元整",
    "100010000.00": "壹亿零壹万元整",
    "120030405.06": "壹亿贰仟零叁万零肆佰零伍元零陆分",
    "52389252.16": "伍仟贰佰叁拾捌万玖仟贰佰伍拾贰元壹角陆分",
    "1000000000.00": "壹拾亿元整",
    "1000000000000.00": "壹万亿元整",
}


@pytest.mark.parametrize(("yuan", "text"), EXAMPLES.items())
def test_examples(yuan: str, text: str) -> None:
    assert capitals(int(yuan.replace(".", ""))) == "人民币" + text


def test_an_amount_has_no_sign() -> None:
    with pytest.raises(ValueError, match="without sign"):
        capitals(-1)


def _read(text: str) -> int:
    """Read an amount back: a reader of its own, digit by digit."""
    text = text.removeprefix("人民币").removesuffix("整")
    whole, _, rest = text.partition("元") if "元" in text else ("", "", text)
    fen = 0
    for sign, size in (("角", 10), ("分", 1)):
        if sign in rest:
            fen += DIGITS.index(rest[rest.index(sign) - 1]) * size

    def number(part: str) -> int:
        for sign, size in (("亿", 10**8), ("万", 10**4)):
            if sign in part:
                high, low = part.rsplit(sign, 1) if sign == "亿" else part.split(sign, 1)
                return number(high) * size + number(low)
        total, digit = 0, 0
        for character in part:
            if character in DIGITS:
                digit = DIGITS.index(character)
            else:
                total += digit * 10 ** "个拾佰仟".index(character)
                digit = 0
        return total + digit

    return number(whole) * 100 + fen


@given(st.integers(0, 10**15) | st.integers(0, 10**6))
def test_every_amount_reads_back(fen: int) -> None:
    text = capitals(fen)
    assert _read(text) == fen
    assert "零零" not in text
    assert not {"零万", "零亿", "零拾", "零佰", "零仟"} & {text[at : at + 2] for at in range(len(text))}
