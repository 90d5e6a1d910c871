"""Bodies of complaints like those of real people, in Chinese and English, for the load of the benchmarks."""

import random
from collections.abc import Iterator
from typing import Any

_COMPLAINTS = (
    (
        "network.outage",
        "宽带从昨晚开始断网",
        "家里宽带从昨天晚上八点开始完全上不了网，光猫红灯一直亮，重启过三次都没有用。",
    ),
    (
        "network.outage",
        "No signal since Monday",
        "There has been no signal at the flat since Monday morning.",
    ),
    (
        "network.slow",
        "晚上网速特别慢",
        "每天晚上七点到十一点网速只有几兆，办的是千兆套餐，视频会议经常掉线。",
    ),
    (
        "network.slow",
        "Fibre far below the promised speed",
        "I pay for 500 Mbit/s and measure 20 in the evening.",
    ),
    ("network.coverage", "地下车库没有信号", "小区地下车库和电梯里手机完全没有信号，邻居们也都反映过多次。"),
    (
        "network.voice",
        "Calls drop after two minutes",
        "Every call to a landline is cut off after about two minutes.",
    ),
    (
        "billing.wrong_charge",
        "账单多收了流量费",
        "上个月账单里多出六十八元流量费，我的套餐是不限量的，要求核实并退还。",
    ),
    ("billing.wrong_charge", "Charged twice in October", "The monthly fee was taken twice from my account."),
    (
        "billing.unexplained",
        "不明增值业务扣费",
        "连续三个月被扣二十元增值业务费，我从来没有订购过，也没有收到过短信提醒。",
    ),
    (
        "billing.refund",
        "Refund still not paid",
        "The refund promised six weeks ago has not reached my bank account.",
    ),
    ("marketing.unsolicited", "每天接到推销电话", "每天都接到三四个推销套餐的电话，已经多次要求不要再打。"),
    (
        "marketing.misleading",
        "Offer was not as described",
        "The shop said the device was free; I now pay for it monthly.",
    ),
    (
        "service.attitude",
        "营业厅人员态度差",
        "在营业厅办理过户等了两个小时，工作人员态度恶劣，最后还说系统坏了办不了。",
    ),
    (
        "service.slow_response",
        "Nobody calls back",
        "I was told three times that someone would call back within a day.",
    ),
    (
        "service.unkept_promise",
        "承诺上门维修没有来",
        "客服承诺周三上午上门维修，我请假在家等了一天没有人来，也没有电话。",
    ),
    ("provisioning.install_delay", "装机一拖再拖", "新装宽带预约已经改了四次，两个星期了还没有装上。"),
    (
        "provisioning.porting",
        "Number porting refused",
        "My request to move the number was refused without any reason.",
    ),
    ("provisioning.cancellation", "无法办理销户", "要求销户被告知必须到外省原营业厅办理，这不合理。"),
    ("security.fraud", "收到诈骗短信", "收到冒充客服的短信，点开后话费被转走，请协助核查。"),
    (
        "device.fault",
        "Router reboots by itself",
        "The router I rent reboots several times a day since the last update.",
    ),
)
_MORE = (
    "已经打过两次客服电话，工单都显示处理完毕，但是问题没有解决。",
    "请尽快安排人员联系我，白天都可以接电话。",
    "如果再不解决我会向主管部门反映。",
    "I have called the hotline twice and was told that the matter was settled, which it is not.",
    "Please call me back during the day; I work from home and depend on the connection.",
    "家里有老人需要紧急呼叫设备，不能一直没有网络。",
)
_CHANNELS = ("phone", "phone", "phone", "app", "app", "web", "on_site", "sms", "email")
_SEVERITIES = ("normal", "normal", "normal", "normal", "low", "high", "critical")
_REGIONS = ("北京市", "上海市", "广州市", "成都市", "杭州市", "武汉市", "西安市", "哈尔滨市")
_NAMES = ("王芳", "李伟", "张敏", "刘洋", "陈静", "杨帆", "赵磊", "A. Keller", "J. Smith", "周婷")


def complaints(*, mark: str, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Bodies of POST /v1/complaints without end. `mark` is part of the external id and of the phone number."""
    draw = random.Random(seed)
    while True:
        category, subject, description = draw.choice(_COMPLAINTS)
        yield {
            "channel": draw.choice(_CHANNELS),
            "subject": subject,
            "description": description + " " + " ".join(draw.sample(_MORE, draw.randint(0, 3))),
            "external_id": f"CRM-{mark}",
            "severity": draw.choice(_SEVERITIES),
            "category": category,
            "region": draw.choice(_REGIONS),
            "complainant": {
                "name": draw.choice(_NAMES),
                "phone": f"138{mark[-8:]}",
                "preferred_contact": "phone",
                "language": "zh-CN",
            },
            "service": {"type": draw.choice(("broadband", "mobile")), "id": f"L{draw.randrange(10**8):08d}"},
            "tags": draw.sample(("vip", "repeat-call", "elderly", "business", "5g"), draw.randint(0, 2)),
        }
