from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="ProductImportRow")


@_attrs_define
class ProductImportRow:
    """A product to create, or the changes of the product with this `sku`. Absent fields keep their values.

    Attributes:
        sku (str): The product's code; unique, case-sensitive, without spaces at either end or control characters.
            Example: LAPTOP-DELL-2024.
        name (str | Unset): The product's name; not blank, without control characters. Example: Dell Latitude 7430.
        price_cents (int | Unset): The price of one piece, in cents. Example: 159900.
        stock (int | Unset): The number of pieces on stock. Example: 15.
        active (bool | Unset): Whether the product can be ordered. A new product can, unless the request says otherwise.
            Products are never deleted. Example: True.
        id (int | Unset): The `id` in an export, which imports do not read. In CSV this column may have anything, such
            as numbers of your own. Example: 2.
        created_at (str | Unset): The `created_at` in an export, which imports do not read. Example:
            2024-03-01T09:30:00.000Z.
        updated_at (str | Unset): The `updated_at` in an export, which imports do not read. Example:
            2024-03-01T09:30:00.000Z.
        refusal (str | Unset): The reason for a refusal, in a file of refused rows that `b2b import` has written;
            imports do not read this field. Example: The request is not valid. /name is required..
    """

    sku: str
    name: str | Unset = UNSET
    price_cents: int | Unset = UNSET
    stock: int | Unset = UNSET
    active: bool | Unset = UNSET
    id: int | Unset = UNSET
    created_at: str | Unset = UNSET
    updated_at: str | Unset = UNSET
    refusal: str | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        sku = self.sku

        name = self.name

        price_cents = self.price_cents

        stock = self.stock

        active = self.active

        id = self.id

        created_at = self.created_at

        updated_at = self.updated_at

        refusal = self.refusal

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "sku": sku,
            }
        )
        if name is not UNSET:
            field_dict["name"] = name
        if price_cents is not UNSET:
            field_dict["price_cents"] = price_cents
        if stock is not UNSET:
            field_dict["stock"] = stock
        if active is not UNSET:
            field_dict["active"] = active
        if id is not UNSET:
            field_dict["id"] = id
        if created_at is not UNSET:
            field_dict["created_at"] = created_at
        if updated_at is not UNSET:
            field_dict["updated_at"] = updated_at
        if refusal is not UNSET:
            field_dict["refusal"] = refusal

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        sku = d.pop("sku")

        name = d.pop("name", UNSET)

        price_cents = d.pop("price_cents", UNSET)

        stock = d.pop("stock", UNSET)

        active = d.pop("active", UNSET)

        id = d.pop("id", UNSET)

        created_at = d.pop("created_at", UNSET)

        updated_at = d.pop("updated_at", UNSET)

        refusal = d.pop("refusal", UNSET)

        product_import_row = cls(
            sku=sku,
            name=name,
            price_cents=price_cents,
            stock=stock,
            active=active,
            id=id,
            created_at=created_at,
            updated_at=updated_at,
            refusal=refusal,
        )

        return product_import_row
