from typing import Literal

SummaryPeriod = Literal["day"]

SUMMARY_PERIOD_VALUES: set[SummaryPeriod] = {
    "day",
}


def check_summary_period(value: str) -> SummaryPeriod:
    if value in SUMMARY_PERIOD_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {SUMMARY_PERIOD_VALUES!r}"
    )
