from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.order_request import OrderRequest
from ...models.quote_response import QuoteResponse
from ...types import Response


def _get_kwargs(
    *,
    body: OrderRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orders/quote",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> QuoteResponse | None:
    if response.status_code == 200:
        response_200 = QuoteResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[QuoteResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
) -> Response[QuoteResponse]:
    """Quote an order

     Takes the same body as placing an order, and answers with the prices, the total, and every product
    that is short, with the pieces
    on stock. A quote holds nothing and changes nothing, so it needs no idempotency key: an order placed
    afterwards may find other
    prices and less stock.

    `fillable` is the order as far as the stock allows, ready to be posted to `/orders`: it has the
    lines of the request, earlier lines
    are filled first, and lines with no pieces left are gone. `fillable` is the whole order when no
    product is short, and absent when
    nothing can be filled. Its `expected_total_cents` is its total at the prices of this answer,
    whatever the request expects: placing
    it at other prices is 409 `total_changed`. `fillable` has the `external_ref` and the `metadata` of
    the request; only placing the
    order finds out whether the `external_ref` is taken.

    Args:
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[QuoteResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
) -> QuoteResponse | None:
    """Quote an order

     Takes the same body as placing an order, and answers with the prices, the total, and every product
    that is short, with the pieces
    on stock. A quote holds nothing and changes nothing, so it needs no idempotency key: an order placed
    afterwards may find other
    prices and less stock.

    `fillable` is the order as far as the stock allows, ready to be posted to `/orders`: it has the
    lines of the request, earlier lines
    are filled first, and lines with no pieces left are gone. `fillable` is the whole order when no
    product is short, and absent when
    nothing can be filled. Its `expected_total_cents` is its total at the prices of this answer,
    whatever the request expects: placing
    it at other prices is 409 `total_changed`. `fillable` has the `external_ref` and the `metadata` of
    the request; only placing the
    order finds out whether the `external_ref` is taken.

    Args:
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        QuoteResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
) -> Response[QuoteResponse]:
    """Quote an order

     Takes the same body as placing an order, and answers with the prices, the total, and every product
    that is short, with the pieces
    on stock. A quote holds nothing and changes nothing, so it needs no idempotency key: an order placed
    afterwards may find other
    prices and less stock.

    `fillable` is the order as far as the stock allows, ready to be posted to `/orders`: it has the
    lines of the request, earlier lines
    are filled first, and lines with no pieces left are gone. `fillable` is the whole order when no
    product is short, and absent when
    nothing can be filled. Its `expected_total_cents` is its total at the prices of this answer,
    whatever the request expects: placing
    it at other prices is 409 `total_changed`. `fillable` has the `external_ref` and the `metadata` of
    the request; only placing the
    order finds out whether the `external_ref` is taken.

    Args:
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[QuoteResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
) -> QuoteResponse | None:
    """Quote an order

     Takes the same body as placing an order, and answers with the prices, the total, and every product
    that is short, with the pieces
    on stock. A quote holds nothing and changes nothing, so it needs no idempotency key: an order placed
    afterwards may find other
    prices and less stock.

    `fillable` is the order as far as the stock allows, ready to be posted to `/orders`: it has the
    lines of the request, earlier lines
    are filled first, and lines with no pieces left are gone. `fillable` is the whole order when no
    product is short, and absent when
    nothing can be filled. Its `expected_total_cents` is its total at the prices of this answer,
    whatever the request expects: placing
    it at other prices is 409 `total_changed`. `fillable` has the `external_ref` and the `metadata` of
    the request; only placing the
    order finds out whether the `external_ref` is taken.

    Args:
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        QuoteResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
