from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="NewOrderItem")


@_attrs_define
class NewOrderItem:
    """
    Attributes:
        product_id (int): An id. Never exceeds 2^53 − 1, so JavaScript reads it exactly. Example: 1.
        qty (int): Pieces. Example: 2.
    """

    product_id: int
    qty: int

    def to_dict(self) -> dict[str, Any]:
        product_id = self.product_id

        qty = self.qty

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "product_id": product_id,
                "qty": qty,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        product_id = d.pop("product_id")

        qty = d.pop("qty")

        new_order_item = cls(
            product_id=product_id,
            qty=qty,
        )

        return new_order_item
