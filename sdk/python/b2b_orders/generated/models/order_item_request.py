from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="OrderItemRequest")


@_attrs_define
class OrderItemRequest:
    """A line of an order, pieces of one product. Either `product_id` or `sku` names the product.

    Attributes:
        qty (int): The number of pieces. Example: 2.
        product_id (int | Unset): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        sku (str | Unset): The product's code; unique, case-sensitive, without spaces at either end or control
            characters. Example: LAPTOP-DELL-2024.
    """

    qty: int
    product_id: int | Unset = UNSET
    sku: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        qty = self.qty

        product_id = self.product_id

        sku = self.sku

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "qty": qty,
            }
        )
        if product_id is not UNSET:
            field_dict["product_id"] = product_id
        if sku is not UNSET:
            field_dict["sku"] = sku

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        qty = d.pop("qty")

        product_id = d.pop("product_id", UNSET)

        sku = d.pop("sku", UNSET)

        order_item_request = cls(
            qty=qty,
            product_id=product_id,
            sku=sku,
        )

        return order_item_request
