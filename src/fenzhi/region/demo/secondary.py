"""Other diagnoses of the demo region: families that a stay may have or not, more with age.

A stay draws each family once, so its other diagnoses never repeat; a family of the principal diagnosis'
own category is left out. ``heavy`` families make a stay cost more.
"""

from __future__ import annotations

from dataclasses import dataclass

# Upper limits (exclusive) of the age bands that ``chances`` refer to.
AGE_BANDS = (1, 16, 45, 60, 75, 200)


@dataclass(frozen=True)
class Family:
    """Alternative codes with their names, the chance per age band, and whether it makes the stay heavier."""

    codes: tuple[str, ...]
    names: tuple[str, ...]
    chances: tuple[float, ...]
    heavy: bool


def _family(line: str) -> Family:
    pairs, chances, heavy = line.split("|")
    items = [pair.split("=") for pair in pairs.split(";")]
    return Family(
        tuple(code for code, _ in items),
        tuple(name for _, name in items),
        tuple(float(chance) / 100 for chance in chances.split()),
        heavy == "heavy",
    )


_LINES = """
I10.x00=原发性高血压;I10.x00x002=高血压;I11.900=高血压性心脏病|0 0 6 28 52 60|light
E11.900=2型糖尿病;E11.700=2型糖尿病伴多个并发症;E11.400=2型糖尿病性神经并发症|0 0 2 12 22 20|light
I25.103=冠状动脉粥样硬化;I25.100=动脉粥样硬化性心脏病|0 0 0 5 20 32|light
E78.500=高脂血症|0 0 4 11 11 6|light
I69.300=脑梗死后遗症|0 0 0 3 11 16|light
J44.900=慢性阻塞性肺疾病|0 0 0 2 7 13|light
K76.000=脂肪肝;K76.800=肝囊肿|0 0 6 10 8 4|light
K29.500=慢性胃炎|0 1 8 10 10 8|light
D64.900=贫血;D50.900=缺铁性贫血|5 4 7 7 9 13|light
E87.600=低钾血症;E87.100=低钠血症|4 4 4 6 9 13|light
M47.800=脊椎关节强硬;M81.900=骨质疏松|0 0 2 8 13 16|light
J18.900=肺炎|7 9 2 4 8 13|heavy
N39.000=泌尿道感染|1 2 3 3 4 6|light
I50.900=心力衰竭|0.4 0.2 0.3 2 6 13|heavy
N18.900=慢性肾脏病|0 0 1 3 5 7|heavy
J96.900=呼吸衰竭|3 0.6 0.4 1 2.5 5|heavy
A41.900=脓毒症|1.2 0.5 0.4 0.8 1.5 2.6|heavy
E88.000=低蛋白血症|1 1 2 3 5 8|heavy
K72.900=肝衰竭|0 0 0.2 0.5 0.5 0.4|heavy
"""

FAMILIES: tuple[Family, ...] = tuple(_family(line) for line in _LINES.strip().splitlines())
