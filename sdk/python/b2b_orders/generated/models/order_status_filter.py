from typing import Literal

OrderStatusFilter = Literal["CANCELED", "CONFIRMED", "CREATED"]

ORDER_STATUS_FILTER_VALUES: set[OrderStatusFilter] = {
    "CANCELED",
    "CONFIRMED",
    "CREATED",
}


def check_order_status_filter(value: str) -> OrderStatusFilter:
    if value in ORDER_STATUS_FILTER_VALUES:
        return value
    raise TypeError(
        f"Unexpected value {value!r}. Expected one of {ORDER_STATUS_FILTER_VALUES!r}"
    )
