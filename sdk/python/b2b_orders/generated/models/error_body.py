from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.api_error_detail import ApiErrorDetail


T = TypeVar("T", bound="ErrorBody")


@_attrs_define
class ErrorBody:
    """The body of every error.

    Attributes:
        success (bool): Always false. Example: False.
        error (str): One sentence for a person. Its wording may change. Example: The request is not valid..
        code (str): The code of an error. Codes are stable; programs branch on them. Extensible: others may be added to
            `malformed_json`, `malformed_row`, `validation_failed`, `idempotency_key_required`, `insufficient_stock`,
            `product_inactive`, `order_not_confirmable`, `cancel_window_closed`, `unauthorized`, `forbidden`, `not_found`,
            `customer_not_found`, `product_not_found`, `order_not_found`, `webhook_endpoint_not_found`,
            `idempotency_key_unknown`, `order_incomplete`, `method_not_allowed`, `request_timeout`, `email_taken`,
            `external_ref_taken`, `total_changed`, `sku_taken`, `too_many_webhook_endpoints`, `events_expired`,
            `precondition_failed`, `payload_too_large`, `unsupported_media_type`, `idempotency_key_reused`, `rate_limited`,
            `internal`, `customers_unavailable`, `upstream_unavailable`, `unavailable`, `timeout`. Example:
            validation_failed.
        correlation_id (str | Unset): The call's correlation id. Every error of the orchestrator has this field; the
            other services send the id only as `X-Correlation-Id`. Example: req-12345.
        details (list[ApiErrorDetail] | Unset): The reasons for the error, each with its field; absent when `error` says
            it all.
    """

    success: bool
    error: str
    code: str
    correlation_id: str | Unset = UNSET
    details: list[ApiErrorDetail] | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        success = self.success

        error = self.error

        code = self.code

        correlation_id = self.correlation_id

        details: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.details, Unset):
            details = []
            for details_item_data in self.details:
                details_item = details_item_data.to_dict()
                details.append(details_item)

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "success": success,
                "error": error,
                "code": code,
            }
        )
        if correlation_id is not UNSET:
            field_dict["correlationId"] = correlation_id
        if details is not UNSET:
            field_dict["details"] = details

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.api_error_detail import ApiErrorDetail

        d = dict(src_dict)
        success = d.pop("success")

        error = d.pop("error")

        code = d.pop("code")

        correlation_id = d.pop("correlationId", UNSET)

        _details = d.pop("details", UNSET)
        details: list[ApiErrorDetail] | Unset = UNSET
        if _details is not UNSET:
            details = []
            for details_item_data in _details:
                details_item = ApiErrorDetail.from_dict(details_item_data)

                details.append(details_item)

        error_body = cls(
            success=success,
            error=error,
            code=code,
            correlation_id=correlation_id,
            details=details,
        )

        error_body.additional_properties = d
        return error_body

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
