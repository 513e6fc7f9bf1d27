from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="Shortage")


@_attrs_define
class Shortage:
    """A product with fewer pieces on stock than the order requests.

    Attributes:
        product_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        sku (str): The product's code; unique, case-sensitive, without spaces at either end or control characters.
            Example: LAPTOP-DELL-2024.
        requested (int): The number of pieces that all lines with this product request together. Example: 100.
        available (int): The number of pieces on stock. Example: 40.
    """

    product_id: int
    sku: str
    requested: int
    available: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        product_id = self.product_id

        sku = self.sku

        requested = self.requested

        available = self.available

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "product_id": product_id,
                "sku": sku,
                "requested": requested,
                "available": available,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        product_id = d.pop("product_id")

        sku = d.pop("sku")

        requested = d.pop("requested")

        available = d.pop("available")

        shortage = cls(
            product_id=product_id,
            sku=sku,
            requested=requested,
            available=available,
        )

        shortage.additional_properties = d
        return shortage

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
