from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.product_response import ProductResponse
from ...models.product_update import ProductUpdate
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    body: ProductUpdate,
    if_match: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    _kwargs: dict[str, Any] = {
        "method": "patch",
        "url": "/products/{id}".format(
            id=quote(str(id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> ProductResponse | None:
    if response.status_code == 200:
        response_200 = ProductResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[ProductResponse]:
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
    body: ProductUpdate,
    if_match: str | Unset = UNSET,
) -> Response[ProductResponse]:
    """Change a product

     Changes the given fields, at least one; the other fields keep their values. Existing orders keep the
    price and the name with which
    they were placed, and may be confirmed when the product is no longer active.

    `stock` sets the level, and so overwrites sales since your last look: to say "40 arrived", post a
    stock adjustment; or send the
    product's `ETag` as `If-Match`, and the call is refused when the product has changed since.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        body (ProductUpdate): The changes of a product. Absent fields keep their values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ProductResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        if_match=if_match,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    body: ProductUpdate,
    if_match: str | Unset = UNSET,
) -> ProductResponse | None:
    """Change a product

     Changes the given fields, at least one; the other fields keep their values. Existing orders keep the
    price and the name with which
    they were placed, and may be confirmed when the product is no longer active.

    `stock` sets the level, and so overwrites sales since your last look: to say "40 arrived", post a
    stock adjustment; or send the
    product's `ETag` as `If-Match`, and the call is refused when the product has changed since.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        body (ProductUpdate): The changes of a product. Absent fields keep their values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ProductResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
        if_match=if_match,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    body: ProductUpdate,
    if_match: str | Unset = UNSET,
) -> Response[ProductResponse]:
    """Change a product

     Changes the given fields, at least one; the other fields keep their values. Existing orders keep the
    price and the name with which
    they were placed, and may be confirmed when the product is no longer active.

    `stock` sets the level, and so overwrites sales since your last look: to say "40 arrived", post a
    stock adjustment; or send the
    product's `ETag` as `If-Match`, and the call is refused when the product has changed since.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        body (ProductUpdate): The changes of a product. Absent fields keep their values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[ProductResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        if_match=if_match,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    body: ProductUpdate,
    if_match: str | Unset = UNSET,
) -> ProductResponse | None:
    """Change a product

     Changes the given fields, at least one; the other fields keep their values. Existing orders keep the
    price and the name with which
    they were placed, and may be confirmed when the product is no longer active.

    `stock` sets the level, and so overwrites sales since your last look: to say "40 arrived", post a
    stock adjustment; or send the
    product's `ETag` as `If-Match`, and the call is refused when the product has changed since.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        body (ProductUpdate): The changes of a product. Absent fields keep their values.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        ProductResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            body=body,
            if_match=if_match,
        )
    ).parsed
