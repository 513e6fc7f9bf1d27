from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ProductUpdate")


@_attrs_define
class ProductUpdate:
    """The changes of a product. Absent fields keep their values.

    Attributes:
        name (str | Unset): The product's name; not blank, without control characters. Example: Dell Latitude 7430.
        price_cents (int | Unset): The price of one piece, in cents. Example: 159900.
        stock (int | Unset): The number of pieces on stock. Example: 15.
        active (bool | Unset): Whether the product can be ordered. A new product can, unless the request says otherwise.
            Products are never deleted. Example: True.
    """

    name: str | Unset = UNSET
    price_cents: int | Unset = UNSET
    stock: int | Unset = UNSET
    active: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        name = self.name

        price_cents = self.price_cents

        stock = self.stock

        active = self.active

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if name is not UNSET:
            field_dict["name"] = name
        if price_cents is not UNSET:
            field_dict["price_cents"] = price_cents
        if stock is not UNSET:
            field_dict["stock"] = stock
        if active is not UNSET:
            field_dict["active"] = active

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        name = d.pop("name", UNSET)

        price_cents = d.pop("price_cents", UNSET)

        stock = d.pop("stock", UNSET)

        active = d.pop("active", UNSET)

        product_update = cls(
            name=name,
            price_cents=price_cents,
            stock=stock,
            active=active,
        )

        return product_update
