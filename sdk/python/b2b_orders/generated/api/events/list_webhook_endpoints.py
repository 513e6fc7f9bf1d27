from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.list_sort import ListSort
from ...models.webhook_endpoint_list_response import WebhookEndpointListResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    sort: ListSort | Unset = "created_at",
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
        "url": "/webhook-endpoints",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> WebhookEndpointListResponse | None:
    if response.status_code == 200:
        response_200 = WebhookEndpointListResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[WebhookEndpointListResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> Response[WebhookEndpointListResponse]:
    """List the webhook endpoints

     Lists the endpoints of your customer, or all endpoints for callers without a customer; without their
    secrets.

    Args:
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookEndpointListResponse]
    """

    kwargs = _get_kwargs(
        sort=sort,
        cursor=cursor,
        limit=limit,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> WebhookEndpointListResponse | None:
    """List the webhook endpoints

     Lists the endpoints of your customer, or all endpoints for callers without a customer; without their
    secrets.

    Args:
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookEndpointListResponse
    """

    return sync_detailed(
        client=client,
        sort=sort,
        cursor=cursor,
        limit=limit,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> Response[WebhookEndpointListResponse]:
    """List the webhook endpoints

     Lists the endpoints of your customer, or all endpoints for callers without a customer; without their
    secrets.

    Args:
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[WebhookEndpointListResponse]
    """

    kwargs = _get_kwargs(
        sort=sort,
        cursor=cursor,
        limit=limit,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
) -> WebhookEndpointListResponse | None:
    """List the webhook endpoints

     Lists the endpoints of your customer, or all endpoints for callers without a customer; without their
    secrets.

    Args:
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        WebhookEndpointListResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            sort=sort,
            cursor=cursor,
            limit=limit,
        )
    ).parsed
