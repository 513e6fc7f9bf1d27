from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.orders_of_day import OrdersOfDay


T = TypeVar("T", bound="OrdersSummary")


@_attrs_define
class OrdersSummary:
    """The totals of the orders of each day.

    Attributes:
        tz (str): A time zone, by its name in the IANA database. Example: Europe/Madrid.
        days (list[OrdersOfDay]): All days, in ascending order, also days without orders; empty when `from` is after
            `to`.
    """

    tz: str
    days: list[OrdersOfDay]
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        tz = self.tz

        days = []
        for days_item_data in self.days:
            days_item = days_item_data.to_dict()
            days.append(days_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "tz": tz,
                "days": days,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.orders_of_day import OrdersOfDay

        d = dict(src_dict)
        tz = d.pop("tz")

        days = []
        _days = d.pop("days")
        for days_item_data in _days:
            days_item = OrdersOfDay.from_dict(days_item_data)

            days.append(days_item)

        orders_summary = cls(
            tz=tz,
            days=days,
        )

        orders_summary.additional_properties = d
        return orders_summary

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
