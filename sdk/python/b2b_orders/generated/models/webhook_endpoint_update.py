from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..types import UNSET, Unset

T = TypeVar("T", bound="WebhookEndpointUpdate")


@_attrs_define
class WebhookEndpointUpdate:
    """The changes of a webhook endpoint. Absent fields keep their values.

    Attributes:
        url (str | Unset): The address to which events are sent: `https://`, with a name that everybody can resolve. In
            development `http://` works, too. Addresses of
            private networks are refused, unless the deployment allows them.
             Example: https://erp.acme.example/webhooks.
        description (None | str | Unset): Your new description of the endpoint; null clears the description. Example:
            The ERP of ACME.
        types (list[str] | Unset): The types of the events that are sent. An empty list stands for all types that the
            endpoint may get, also types that come later. Example: ['order.created', 'order.confirmed', 'order.canceled'].
        enabled (bool | Unset): Whether events are sent to the endpoint. Example: True.
    """

    url: str | Unset = UNSET
    description: None | str | Unset = UNSET
    types: list[str] | Unset = UNSET
    enabled: bool | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        url = self.url

        description: None | str | Unset
        if isinstance(self.description, Unset):
            description = UNSET
        else:
            description = self.description

        types: list[str] | Unset = UNSET
        if not isinstance(self.types, Unset):
            types = self.types

        enabled = self.enabled

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if url is not UNSET:
            field_dict["url"] = url
        if description is not UNSET:
            field_dict["description"] = description
        if types is not UNSET:
            field_dict["types"] = types
        if enabled is not UNSET:
            field_dict["enabled"] = enabled

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        url = d.pop("url", UNSET)

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        types = cast(list[str], d.pop("types", UNSET))

        enabled = d.pop("enabled", UNSET)

        webhook_endpoint_update = cls(
            url=url,
            description=description,
            types=types,
            enabled=enabled,
        )

        return webhook_endpoint_update
