from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Product")


@_attrs_define
class Product:
    """A product with its price and its stock.

    Attributes:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        sku (str): The product's code; unique, case-sensitive, without spaces at either end or control characters.
            Example: LAPTOP-DELL-2024.
        name (str): The product's name; not blank, without control characters. Example: Dell Latitude 7430.
        price_cents (int): The price of one piece, in cents. Example: 159900.
        stock (int): The number of pieces that no order holds. Pieces that canceled orders give back may lift the stock
            above the bound of an input. Example: 15.
        active (bool): Whether the product can be ordered. A new product can, unless the request says otherwise.
            Products are never deleted. Example: True.
        created_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
        updated_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
    """

    id: int
    sku: str
    name: str
    price_cents: int
    stock: int
    active: bool
    created_at: datetime.datetime
    updated_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        sku = self.sku

        name = self.name

        price_cents = self.price_cents

        stock = self.stock

        active = self.active

        created_at = self.created_at.isoformat()

        updated_at = self.updated_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "sku": sku,
                "name": name,
                "price_cents": price_cents,
                "stock": stock,
                "active": active,
                "created_at": created_at,
                "updated_at": updated_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        sku = d.pop("sku")

        name = d.pop("name")

        price_cents = d.pop("price_cents")

        stock = d.pop("stock")

        active = d.pop("active")

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        updated_at = datetime.datetime.fromisoformat(d.pop("updated_at"))

        product = cls(
            id=id,
            sku=sku,
            name=name,
            price_cents=price_cents,
            stock=stock,
            active=active,
            created_at=created_at,
            updated_at=updated_at,
        )

        product.additional_properties = d
        return product

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
