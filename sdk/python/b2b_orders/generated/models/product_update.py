from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ProductUpdate")


@_attrs_define
class ProductUpdate:
    """Absent fields keep their value.

    Attributes:
        price_cents (int | Unset): Price of one piece, in cents. Example: 159900.
        stock (int | Unset): Pieces on stock. Example: 15.
    """

    price_cents: int | Unset = UNSET
    stock: int | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        price_cents = self.price_cents

        stock = self.stock

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if price_cents is not UNSET:
            field_dict["price_cents"] = price_cents
        if stock is not UNSET:
            field_dict["stock"] = stock

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        price_cents = d.pop("price_cents", UNSET)

        stock = d.pop("stock", UNSET)

        product_update = cls(
            price_cents=price_cents,
            stock=stock,
        )

        return product_update
