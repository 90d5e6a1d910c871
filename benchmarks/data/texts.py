"""Texts of invented complaints, in Chinese and in English. Some words are in many texts, others in very few."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

from complaints.domain.complaint.search_terms import index_terms

_ZH_TROUBLES = (
    "宽带断网", "网速很慢", "信号覆盖差", "通话有杂音", "错误扣费", "话费不明", "退费没有到账", "被误导办理套餐",
    "营销电话骚扰", "营业厅服务态度差", "报修无人响应", "承诺没有兑现", "装机延迟", "销户被拒绝", "携号转网失败",
    "合约期限有争议", "未经同意开通业务", "接到诈骗电话", "个人信息泄露", "光猫设备故障", "机房漏水", "售后推诿",
)  # fmt: skip
_ZH_DETAILS = (
    "从周一早上到现在一直没有恢复", "打了三次客服电话都没有解决", "师傅上门以后问题更加严重",
    "要求尽快处理并给出书面答复", "老人在家无法联系外面", "影响孩子上网课", "希望赔偿这个月的费用",
    "之前的工单被直接关闭", "每天晚上八点以后最明显", "换了路由器也没有用", "同一个小区的邻居也是这样",
    "请回电说明原因",
)  # fmt: skip
_EN_TROUBLES = (
    "No internet connection", "Connection far too slow", "Weak signal at home", "Noise on the line",
    "Wrong charge", "Unexplained fee on the bill", "Refund never arrived", "Misled about the tariff",
    "Unwanted marketing calls", "Rude staff in the shop", "Nobody answers the fault report", "Promise not kept",
    "Installation delayed", "Cancellation refused", "Number porting failed", "Dispute about the contract term",
    "Service added without consent", "Fraudulent call", "Personal data leaked", "Router broken",
    "Water leak in the equipment room", "No warranty repair",
)  # fmt: skip
_EN_DETAILS = (
    "since Monday morning and still not fixed", "called the hotline three times in vain",
    "the technician made it worse", "please answer in writing", "an elderly person cannot be reached",
    "the children miss their lessons", "compensation for this month is expected",
    "the earlier ticket was just closed", "worst every evening after eight", "a new router did not help",
    "the neighbours have the same trouble", "please call back and explain",
)  # fmt: skip
_ZH_FIRST = "建人中长和平新东西南北光华文明兴安永福金银花园湖江海山林松柏梅兰竹菊春夏秋冬朝"
_ZH_SECOND = "设民山安平阳华明兴宁康福泉湖江海林松竹兰桥门关塔寺庙塘堤岭岗坡谷港湾洲岛泽浦"
_EN_FIRST = (
    "Ash", "Birch", "Cedar", "Dale", "Elm", "Fern", "Glen", "Hazel", "Iris", "Juniper", "Kings", "Laurel", "Maple",
    "North", "Oak", "Pine", "Queens", "Rose", "South", "Thorn", "Upper", "Vale", "Willow", "Yew", "Abbey", "Bridge",
)  # fmt: skip
_EN_SECOND = (
    "brook", "bury", "cliff", "croft", "dale", "field", "ford", "gate", "grove", "ham", "hill", "hurst", "land",
    "leigh", "mead", "mill", "moor", "mouth", "park", "ridge", "side", "stead", "stone", "ton", "wick", "wood",
)  # fmt: skip
_ZH_PLACES = tuple(f"{first}{second}路" for second in _ZH_SECOND for first in _ZH_FIRST if first != second)
_EN_PLACES = tuple(f"{first}{second}" for second in _EN_SECOND for first in _EN_FIRST)
# Words for the measurement of searches: frequent and rare ones, one and three, together and apart. `seldom` is the
# last of the troubles: one complaint in a hundred has it, so both ways of a search are long.
WORDS = {
    "zh_frequent": _ZH_TROUBLES[0],
    "zh_frequent_one": _ZH_TROUBLES[0][-2:],
    "zh_apart": " ".join(trouble[-2:] for trouble in _ZH_TROUBLES[:3]),
    "zh_seldom": _ZH_TROUBLES[-1],
    "zh_rare": _ZH_PLACES[-1],
    "zh_rare_three": f"{_ZH_PLACES[-1]} {_ZH_TROUBLES[0]}",
    "en_frequent": _EN_TROUBLES[0],
    "en_frequent_one": _EN_TROUBLES[0].split()[-1],
    "en_apart": " ".join(trouble.split()[-1] for trouble in _EN_TROUBLES[:3]),
    "en_seldom": _EN_TROUBLES[-1],
    "en_rare": _EN_PLACES[-1],
    "en_rare_three": f"{_EN_PLACES[-1]} {_EN_TROUBLES[0]}",
}


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one complaint, and the terms that find it."""

    subject: str
    description: str
    terms: dict[str, None]


def make_texts(random: Random) -> Texts:
    """Texts of one complaint. Two of three are in Chinese. Some places and troubles occur far more than others."""
    if random.random() < 0.67:
        return _make_texts(random, _ZH_PLACES, _ZH_TROUBLES, _ZH_DETAILS, "，")
    return _make_texts(random, _EN_PLACES, _EN_TROUBLES, _EN_DETAILS, ", ")


def _make_texts(
    random: Random, places: Sequence[str], troubles: Sequence[str], details: Sequence[str], comma: str
) -> Texts:
    place, trouble = _skewed(random, places), _skewed(random, troubles)
    first, second = random.choice(details), random.choice(details)
    terms = {**_terms(place), **_terms(trouble), **_terms(first), **_terms(second)}
    return Texts(f"{place}{comma}{trouble}", f"{trouble}{comma}{first}{comma}{second}", terms)


def _skewed(random: Random, choices: Sequence[str]) -> str:
    """The first of the choices most often, the last very seldom."""
    return choices[int(len(choices) * random.random() ** 3)]


@lru_cache(maxsize=10_000)
def _terms(phrase: str) -> dict[str, None]:
    """The terms of one phrase. Punctuation separates phrases, so no term spans two of them."""
    return dict.fromkeys(index_terms(phrase))
