from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.new_order_item import NewOrderItem


T = TypeVar("T", bound="OrchestrationRequest")


@_attrs_define
class OrchestrationRequest:
    """
    Attributes:
        customer_id (int): An id. Never exceeds 2^53 − 1, so JavaScript reads it exactly. Example: 1.
        items (list[NewOrderItem]): The lines of the order.
        idempotency_key (str): Your own name for one effect; visible ASCII, and neither `.` nor `..`, which a path
            cannot hold. Example: po-4711.
        correlation_id (str | Unset): Names this call in the logs of every service that it touched. Example: req-12345.
    """

    customer_id: int
    items: list[NewOrderItem]
    idempotency_key: str
    correlation_id: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        customer_id = self.customer_id

        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        idempotency_key = self.idempotency_key

        correlation_id = self.correlation_id

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "customer_id": customer_id,
                "items": items,
                "idempotency_key": idempotency_key,
            }
        )
        if correlation_id is not UNSET:
            field_dict["correlation_id"] = correlation_id

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.new_order_item import NewOrderItem

        d = dict(src_dict)
        customer_id = d.pop("customer_id")

        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = NewOrderItem.from_dict(items_item_data)

            items.append(items_item)

        idempotency_key = d.pop("idempotency_key")

        correlation_id = d.pop("correlation_id", UNSET)

        orchestration_request = cls(
            customer_id=customer_id,
            items=items,
            idempotency_key=idempotency_key,
            correlation_id=correlation_id,
        )

        return orchestration_request
