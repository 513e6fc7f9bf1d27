from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="OrderTotals")


@_attrs_define
class OrderTotals:
    """The totals of the orders that were placed, confirmed or canceled in a period. A sum above 2^53 − 1 is shown as 2^53
    − 1.

        Attributes:
            orders (int): The number of orders. Example: 3.
            units (int): The number of pieces in these orders. Example: 3.
            total_cents (int): An amount, in cents. Example: 259800.
    """

    orders: int
    units: int
    total_cents: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        orders = self.orders

        units = self.units

        total_cents = self.total_cents

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "orders": orders,
                "units": units,
                "total_cents": total_cents,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        orders = d.pop("orders")

        units = d.pop("units")

        total_cents = d.pop("total_cents")

        order_totals = cls(
            orders=orders,
            units=units,
            total_cents=total_cents,
        )

        order_totals.additional_properties = d
        return order_totals

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
