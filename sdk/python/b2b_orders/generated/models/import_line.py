from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, TypeVar

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.api_error_detail import ApiErrorDetail
    from ..models.import_summary import ImportSummary


T = TypeVar("T", bound="ImportLine")


@_attrs_define
class ImportLine:
    """A line of an import's answer: the result of one row, or, as the last line, the `summary`.

    Attributes:
        row (int | Unset): The line of the file on which the row begins, from 1; the first line of a CSV file names its
            columns. Example: 17.
        result (str | Unset): The result of the row. Extensible: others may be added to `created`, `updated`,
            `unchanged`, `refused`. Example: created.
        id (int | Unset): The id of the product or customer. Absent for a refused row, and for a new row of a dry run.
            Example: 42.
        code (str | Unset): The code of an error. Codes are stable; programs branch on them. Extensible: others may be
            added to `malformed_json`, `malformed_row`, `validation_failed`, `idempotency_key_required`,
            `insufficient_stock`, `product_inactive`, `order_not_confirmable`, `cancel_window_closed`, `unauthorized`,
            `forbidden`, `not_found`, `customer_not_found`, `product_not_found`, `order_not_found`,
            `webhook_endpoint_not_found`, `idempotency_key_unknown`, `order_incomplete`, `method_not_allowed`,
            `request_timeout`, `email_taken`, `external_ref_taken`, `total_changed`, `sku_taken`,
            `too_many_webhook_endpoints`, `events_expired`, `precondition_failed`, `payload_too_large`,
            `unsupported_media_type`, `idempotency_key_reused`, `rate_limited`, `internal`, `customers_unavailable`,
            `upstream_unavailable`, `unavailable`, `timeout`. Example: validation_failed.
        error (str | Unset): The reason for the refusal of the row, for a person. Example: The request is not valid..
        details (list[ApiErrorDetail] | Unset): The reasons for the refusal of the row, each with its field.
        summary (ImportSummary | Unset): The result of an import. A dry run counts the results that the rows would have.
    """

    row: int | Unset = UNSET
    result: str | Unset = UNSET
    id: int | Unset = UNSET
    code: str | Unset = UNSET
    error: str | Unset = UNSET
    details: list[ApiErrorDetail] | Unset = UNSET
    summary: ImportSummary | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        row = self.row

        result = self.result

        id = self.id

        code = self.code

        error = self.error

        details: list[dict[str, Any]] | Unset = UNSET
        if not isinstance(self.details, Unset):
            details = []
            for details_item_data in self.details:
                details_item = details_item_data.to_dict()
                details.append(details_item)

        summary: dict[str, Any] | Unset = UNSET
        if not isinstance(self.summary, Unset):
            summary = self.summary.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update({})
        if row is not UNSET:
            field_dict["row"] = row
        if result is not UNSET:
            field_dict["result"] = result
        if id is not UNSET:
            field_dict["id"] = id
        if code is not UNSET:
            field_dict["code"] = code
        if error is not UNSET:
            field_dict["error"] = error
        if details is not UNSET:
            field_dict["details"] = details
        if summary is not UNSET:
            field_dict["summary"] = summary

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        from ..models.api_error_detail import ApiErrorDetail
        from ..models.import_summary import ImportSummary

        d = dict(src_dict)
        row = d.pop("row", UNSET)

        result = d.pop("result", UNSET)

        id = d.pop("id", UNSET)

        code = d.pop("code", UNSET)

        error = d.pop("error", UNSET)

        _details = d.pop("details", UNSET)
        details: list[ApiErrorDetail] | Unset = UNSET
        if _details is not UNSET:
            details = []
            for details_item_data in _details:
                details_item = ApiErrorDetail.from_dict(details_item_data)

                details.append(details_item)

        _summary = d.pop("summary", UNSET)
        summary: ImportSummary | Unset
        if isinstance(_summary, Unset):
            summary = UNSET
        else:
            summary = ImportSummary.from_dict(_summary)

        import_line = cls(
            row=row,
            result=result,
            id=id,
            code=code,
            error=error,
            details=details,
            summary=summary,
        )

        import_line.additional_properties = d
        return import_line

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
