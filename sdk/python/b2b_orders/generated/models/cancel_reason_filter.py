from typing import Literal

CancelReasonFilter = Literal["compensation", "requested", "reservation_expired"]

CANCEL_REASON_FILTER_VALUES: set[CancelReasonFilter] = {
    "compensation",
    "requested",
    "reservation_expired",
}


def check_cancel_reason_filter(value: str) -> CancelReasonFilter:
    if value in CANCEL_REASON_FILTER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CANCEL_REASON_FILTER_VALUES!r}"
    )
