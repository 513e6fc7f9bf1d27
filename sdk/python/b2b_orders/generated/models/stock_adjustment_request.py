from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

T = TypeVar("T", bound="StockAdjustmentRequest")


@_attrs_define
class StockAdjustmentRequest:
    """A change of a product's stock, with its reason.

    Attributes:
        delta (int): The number of pieces that came (positive) or went (negative); not 0. Example: 40.
        reason (str): The reason of a change of stock, in the words of its author; not blank, without control
            characters. Example: delivery 4711.
    """

    delta: int
    reason: str

    def to_dict(self) -> dict[str, Any]:
        delta = self.delta

        reason = self.reason

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "delta": delta,
                "reason": reason,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        delta = d.pop("delta")

        reason = d.pop("reason")

        stock_adjustment_request = cls(
            delta=delta,
            reason=reason,
        )

        return stock_adjustment_request
