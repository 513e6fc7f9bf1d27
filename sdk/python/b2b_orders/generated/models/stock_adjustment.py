from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="StockAdjustment")


@_attrs_define
class StockAdjustment:
    """A change of a product's stock other than by an order.

    Attributes:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        product_id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly. Example: 1.
        delta (int): The number of pieces by which the stock changed. Example: 40.
        level (int): The stock after the change. Example: 65.
        reason (str): The reason of a change of stock, in the words of its author; not blank, without control
            characters. Example: delivery 4711.
        actor (None | str): The author of the change, as in `actor` of the event. Null to a token that acts for one
            customer, and for changes made before version 2.1. Example: warehouse.
        created_at (datetime.datetime): A time as in RFC 3339, in UTC with milliseconds. Example:
            2024-03-01T09:30:00.000Z.
    """

    id: int
    product_id: int
    delta: int
    level: int
    reason: str
    actor: None | str
    created_at: datetime.datetime
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        id = self.id

        product_id = self.product_id

        delta = self.delta

        level = self.level

        reason = self.reason

        actor: None | str
        actor = self.actor

        created_at = self.created_at.isoformat()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "product_id": product_id,
                "delta": delta,
                "level": level,
                "reason": reason,
                "actor": actor,
                "created_at": created_at,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        id = d.pop("id")

        product_id = d.pop("product_id")

        delta = d.pop("delta")

        level = d.pop("level")

        reason = d.pop("reason")

        def _parse_actor(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        actor = _parse_actor(d.pop("actor"))

        created_at = datetime.datetime.fromisoformat(d.pop("created_at"))

        stock_adjustment = cls(
            id=id,
            product_id=product_id,
            delta=delta,
            level=level,
            reason=reason,
            actor=actor,
            created_at=created_at,
        )

        stock_adjustment.additional_properties = d
        return stock_adjustment

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
