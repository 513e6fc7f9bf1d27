from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.list_sort import ListSort
from ...models.webhook_delivery_list_response import WebhookDeliveryListResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    sort: ListSort | Unset = "-created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    json_sort: str | Unset = UNSET
    if not isinstance(sort, Unset):
        json_sort = sort

    params["sort"] = json_sort

    params["cursor"] = cursor

    params["limit"] = limit

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/webhook-endpoints/{id}/deliveries".format(
            id=quote(str(id), safe=""),
        ),
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookDeliveryListResponse | None:
    if response.status_code == 200:
        response_200 = WebhookDeliveryListResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[WebhookDeliveryListResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "-created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> Response[WebhookDeliveryListResponse]:
    """List the deliveries to a webhook endpoint

     Lists each attempt to send a message in the last seven days, newest first unless `sort` says
    otherwise.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        sort (ListSort | Unset): The order of a list. Default: '-created_at'. Example:
            -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookDeliveryListResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        sort=sort,
        cursor=cursor,
        limit=limit,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "-created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> WebhookDeliveryListResponse | None:
    """List the deliveries to a webhook endpoint

     Lists each attempt to send a message in the last seven days, newest first unless `sort` says
    otherwise.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        sort (ListSort | Unset): The order of a list. Default: '-created_at'. Example:
            -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookDeliveryListResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        sort=sort,
        cursor=cursor,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "-created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> Response[WebhookDeliveryListResponse]:
    """List the deliveries to a webhook endpoint

     Lists each attempt to send a message in the last seven days, newest first unless `sort` says
    otherwise.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        sort (ListSort | Unset): The order of a list. Default: '-created_at'. Example:
            -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookDeliveryListResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        sort=sort,
        cursor=cursor,
        limit=limit,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "-created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> WebhookDeliveryListResponse | None:
    """List the deliveries to a webhook endpoint

     Lists each attempt to send a message in the last seven days, newest first unless `sort` says
    otherwise.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        sort (ListSort | Unset): The order of a list. Default: '-created_at'. Example:
            -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookDeliveryListResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            sort=sort,
            cursor=cursor,
            limit=limit,
        )
    ).parsed
