from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ProductRequest")


@_attrs_define
class ProductRequest:
    """A product to create.

    Attributes:
        sku (str): The product's code; unique, case-sensitive, without spaces at either end or control characters.
            Example: LAPTOP-DELL-2024.
        name (str): The product's name; not blank, without control characters. Example: Dell Latitude 7430.
        price_cents (int): The price of one piece, in cents. Example: 159900.
        stock (int): The number of pieces on stock. Example: 15.
        active (bool | Unset): Whether the product can be ordered. A new product can, unless the request says otherwise.
            Products are never deleted. Example: True.
    """

    sku: str
    name: str
    price_cents: int
    stock: int
    active: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sku = self.sku

        name = self.name

        price_cents = self.price_cents

        stock = self.stock

        active = self.active

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "sku": sku,
                "name": name,
                "price_cents": price_cents,
                "stock": stock,
            }
        )
        if active is not UNSET:
            field_dict["active"] = active

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        sku = d.pop("sku")

        name = d.pop("name")

        price_cents = d.pop("price_cents")

        stock = d.pop("stock")

        active = d.pop("active", UNSET)

        product_request = cls(
            sku=sku,
            name=name,
            price_cents=price_cents,
            stock=stock,
            active=active,
        )

        return product_request
