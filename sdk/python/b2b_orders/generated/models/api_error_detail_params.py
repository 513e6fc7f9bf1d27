from __future__ import annotations

from typing import Any, Self


class ApiErrorDetailParams(dict[str, Any]):
    """The reason for a program: strings, numbers and booleans. The error's `code` decides which there are; others may be
    added. For a
    value that breaks a rule of this document: `rule`, the keyword in snake_case (`required`, `minimum`, `max_length`,
    `enum`,
    `format`, …) or a word such as `unknown_field`, `repeated`, `whole_number` or `unique`; and, where the rule has
    them, `limit`,
    `type`, `format`, or `values` with spaces between them.

        Example:
            {'product_id': 2, 'sku': 'LAPTOP-HP-2024', 'requested': 5, 'available': 3}

    """

    @property
    def additional_properties(self) -> dict[str, Any]:
        return self

    def to_dict(self) -> dict[str, Any]:
        return dict(self)

    @classmethod
    def from_dict(cls, src_dict: dict[str, Any]) -> Self:
        return cls(src_dict)
