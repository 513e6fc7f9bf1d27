from typing import Literal

CancellationCause = Literal["compensation", "requested"]

CANCELLATION_CAUSE_VALUES: set[CancellationCause] = {
    "compensation",
    "requested",
}


def check_cancellation_cause(value: str) -> CancellationCause:
    if value in CANCELLATION_CAUSE_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CANCELLATION_CAUSE_VALUES!r}"
    )
