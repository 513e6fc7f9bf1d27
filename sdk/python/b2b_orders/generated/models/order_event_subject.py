from typing import Literal

OrderEventSubject = Literal["order"]

ORDER_EVENT_SUBJECT_VALUES: set[OrderEventSubject] = {
    "order",
}


def check_order_event_subject(value: str) -> OrderEventSubject:
    if value in ORDER_EVENT_SUBJECT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ORDER_EVENT_SUBJECT_VALUES!r}"
    )
