"""Times and zones in words, for complainants."""

from datetime import UTC, datetime

from complaints.api.problems.languages import Language
from complaints.api.problems.written_times import name_zone, write_time


def test_times_are_written_in_the_zone() -> None:
    midnight = datetime(2026, 1, 5, 16, tzinfo=UTC)
    written = write_time(midnight, "Asia/Shanghai", Language.ENGLISH)
    assert written.words == "Tuesday, 6 January 2026, 00:00"
    assert written.exact == "2026-01-06T00:00:00+08:00"
    chinese = write_time(midnight, "America/New_York", Language.CHINESE)
    assert chinese.words == "2026年1月5日（星期一）11:00"


def test_a_zone_without_a_usual_name_keeps_its_own() -> None:
    assert name_zone("Asia/Shanghai", Language.CHINESE) == "北京时间"
    assert name_zone("America/New_York", Language.CHINESE) == "America/New_York"
