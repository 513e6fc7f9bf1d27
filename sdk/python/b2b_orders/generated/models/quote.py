from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.order_request import OrderRequest
    from ..models.quoted_item import QuotedItem
    from ..models.shortage import Shortage


T = TypeVar("T", bound="Quote")


@_attrs_define
class Quote:
    """The prices and shortages of an order, and `fillable`, the order as far as the stock allows.

    Attributes:
        items (list[QuotedItem]): The items that the order would have, whether or not they are on stock, one item for
            each product, in ascending product id.
        total_cents (int): An amount, in cents. Example: 259800.
        shortages (list[Shortage]): Every product with fewer pieces on stock than the lines request together, in
            ascending product id; empty when the order can be placed as it is.
        fillable (OrderRequest | Unset): An order to place.
    """

    items: list[QuotedItem]
    total_cents: int
    shortages: list[Shortage]
    fillable: OrderRequest | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        items = []
        for items_item_data in self.items:
            items_item = items_item_data.to_dict()
            items.append(items_item)

        total_cents = self.total_cents

        shortages = []
        for shortages_item_data in self.shortages:
            shortages_item = shortages_item_data.to_dict()
            shortages.append(shortages_item)

        fillable: dict[str, Any] | Unset = UNSET
        if not isinstance(self.fillable, Unset):
            fillable = self.fillable.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "items": items,
                "total_cents": total_cents,
                "shortages": shortages,
            }
        )
        if fillable is not UNSET:
            field_dict["fillable"] = fillable

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.order_request import OrderRequest
        from ..models.quoted_item import QuotedItem
        from ..models.shortage import Shortage

        d = dict(src_dict)
        items = []
        _items = d.pop("items")
        for items_item_data in _items:
            items_item = QuotedItem.from_dict(items_item_data)

            items.append(items_item)

        total_cents = d.pop("total_cents")

        shortages = []
        _shortages = d.pop("shortages")
        for shortages_item_data in _shortages:
            shortages_item = Shortage.from_dict(shortages_item_data)

            shortages.append(shortages_item)

        _fillable = d.pop("fillable", UNSET)
        fillable: OrderRequest | Unset
        if isinstance(_fillable, Unset):
            fillable = UNSET
        else:
            fillable = OrderRequest.from_dict(_fillable)

        quote = cls(
            items=items,
            total_cents=total_cents,
            shortages=shortages,
            fillable=fillable,
        )

        quote.additional_properties = d
        return quote

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
