from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

T = TypeVar("T", bound="FeedMeta")


@_attrs_define
class FeedMeta:
    """Says where the feed goes on.

    Attributes:
        next_after (int): The position to pass as `after` to go on. Example: 15.
        last_position (int): The position of the newest event, whether `types` shows this event or not. Example: 15.
    """

    next_after: int
    last_position: int
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        next_after = self.next_after

        last_position = self.last_position

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "next_after": next_after,
                "last_position": last_position,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        next_after = d.pop("next_after")

        last_position = d.pop("last_position")

        feed_meta = cls(
            next_after=next_after,
            last_position=last_position,
        )

        feed_meta.additional_properties = d
        return feed_meta

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
