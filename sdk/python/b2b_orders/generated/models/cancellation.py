from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeVar

from attrs import define as _attrs_define

from ..models.cancellation_cause import CancellationCause, check_cancellation_cause
from ..types import UNSET, Unset

T = TypeVar("T", bound="Cancellation")


@_attrs_define
class Cancellation:
    """The reason of a cancellation, for people, and its cause, for programs.

    Attributes:
        reason (str | Unset): The reason in your own words; not blank, without control characters. The order shows the
            reason as `cancel_note`. Example: The customer changed their mind..
        cause (CancellationCause | Unset): The cause that the order shows as `cancel_reason`; `requested` when the field
            is left out. Only the services of this system send `compensation`, for an order that they placed as a step of
            work that failed in a later step. An order that was confirmed is not canceled with this cause: the answer is 412
            `precondition_failed`. Example: requested.
    """

    reason: str | Unset = UNSET
    cause: CancellationCause | Unset = UNSET

    def to_dict(self) -> dict[str, Any]:
        reason = self.reason

        cause: str | Unset = UNSET
        if not isinstance(self.cause, Unset):
            cause = self.cause

        field_dict: dict[str, Any] = {}

        field_dict.update({})
        if reason is not UNSET:
            field_dict["reason"] = reason
        if cause is not UNSET:
            field_dict["cause"] = cause

        return field_dict

    @classmethod
    def from_dict(cls, src_dict: Mapping[str, Any]) -> Self:
        d = dict(src_dict)
        reason = d.pop("reason", UNSET)

        _cause = d.pop("cause", UNSET)
        cause: CancellationCause | Unset
        if isinstance(_cause, Unset):
            cause = UNSET
        else:
            cause = check_cancellation_cause(_cause)

        cancellation = cls(
            reason=reason,
            cause=cause,
        )

        return cancellation
