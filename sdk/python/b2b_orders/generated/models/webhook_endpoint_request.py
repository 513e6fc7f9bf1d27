from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar, cast

from attrs import define as _attrs_define

from ..models.webhook_signature import WebhookSignature, check_webhook_signature
from ..types import UNSET, Unset

T = TypeVar("T", bound="WebhookEndpointRequest")


@_attrs_define
class WebhookEndpointRequest:
    """A webhook endpoint to create.

    Attributes:
        url (str): The address to which events are sent: `https://`, with a name that everybody can resolve. In
            development `http://` works, too. Addresses of
            private networks are refused, unless the deployment allows them.
             Example: https://erp.acme.example/webhooks.
        description (None | str | Unset): Your description of the endpoint. Example: The ERP of ACME.
        types (list[str] | Unset): The types of the events that are sent. An empty list stands for all types that the
            endpoint may get, also types that come later. Example: ['order.created', 'order.confirmed', 'order.canceled'].
        signature (WebhookSignature | Unset): The method that signs messages. `hmac-sha256` signs with a secret that
            both sides know (`v1`), `ed25519` with a key that only the sender knows (`v1a`); receivers check with
            `public_key`. Example: hmac-sha256.
    """

    url: str
    description: None | str | Unset = UNSET
    types: list[str] | Unset = UNSET
    signature: WebhookSignature | Unset = UNSET

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

        signature: str | Unset = UNSET
        if not isinstance(self.signature, Unset):
            signature = self.signature

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "url": url,
            }
        )
        if description is not UNSET:
            field_dict["description"] = description
        if types is not UNSET:
            field_dict["types"] = types
        if signature is not UNSET:
            field_dict["signature"] = signature

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        url = d.pop("url")

        def _parse_description(data: object) -> None | str | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(None | str | Unset, data)

        description = _parse_description(d.pop("description", UNSET))

        types = cast(list[str], d.pop("types", UNSET))

        _signature = d.pop("signature", UNSET)
        signature: WebhookSignature | Unset
        if isinstance(_signature, Unset):
            signature = UNSET
        else:
            signature = check_webhook_signature(_signature)

        webhook_endpoint_request = cls(
            url=url,
            description=description,
            types=types,
            signature=signature,
        )

        return webhook_endpoint_request
