"""The categories a fresh database is seeded with, from a carrier's real tree (rule 5.2). They are editable
later.

Every leaf has its cause (Handbook 5.1), nature (Handbook 3.1) and the team of that cause. Parents leave all
three open, so that a parent alone means what its children agree on.
"""

from complaints.domain.policy.categories import Category
from complaints.domain.vocabulary import Cause, Nature

_TEAMS = {
    Cause.TECHNICAL: "operations",
    Cause.SERVICE: "customer_service",
    Cause.MANAGEMENT: "management",
}


def _parent(code: str, en: str, zh: str) -> Category:
    return Category(code, None, {"en": en, "zh": zh})


def _leaf(code: str, en: str, zh: str, cause: Cause, nature: Nature) -> Category:
    return Category(code, code.partition(".")[0], {"en": en, "zh": zh}, cause, nature, _TEAMS[cause])


SEED_CATEGORIES: tuple[Category, ...] = (
    _parent("network", "Network", "网络质量"),
    _leaf("network.outage", "Outage", "网络中断", Cause.TECHNICAL, Nature.TECHNICAL),
    _leaf("network.slow", "Slow connection", "网速慢", Cause.TECHNICAL, Nature.TECHNICAL),
    _leaf("network.coverage", "Weak or no coverage", "信号覆盖差", Cause.TECHNICAL, Nature.ENVIRONMENT),
    _leaf("network.voice", "Voice quality", "通话质量差", Cause.TECHNICAL, Nature.TECHNICAL),
    _parent("billing", "Billing", "资费账单"),
    _leaf("billing.wrong_charge", "Wrong charge", "错误扣费", Cause.MANAGEMENT, Nature.PROCESS),
    _leaf("billing.unexplained", "Unexplained charge", "费用不明", Cause.SERVICE, Nature.PROCESS),
    _leaf("billing.refund", "Refund", "退费", Cause.MANAGEMENT, Nature.PROCESS),
    _parent("marketing", "Marketing", "营销宣传"),
    _leaf("marketing.misleading", "Misleading offer", "误导宣传", Cause.MANAGEMENT, Nature.PERSONNEL),
    _leaf("marketing.unsolicited", "Unsolicited marketing", "营销骚扰", Cause.MANAGEMENT, Nature.PROCESS),
    _parent("service", "Service", "服务质量"),
    _leaf("service.attitude", "Attitude", "服务态度差", Cause.SERVICE, Nature.PERSONNEL),
    _leaf("service.slow_response", "Slow response", "响应不及时", Cause.SERVICE, Nature.PROCESS),
    _leaf("service.unkept_promise", "Unkept promise", "承诺未兑现", Cause.SERVICE, Nature.PERSONNEL),
    _parent("provisioning", "Provisioning", "业务办理"),
    _leaf("provisioning.install_delay", "Installation delayed", "装机延迟", Cause.TECHNICAL, Nature.PROCESS),
    _leaf("provisioning.cancellation", "Cancellation", "销户与退订", Cause.MANAGEMENT, Nature.PROCESS),
    _leaf("provisioning.porting", "Number porting", "携号转网", Cause.MANAGEMENT, Nature.PROCESS),
    _parent("terms", "Contract terms", "合约条款"),
    _leaf("terms.dispute", "Dispute about terms", "合约争议", Cause.MANAGEMENT, Nature.PROCESS),
    _leaf(
        "terms.unauthorised_subscription",
        "Unauthorised subscription",
        "未经同意订购",
        Cause.MANAGEMENT,
        Nature.PROCESS,
    ),
    _parent("security", "Security", "信息安全"),
    _leaf("security.fraud", "Fraud", "电信诈骗", Cause.MANAGEMENT, Nature.ENVIRONMENT),
    _leaf("security.data_leak", "Personal data leaked", "个人信息泄露", Cause.MANAGEMENT, Nature.TECHNICAL),
    _parent("device", "Device", "终端设备"),
    _leaf("device.fault", "Faulty device", "设备故障", Cause.TECHNICAL, Nature.TECHNICAL),
    _leaf("device.after_sales", "After-sales service", "售后服务", Cause.SERVICE, Nature.PROCESS),
    _parent("other", "Other", "其他"),
    _leaf("other.other", "Other", "其他问题", Cause.SERVICE, Nature.PROCESS),
)
