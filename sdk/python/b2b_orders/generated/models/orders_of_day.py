from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.order_totals import OrderTotals


T = TypeVar("T", bound="OrdersOfDay")


@_attrs_define
class OrdersOfDay:
    """The totals of the orders that were placed, confirmed and canceled on a day.

    Attributes:
        day (str): A date. Example: 2024-03-01.
        created (OrderTotals): The totals of the orders that were placed, confirmed or canceled in a period. A sum above
            2^53 − 1 is shown as 2^53 − 1.
        confirmed (OrderTotals): The totals of the orders that were placed, confirmed or canceled in a period. A sum
            above 2^53 − 1 is shown as 2^53 − 1.
        canceled (OrderTotals): The totals of the orders that were placed, confirmed or canceled in a period. A sum
            above 2^53 − 1 is shown as 2^53 − 1.
    """

    day: str
    created: OrderTotals
    confirmed: OrderTotals
    canceled: OrderTotals
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        day = self.day

        created = self.created.to_dict()

        confirmed = self.confirmed.to_dict()

        canceled = self.canceled.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "day": day,
                "created": created,
                "confirmed": confirmed,
                "canceled": canceled,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.order_totals import OrderTotals

        d = dict(src_dict)
        day = d.pop("day")

        created = OrderTotals.from_dict(d.pop("created"))

        confirmed = OrderTotals.from_dict(d.pop("confirmed"))

        canceled = OrderTotals.from_dict(d.pop("canceled"))

        orders_of_day = cls(
            day=day,
            created=created,
            confirmed=confirmed,
            canceled=canceled,
        )

        orders_of_day.additional_properties = d
        return orders_of_day

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
