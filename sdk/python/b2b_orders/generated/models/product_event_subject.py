from typing import Literal

ProductEventSubject = Literal["product"]

PRODUCT_EVENT_SUBJECT_VALUES: set[ProductEventSubject] = {
    "product",
}


def check_product_event_subject(value: str) -> ProductEventSubject:
    if value in PRODUCT_EVENT_SUBJECT_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {PRODUCT_EVENT_SUBJECT_VALUES!r}"
    )
