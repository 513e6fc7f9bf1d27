from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="KeyedOperation")


@_attrs_define
class KeyedOperation:
    """An operation that an idempotency key has carried out. The key is kept until `expires_at`.

    Attributes:
        operation (str): The `operationId` of the operation in this document. Extensible: others may be added to
            `createProduct`, `adjustStock`, `createOrder`, `confirmOrder`, `cancelOrder`. Example: createOrder.
        order_id (int | None): The id of the order that was placed, confirmed or canceled; null for a product. Example:
            3.
        order_status (None | str): The order's current status; null for a product. Extensible: others may be added to
            `CREATED`, `CONFIRMED`, `CANCELED`. Example: CONFIRMED.
        product_id (int | None): The id of the product that was created, or whose stock was adjusted; null for an order.
        expires_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
    """

    operation: str
    order_id: int | None
    order_status: None | str
    product_id: int | None
    expires_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        operation = self.operation

        order_id: int | None
        order_id = self.order_id

        order_status: None | str
        order_status = self.order_status

        product_id: int | None
        product_id = self.product_id

        expires_at = self.expires_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "operation": operation,
                "order_id": order_id,
                "order_status": order_status,
                "product_id": product_id,
                "expires_at": expires_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        operation = d.pop("operation")

        def _parse_order_id(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        order_id = _parse_order_id(d.pop("order_id"))

        def _parse_order_status(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        order_status = _parse_order_status(d.pop("order_status"))

        def _parse_product_id(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        product_id = _parse_product_id(d.pop("product_id"))

        expires_at = datetime.datetime.fromisoformat(d.pop("expires_at"))

        keyed_operation = cls(
            operation=operation,
            order_id=order_id,
            order_status=order_status,
            product_id=product_id,
            expires_at=expires_at,
        )

        keyed_operation.additional_properties = d
        return keyed_operation

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties
