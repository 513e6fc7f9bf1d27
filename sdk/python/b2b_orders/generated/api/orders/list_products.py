from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.list_sort import ListSort
from ...models.product_list_response import ProductListResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    search: str | Unset = UNSET,
    sku: str | Unset = UNSET,
    active: bool | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    stock_below: int | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["search"] = search

    params["sku"] = sku

    params["active"] = active

    params["updated_since"] = updated_since

    json_sort: str | Unset = UNSET
    if not isinstance(sort, Unset):
        json_sort = sort

    params["sort"] = json_sort

    params["cursor"] = cursor

    params["limit"] = limit

    params["stock_below"] = stock_below

    params["ids"] = ids

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/products",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ProductListResponse | None:
    if response.status_code == 200:
        response_200 = ProductListResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ProductListResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    sku: str | Unset = UNSET,
    active: bool | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    stock_below: int | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> Response[ProductListResponse]:
    """List and search products

     Lists the products that match all filters, the oldest first unless `sort` says otherwise. `search`
    matches a literal part of the
    sku or the name, whatever its case and accents: `%` and `_` are ordinary characters. Read page after
    page by passing `meta.nextCursor` as
    `cursor` until `nextCursor` is `null`.

    Args:
        search (str | Unset):
        sku (str | Unset): The product's code; unique, case-sensitive, without spaces at either
            end or control characters. Example: LAPTOP-DELL-2024.
        active (bool | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        stock_below (int | Unset):
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ProductListResponse]
    """

    kwargs = _get_kwargs(
        search=search,
        sku=sku,
        active=active,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        stock_below=stock_below,
        ids=ids,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    sku: str | Unset = UNSET,
    active: bool | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    stock_below: int | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> ProductListResponse | None:
    """List and search products

     Lists the products that match all filters, the oldest first unless `sort` says otherwise. `search`
    matches a literal part of the
    sku or the name, whatever its case and accents: `%` and `_` are ordinary characters. Read page after
    page by passing `meta.nextCursor` as
    `cursor` until `nextCursor` is `null`.

    Args:
        search (str | Unset):
        sku (str | Unset): The product's code; unique, case-sensitive, without spaces at either
            end or control characters. Example: LAPTOP-DELL-2024.
        active (bool | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        stock_below (int | Unset):
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ProductListResponse
    """

    return sync_detailed(
        client=client,
        search=search,
        sku=sku,
        active=active,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        stock_below=stock_below,
        ids=ids,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    sku: str | Unset = UNSET,
    active: bool | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    stock_below: int | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> Response[ProductListResponse]:
    """List and search products

     Lists the products that match all filters, the oldest first unless `sort` says otherwise. `search`
    matches a literal part of the
    sku or the name, whatever its case and accents: `%` and `_` are ordinary characters. Read page after
    page by passing `meta.nextCursor` as
    `cursor` until `nextCursor` is `null`.

    Args:
        search (str | Unset):
        sku (str | Unset): The product's code; unique, case-sensitive, without spaces at either
            end or control characters. Example: LAPTOP-DELL-2024.
        active (bool | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        stock_below (int | Unset):
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ProductListResponse]
    """

    kwargs = _get_kwargs(
        search=search,
        sku=sku,
        active=active,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        stock_below=stock_below,
        ids=ids,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    sku: str | Unset = UNSET,
    active: bool | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    stock_below: int | Unset = UNSET,
    ids: str | Unset = UNSET,
) -> ProductListResponse | None:
    """List and search products

     Lists the products that match all filters, the oldest first unless `sort` says otherwise. `search`
    matches a literal part of the
    sku or the name, whatever its case and accents: `%` and `_` are ordinary characters. Read page after
    page by passing `meta.nextCursor` as
    `cursor` until `nextCursor` is `null`.

    Args:
        search (str | Unset):
        sku (str | Unset): The product's code; unique, case-sensitive, without spaces at either
            end or control characters. Example: LAPTOP-DELL-2024.
        active (bool | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        stock_below (int | Unset):
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ProductListResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            search=search,
            sku=sku,
            active=active,
            updated_since=updated_since,
            sort=sort,
            cursor=cursor,
            limit=limit,
            stock_below=stock_below,
            ids=ids,
        )
    ).parsed
