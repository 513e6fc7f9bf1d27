from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.cancel_reason_filter import (
    CancelReasonFilter,
)
from ...models.list_sort import ListSort
from ...models.order_list_response import OrderListResponse
from ...models.order_status_filter import OrderStatusFilter
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    status: OrderStatusFilter | Unset = UNSET,
    customer_id: int | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    from_: str | Unset = UNSET,
    to: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    confirmed_from: str | Unset = UNSET,
    confirmed_to: str | Unset = UNSET,
    cancel_reason: CancelReasonFilter | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_status: str | Unset = UNSET
    if not isinstance(status, Unset):
        json_status = status

    params["status"] = json_status

    params["customer_id"] = customer_id

    params["external_ref"] = external_ref

    params["from"] = from_

    params["to"] = to

    params["updated_since"] = updated_since

    json_sort: str | Unset = UNSET
    if not isinstance(sort, Unset):
        json_sort = sort

    params["sort"] = json_sort

    params["cursor"] = cursor

    params["limit"] = limit

    params["confirmed_from"] = confirmed_from

    params["confirmed_to"] = confirmed_to

    json_cancel_reason: str | Unset = UNSET
    if not isinstance(cancel_reason, Unset):
        json_cancel_reason = cancel_reason

    params["cancel_reason"] = json_cancel_reason

    params["ids"] = ids

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/orders",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrderListResponse | None:
    if response.status_code == 200:
        response_200 = OrderListResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OrderListResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    status: OrderStatusFilter | Unset = UNSET,
    customer_id: int | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    from_: str | Unset = UNSET,
    to: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    confirmed_from: str | Unset = UNSET,
    confirmed_to: str | Unset = UNSET,
    cancel_reason: CancelReasonFilter | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> Response[OrderListResponse]:
    """List orders

     Lists the orders that match all filters, without their items, the oldest first unless `sort` says
    otherwise. Read page after page
    by passing `meta.nextCursor` as `cursor` until `nextCursor` is `null`.

    Args:
        status (OrderStatusFilter | Unset): A status to look for. Example: CONFIRMED.
        customer_id (int | Unset): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them
            exactly. Example: 1.
        external_ref (str | Unset):
        from_ (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as `2024-01-01T12:00:00Z`.
            Example: 2024-01-01.
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        confirmed_from (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        confirmed_to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        cancel_reason (CancelReasonFilter | Unset): A reason of a cancellation to look for.
            Example: reservation_expired.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderListResponse]
    """

    kwargs = _get_kwargs(
        status=status,
        customer_id=customer_id,
        external_ref=external_ref,
        from_=from_,
        to=to,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        confirmed_from=confirmed_from,
        confirmed_to=confirmed_to,
        cancel_reason=cancel_reason,
        ids=ids,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    status: OrderStatusFilter | Unset = UNSET,
    customer_id: int | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    from_: str | Unset = UNSET,
    to: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    confirmed_from: str | Unset = UNSET,
    confirmed_to: str | Unset = UNSET,
    cancel_reason: CancelReasonFilter | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> OrderListResponse | None:
    """List orders

     Lists the orders that match all filters, without their items, the oldest first unless `sort` says
    otherwise. Read page after page
    by passing `meta.nextCursor` as `cursor` until `nextCursor` is `null`.

    Args:
        status (OrderStatusFilter | Unset): A status to look for. Example: CONFIRMED.
        customer_id (int | Unset): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them
            exactly. Example: 1.
        external_ref (str | Unset):
        from_ (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as `2024-01-01T12:00:00Z`.
            Example: 2024-01-01.
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        confirmed_from (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        confirmed_to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        cancel_reason (CancelReasonFilter | Unset): A reason of a cancellation to look for.
            Example: reservation_expired.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderListResponse
    """

    return sync_detailed(
        client=client,
        status=status,
        customer_id=customer_id,
        external_ref=external_ref,
        from_=from_,
        to=to,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        confirmed_from=confirmed_from,
        confirmed_to=confirmed_to,
        cancel_reason=cancel_reason,
        ids=ids,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    status: OrderStatusFilter | Unset = UNSET,
    customer_id: int | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    from_: str | Unset = UNSET,
    to: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    confirmed_from: str | Unset = UNSET,
    confirmed_to: str | Unset = UNSET,
    cancel_reason: CancelReasonFilter | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> Response[OrderListResponse]:
    """List orders

     Lists the orders that match all filters, without their items, the oldest first unless `sort` says
    otherwise. Read page after page
    by passing `meta.nextCursor` as `cursor` until `nextCursor` is `null`.

    Args:
        status (OrderStatusFilter | Unset): A status to look for. Example: CONFIRMED.
        customer_id (int | Unset): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them
            exactly. Example: 1.
        external_ref (str | Unset):
        from_ (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as `2024-01-01T12:00:00Z`.
            Example: 2024-01-01.
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        confirmed_from (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        confirmed_to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        cancel_reason (CancelReasonFilter | Unset): A reason of a cancellation to look for.
            Example: reservation_expired.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderListResponse]
    """

    kwargs = _get_kwargs(
        status=status,
        customer_id=customer_id,
        external_ref=external_ref,
        from_=from_,
        to=to,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        confirmed_from=confirmed_from,
        confirmed_to=confirmed_to,
        cancel_reason=cancel_reason,
        ids=ids,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    status: OrderStatusFilter | Unset = UNSET,
    customer_id: int | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    from_: str | Unset = UNSET,
    to: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    confirmed_from: str | Unset = UNSET,
    confirmed_to: str | Unset = UNSET,
    cancel_reason: CancelReasonFilter | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> OrderListResponse | None:
    """List orders

     Lists the orders that match all filters, without their items, the oldest first unless `sort` says
    otherwise. Read page after page
    by passing `meta.nextCursor` as `cursor` until `nextCursor` is `null`.

    Args:
        status (OrderStatusFilter | Unset): A status to look for. Example: CONFIRMED.
        customer_id (int | Unset): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them
            exactly. Example: 1.
        external_ref (str | Unset):
        from_ (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as `2024-01-01T12:00:00Z`.
            Example: 2024-01-01.
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        confirmed_from (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        confirmed_to (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        cancel_reason (CancelReasonFilter | Unset): A reason of a cancellation to look for.
            Example: reservation_expired.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderListResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            status=status,
            customer_id=customer_id,
            external_ref=external_ref,
            from_=from_,
            to=to,
            updated_since=updated_since,
            sort=sort,
            cursor=cursor,
            limit=limit,
            confirmed_from=confirmed_from,
            confirmed_to=confirmed_to,
            cancel_reason=cancel_reason,
            ids=ids,
        )
    ).parsed
