from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.order_request import OrderRequest
from ...models.order_response import OrderResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    body: OrderRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orders",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrderResponse | None:
    if response.status_code == 201:
        response_201 = OrderResponse.from_dict(response.json())

        return response_201

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OrderResponse]:
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
    x_idempotency_key: str | Unset = UNSET,
) -> Response[OrderResponse]:
    """Place an order

     Checks the customer, takes the stock of every line or of none, and fixes the sku, the name and the
    price of each line. A line
    names its product by `product_id` or by `sku`. Two lines with one product become one item. The order
    is then CREATED: confirm
    the order or cancel it.

    Send an `X-Idempotency-Key` of your own for each order, and repeat a call whose answer you did not
    get with the same
    key and body: you get the first answer again, with `Idempotency-Replayed: true`, and never a second
    order. A refused
    call (no stock, say) leaves the key free.

    Send the total that you know as `expected_total_cents`: when prices have changed since, the answer
    is 409 `total_changed`, with the
    new total and the price of each line in `details`, and no stock is taken.

    The key is forgotten after 24 hours. Send your own number for the order as `external_ref`, too: then
    a later repeat is 409
    `external_ref_taken`, and `order_id` in the `params` of its detail names the existing order.
    Canceling that order, for whatever
    reason, frees the number.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> OrderResponse | None:
    """Place an order

     Checks the customer, takes the stock of every line or of none, and fixes the sku, the name and the
    price of each line. A line
    names its product by `product_id` or by `sku`. Two lines with one product become one item. The order
    is then CREATED: confirm
    the order or cancel it.

    Send an `X-Idempotency-Key` of your own for each order, and repeat a call whose answer you did not
    get with the same
    key and body: you get the first answer again, with `Idempotency-Replayed: true`, and never a second
    order. A refused
    call (no stock, say) leaves the key free.

    Send the total that you know as `expected_total_cents`: when prices have changed since, the answer
    is 409 `total_changed`, with the
    new total and the price of each line in `details`, and no stock is taken.

    The key is forgotten after 24 hours. Send your own number for the order as `external_ref`, too: then
    a later repeat is 409
    `external_ref_taken`, and `order_id` in the `params` of its detail names the existing order.
    Canceling that order, for whatever
    reason, frees the number.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderResponse
    """

    return sync_detailed(
        client=client,
        body=body,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[OrderResponse]:
    """Place an order

     Checks the customer, takes the stock of every line or of none, and fixes the sku, the name and the
    price of each line. A line
    names its product by `product_id` or by `sku`. Two lines with one product become one item. The order
    is then CREATED: confirm
    the order or cancel it.

    Send an `X-Idempotency-Key` of your own for each order, and repeat a call whose answer you did not
    get with the same
    key and body: you get the first answer again, with `Idempotency-Replayed: true`, and never a second
    order. A refused
    call (no stock, say) leaves the key free.

    Send the total that you know as `expected_total_cents`: when prices have changed since, the answer
    is 409 `total_changed`, with the
    new total and the price of each line in `details`, and no stock is taken.

    The key is forgotten after 24 hours. Send your own number for the order as `external_ref`, too: then
    a later repeat is 409
    `external_ref_taken`, and `order_id` in the `params` of its detail names the existing order.
    Canceling that order, for whatever
    reason, frees the number.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderResponse]
    """

    kwargs = _get_kwargs(
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: OrderRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> OrderResponse | None:
    """Place an order

     Checks the customer, takes the stock of every line or of none, and fixes the sku, the name and the
    price of each line. A line
    names its product by `product_id` or by `sku`. Two lines with one product become one item. The order
    is then CREATED: confirm
    the order or cancel it.

    Send an `X-Idempotency-Key` of your own for each order, and repeat a call whose answer you did not
    get with the same
    key and body: you get the first answer again, with `Idempotency-Replayed: true`, and never a second
    order. A refused
    call (no stock, say) leaves the key free.

    Send the total that you know as `expected_total_cents`: when prices have changed since, the answer
    is 409 `total_changed`, with the
    new total and the price of each line in `details`, and no stock is taken.

    The key is forgotten after 24 hours. Send your own number for the order as `external_ref`, too: then
    a later repeat is 409
    `external_ref_taken`, and `order_id` in the `params` of its detail names the existing order.
    Canceling that order, for whatever
    reason, frees the number.

    Args:
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (OrderRequest): An order to place.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
