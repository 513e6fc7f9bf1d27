from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

if TYPE_CHECKING:
    from ..models.feed_event import FeedEvent
    from ..models.feed_meta import FeedMeta


T = TypeVar("T", bound="FeedResponse")


@_attrs_define
class FeedResponse:
    """A page of the feed.

    Attributes:
        success (bool): Always true; every error has false here. Example: True.
        data (list[FeedEvent]):
        meta (FeedMeta): Says where the feed goes on.
    """

    success: bool
    data: list[FeedEvent]
    meta: FeedMeta
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        success = self.success

        data = []
        for data_item_data in self.data:
            data_item = data_item_data.to_dict()
            data.append(data_item)

        meta = self.meta.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "success": success,
                "data": data,
                "meta": meta,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.feed_event import FeedEvent
        from ..models.feed_meta import FeedMeta

        d = dict(src_dict)
        success = d.pop("success")

        data = []
        _data = d.pop("data")
        for data_item_data in _data:
            data_item = FeedEvent.from_dict(data_item_data)

            data.append(data_item)

        meta = FeedMeta.from_dict(d.pop("meta"))

        feed_response = cls(
            success=success,
            data=data,
            meta=meta,
        )

        feed_response.additional_properties = d
        return feed_response

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
