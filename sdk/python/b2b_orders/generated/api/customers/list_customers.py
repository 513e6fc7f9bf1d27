from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.customer_list_response import CustomerListResponse
from ...models.list_sort import ListSort
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    search: str | Unset = UNSET,
    email: str | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["search"] = search

    params["email"] = email

    params["external_ref"] = external_ref

    params["updated_since"] = updated_since

    json_sort: str | Unset = UNSET
    if not isinstance(sort, Unset):
        json_sort = sort

    params["sort"] = json_sort

    params["cursor"] = cursor

    params["limit"] = limit

    params["ids"] = ids

    params["include_deleted"] = include_deleted

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/customers",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> CustomerListResponse | None:
    if response.status_code == 200:
        response_200 = CustomerListResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[CustomerListResponse]:
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
    email: str | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> Response[CustomerListResponse]:
    """List and search customers

     Lists the customers that match all filters, the oldest first unless `sort` says otherwise. A deleted
    customer is in the list only
    with `include_deleted=true`. `search` matches a literal part of the name or the email, whatever its
    case and accents: `%` and `_` are ordinary
    characters. Read page after page by passing `meta.nextCursor` as `cursor` until `nextCursor` is
    `null`.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CustomerListResponse]
    """

    kwargs = _get_kwargs(
        search=search,
        email=email,
        external_ref=external_ref,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        ids=ids,
        include_deleted=include_deleted,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    email: str | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> CustomerListResponse | None:
    """List and search customers

     Lists the customers that match all filters, the oldest first unless `sort` says otherwise. A deleted
    customer is in the list only
    with `include_deleted=true`. `search` matches a literal part of the name or the email, whatever its
    case and accents: `%` and `_` are ordinary
    characters. Read page after page by passing `meta.nextCursor` as `cursor` until `nextCursor` is
    `null`.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CustomerListResponse
    """

    return sync_detailed(
        client=client,
        search=search,
        email=email,
        external_ref=external_ref,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        ids=ids,
        include_deleted=include_deleted,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    email: str | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> Response[CustomerListResponse]:
    """List and search customers

     Lists the customers that match all filters, the oldest first unless `sort` says otherwise. A deleted
    customer is in the list only
    with `include_deleted=true`. `search` matches a literal part of the name or the email, whatever its
    case and accents: `%` and `_` are ordinary
    characters. Read page after page by passing `meta.nextCursor` as `cursor` until `nextCursor` is
    `null`.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[CustomerListResponse]
    """

    kwargs = _get_kwargs(
        search=search,
        email=email,
        external_ref=external_ref,
        updated_since=updated_since,
        sort=sort,
        cursor=cursor,
        limit=limit,
        ids=ids,
        include_deleted=include_deleted,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    search: str | Unset = UNSET,
    email: str | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    sort: ListSort | Unset = "created_at",
    cursor: int | Unset = UNSET,
    limit: int | Unset = 20,
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> CustomerListResponse | None:
    """List and search customers

     Lists the customers that match all filters, the oldest first unless `sort` says otherwise. A deleted
    customer is in the list only
    with `include_deleted=true`. `search` matches a literal part of the name or the email, whatever its
    case and accents: `%` and `_` are ordinary
    characters. Read page after page by passing `meta.nextCursor` as `cursor` until `nextCursor` is
    `null`.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        sort (ListSort | Unset): The order of a list. Default: 'created_at'. Example: -created_at.
        cursor (int | Unset):
        limit (int | Unset):  Default: 20.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        CustomerListResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            search=search,
            email=email,
            external_ref=external_ref,
            updated_since=updated_since,
            sort=sort,
            cursor=cursor,
            limit=limit,
            ids=ids,
            include_deleted=include_deleted,
        )
    ).parsed
