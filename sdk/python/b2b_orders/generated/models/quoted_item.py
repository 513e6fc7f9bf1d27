from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="QuotedItem")


@_attrs_define
class QuotedItem:
    """An item that the quoted order would have.

    Attributes:
        product_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        sku (str): The product's code; unique, case-sensitive, without spaces at either end or control characters.
            Example: LAPTOP-DELL-2024.
        qty (int): The number of pieces that all lines with this product request together. Example: 100.
        unit_price_cents (int): The price of one piece, in cents. Example: 159900.
        subtotal_cents (int): An amount, in cents. Example: 259800.
    """

    product_id: int
    sku: str
    qty: int
    unit_price_cents: int
    subtotal_cents: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        product_id = self.product_id

        sku = self.sku

        qty = self.qty

        unit_price_cents = self.unit_price_cents

        subtotal_cents = self.subtotal_cents

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "product_id": product_id,
                "sku": sku,
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

        qty = d.pop("qty")

        unit_price_cents = d.pop("unit_price_cents")

        subtotal_cents = d.pop("subtotal_cents")

        quoted_item = cls(
            product_id=product_id,
            sku=sku,
            qty=qty,
            unit_price_cents=unit_price_cents,
            subtotal_cents=subtotal_cents,
        )

        quoted_item.additional_properties = d
        return quoted_item

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
