from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="OrderItem")


@_attrs_define
class OrderItem:
    """An item of an order, with its product as it was when the order was placed.

    Attributes:
        product_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        sku (str): The product's code when the order was placed. Example: LAPTOP-HP-2024.
        name (str): The product's name when the order was placed; renaming the product does not change it. Example: HP
            EliteBook 840.
        qty (int): The number of pieces. Several lines of a request may have been merged into this item. Example: 2.
        unit_price_cents (int): The price of one piece when the order was placed, in cents. Example: 129900.
        subtotal_cents (int): An amount, in cents. Example: 259800.
    """

    product_id: int
    sku: str
    name: str
    qty: int
    unit_price_cents: int
    subtotal_cents: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        product_id = self.product_id

        sku = self.sku

        name = self.name

        qty = self.qty

        unit_price_cents = self.unit_price_cents

        subtotal_cents = self.subtotal_cents

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "product_id": product_id,
                "sku": sku,
                "name": name,
                "qty": qty,
                "unit_price_cents": unit_price_cents,
                "subtotal_cents": subtotal_cents,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        product_id = d.pop("product_id")

        sku = d.pop("sku")

        name = d.pop("name")

        qty = d.pop("qty")

        unit_price_cents = d.pop("unit_price_cents")

        subtotal_cents = d.pop("subtotal_cents")

        order_item = cls(
            product_id=product_id,
            sku=sku,
            name=name,
            qty=qty,
            unit_price_cents=unit_price_cents,
            subtotal_cents=subtotal_cents,
        )

        order_item.additional_properties = d
        return order_item

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
