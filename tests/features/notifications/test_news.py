"""News of annexes: each user hears of each once, by the template of the annex (rule 12.8)."""

from dataclasses import replace
from datetime import datetime, timedelta
from email.headerregistry import Address
from pathlib import Path
from uuid import UUID

from complaints.api.feature import Annexes, Feature, News
from complaints.features.notifications import news
from complaints.features.notifications.settings import NotificationSettings
from complaints.features.notifications.texts import TextWriter
from complaints.features.reports.feature import FEATURE as REPORTS
from complaints.use_cases.mail_account import Encryption, MailAccount
from complaints.use_cases.service import Service, Transaction
from tests.features.notifications.conftest import all_deliveries

READY = UUID("019a9f2e-7c3b-7d52-9d1a-4f0c8f4f2a11")


def test_each_user_hears_of_each_thing_once(sender: Service) -> None:
    asked: list[timedelta] = []

    def find(tx: Transaction, since: datetime) -> list[News]:
        asked.append(tx.now - since)
        return [News(READY, "admin", "report_published", link="/v1/x", facts={"version": 1})]

    annexes = Annexes((Feature("one", news=(find,)), Feature("other", news=(find,))))
    settings = NotificationSettings()
    assert news.follow_news(sender, settings, annexes) == 0
    assert asked == []
    able = replace(
        sender, mail=MailAccount("127.0.0.1", 25, Encryption.NONE, Address(addr_spec="house@example.com"))
    )
    assert [news.follow_news(able, settings, annexes) for _ in range(2)] == [1, 0]
    assert set(asked) == {timedelta(days=1)}
    (written,) = able.read(all_deliveries)
    assert (written.recipient, written.event_id, written.facts["link"]) == ("admin", READY, "/v1/x")


def test_the_texts_of_reports_are_in_both_languages() -> None:
    assert isinstance(REPORTS.templates, Path)
    writer = TextWriter((REPORTS.templates,))
    facts = {"period_en": "October 2026", "period_zh": "2026 年 10 月", "coverage": "all", "version": 2}
    titles = {
        (template, language): writer.write(template, language, None, facts).title
        for template in ("report_published", "report_restated")
        for language in ("en", "zh")
    }
    assert titles == {
        ("report_published", "en"): "The complaint report of October 2026 is ready",
        ("report_published", "zh"): "2026 年 10 月投诉分析报告已发布",
        ("report_restated", "en"): "The complaint report of October 2026 was restated",
        ("report_restated", "zh"): "2026 年 10 月投诉分析报告已更正",
    }
