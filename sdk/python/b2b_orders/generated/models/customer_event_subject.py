from typing import Literal

CustomerEventSubject = Literal["customer"]

CUSTOMER_EVENT_SUBJECT_VALUES: set[CustomerEventSubject] = {
    "customer",
}


def check_customer_event_subject(value: str) -> CustomerEventSubject:
    if value in CUSTOMER_EVENT_SUBJECT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {CUSTOMER_EVENT_SUBJECT_VALUES!r}"
    )
