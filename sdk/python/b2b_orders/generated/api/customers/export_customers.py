from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.customer import Customer
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    search: str | Unset = UNSET,
    email: str | Unset = UNSET,
    external_ref: str | Unset = UNSET,
    updated_since: str | Unset = UNSET,
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["search"] = search

    params["email"] = email

    params["external_ref"] = external_ref

    params["updated_since"] = updated_since

    params["ids"] = ids

    params["include_deleted"] = include_deleted

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/customers/export",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Customer | None:
    if response.status_code == 200:
        response_200 = Customer.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[Customer]:
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
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> Response[Customer]:
    """Read all customers as a file

     Exports all customers in ascending id, or the customers that match all filters. The answer is sent
    while the rows are read, so its
    status is 200 even when it ends early: a file is whole when the connection was not broken off. A row
    that changes meanwhile is in
    the file as it is when it is read.

    In CSV a field without a value is empty, and a list or an object is JSON in its cell. Cells have the
    stored values: a value that a
    spreadsheet may take for a formula is not changed.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Customer]
    """

    kwargs = _get_kwargs(
        search=search,
        email=email,
        external_ref=external_ref,
        updated_since=updated_since,
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
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> Customer | None:
    """Read all customers as a file

     Exports all customers in ascending id, or the customers that match all filters. The answer is sent
    while the rows are read, so its
    status is 200 even when it ends early: a file is whole when the connection was not broken off. A row
    that changes meanwhile is in
    the file as it is when it is read.

    In CSV a field without a value is empty, and a list or an object is JSON in its cell. Cells have the
    stored values: a value that a
    spreadsheet may take for a formula is not changed.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Customer
    """

    return sync_detailed(
        client=client,
        search=search,
        email=email,
        external_ref=external_ref,
        updated_since=updated_since,
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
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> Response[Customer]:
    """Read all customers as a file

     Exports all customers in ascending id, or the customers that match all filters. The answer is sent
    while the rows are read, so its
    status is 200 even when it ends early: a file is whole when the connection was not broken off. A row
    that changes meanwhile is in
    the file as it is when it is read.

    In CSV a field without a value is empty, and a list or an object is JSON in its cell. Cells have the
    stored values: a value that a
    spreadsheet may take for a formula is not changed.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[Customer]
    """

    kwargs = _get_kwargs(
        search=search,
        email=email,
        external_ref=external_ref,
        updated_since=updated_since,
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
    ids: str | Unset = UNSET,
    include_deleted: bool | Unset = UNSET,
) -> Customer | None:
    """Read all customers as a file

     Exports all customers in ascending id, or the customers that match all filters. The answer is sent
    while the rows are read, so its
    status is 200 even when it ends early: a file is whole when the connection was not broken off. A row
    that changes meanwhile is in
    the file as it is when it is read.

    In CSV a field without a value is empty, and a list or an object is JSON in its cell. Cells have the
    stored values: a value that a
    spreadsheet may take for a formula is not changed.

    Args:
        search (str | Unset):
        email (str | Unset):
        external_ref (str | Unset):
        updated_since (str | Unset): A date such as `2024-01-01`, or RFC 3339 such as
            `2024-01-01T12:00:00Z`. Example: 2024-01-01.
        ids (str | Unset): At most 100 ids, separated by commas. Example: 1,2.
        include_deleted (bool | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Customer
    """

    return (
        await asyncio_detailed(
            client=client,
            search=search,
            email=email,
            external_ref=external_ref,
            updated_since=updated_since,
            ids=ids,
            include_deleted=include_deleted,
        )
    ).parsed
