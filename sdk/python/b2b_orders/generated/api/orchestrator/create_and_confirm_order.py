from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.orchestration_request import OrchestrationRequest
from ...models.orchestration_response import OrchestrationResponse
from ...types import Response


def _get_kwargs(
    *,
    body: OrchestrationRequest,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orchestrator/create-and-confirm-order",
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrchestrationResponse | None:
    if response.status_code == 201:
        response_201 = OrchestrationResponse.from_dict(response.json())

        return response_201

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OrchestrationResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    body: OrchestrationRequest,
) -> Response[OrchestrationResponse]:
    """Place and confirm an order in one call

     Validates the customer, places the order with the idempotency key, and confirms the order with the
    same key. When the order can
    definitely not be confirmed, the answer is the reason. Its detail `/idempotency_key` has the
    `order_id`, the `order_status` if you
    may read the order, and `compensated`: whether the order was canceled for that reason, and its stock
    given back. Only an order
    that this call has placed, and that nobody has confirmed since, is canceled. An order that an
    earlier call has placed with the key
    stays as it is.

    An order that does not cost its `expected_total_cents` is not placed: the answer is 409
    `total_changed`, and the key stays free.

    The key is a field of the body. You may also send the key as `Idempotency-Key` or `X-Idempotency-
    Key`, as for the other services;
    a header with another key than the body's is 400 `validation_failed`.

    Steps that fail for a passing reason are tried again inside the time that the caller allows. After
    that the answer is
    503 or 504 with `Retry-After`, and repeating the call with the same key is safe. A repeat, marked by
    `Idempotency-Replayed: true`, shows the order as it was when this key confirmed it, whatever its
    status is now, and the customer
    as it is now. When the customer was deleted since, a repeat is 404, and the Orders API's `GET
    /idempotency-keys?key=…` still names
    the order.

    Args:
        body (OrchestrationRequest): An order to place and confirm, with the key that names this
            order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrchestrationResponse]
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
    body: OrchestrationRequest,
) -> OrchestrationResponse | None:
    """Place and confirm an order in one call

     Validates the customer, places the order with the idempotency key, and confirms the order with the
    same key. When the order can
    definitely not be confirmed, the answer is the reason. Its detail `/idempotency_key` has the
    `order_id`, the `order_status` if you
    may read the order, and `compensated`: whether the order was canceled for that reason, and its stock
    given back. Only an order
    that this call has placed, and that nobody has confirmed since, is canceled. An order that an
    earlier call has placed with the key
    stays as it is.

    An order that does not cost its `expected_total_cents` is not placed: the answer is 409
    `total_changed`, and the key stays free.

    The key is a field of the body. You may also send the key as `Idempotency-Key` or `X-Idempotency-
    Key`, as for the other services;
    a header with another key than the body's is 400 `validation_failed`.

    Steps that fail for a passing reason are tried again inside the time that the caller allows. After
    that the answer is
    503 or 504 with `Retry-After`, and repeating the call with the same key is safe. A repeat, marked by
    `Idempotency-Replayed: true`, shows the order as it was when this key confirmed it, whatever its
    status is now, and the customer
    as it is now. When the customer was deleted since, a repeat is 404, and the Orders API's `GET
    /idempotency-keys?key=…` still names
    the order.

    Args:
        body (OrchestrationRequest): An order to place and confirm, with the key that names this
            order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrchestrationResponse
    """

    return sync_detailed(
        client=client,
        body=body,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    body: OrchestrationRequest,
) -> Response[OrchestrationResponse]:
    """Place and confirm an order in one call

     Validates the customer, places the order with the idempotency key, and confirms the order with the
    same key. When the order can
    definitely not be confirmed, the answer is the reason. Its detail `/idempotency_key` has the
    `order_id`, the `order_status` if you
    may read the order, and `compensated`: whether the order was canceled for that reason, and its stock
    given back. Only an order
    that this call has placed, and that nobody has confirmed since, is canceled. An order that an
    earlier call has placed with the key
    stays as it is.

    An order that does not cost its `expected_total_cents` is not placed: the answer is 409
    `total_changed`, and the key stays free.

    The key is a field of the body. You may also send the key as `Idempotency-Key` or `X-Idempotency-
    Key`, as for the other services;
    a header with another key than the body's is 400 `validation_failed`.

    Steps that fail for a passing reason are tried again inside the time that the caller allows. After
    that the answer is
    503 or 504 with `Retry-After`, and repeating the call with the same key is safe. A repeat, marked by
    `Idempotency-Replayed: true`, shows the order as it was when this key confirmed it, whatever its
    status is now, and the customer
    as it is now. When the customer was deleted since, a repeat is 404, and the Orders API's `GET
    /idempotency-keys?key=…` still names
    the order.

    Args:
        body (OrchestrationRequest): An order to place and confirm, with the key that names this
            order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrchestrationResponse]
    """

    kwargs = _get_kwargs(
        body=body,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    body: OrchestrationRequest,
) -> OrchestrationResponse | None:
    """Place and confirm an order in one call

     Validates the customer, places the order with the idempotency key, and confirms the order with the
    same key. When the order can
    definitely not be confirmed, the answer is the reason. Its detail `/idempotency_key` has the
    `order_id`, the `order_status` if you
    may read the order, and `compensated`: whether the order was canceled for that reason, and its stock
    given back. Only an order
    that this call has placed, and that nobody has confirmed since, is canceled. An order that an
    earlier call has placed with the key
    stays as it is.

    An order that does not cost its `expected_total_cents` is not placed: the answer is 409
    `total_changed`, and the key stays free.

    The key is a field of the body. You may also send the key as `Idempotency-Key` or `X-Idempotency-
    Key`, as for the other services;
    a header with another key than the body's is 400 `validation_failed`.

    Steps that fail for a passing reason are tried again inside the time that the caller allows. After
    that the answer is
    503 or 504 with `Retry-After`, and repeating the call with the same key is safe. A repeat, marked by
    `Idempotency-Replayed: true`, shows the order as it was when this key confirmed it, whatever its
    status is now, and the customer
    as it is now. When the customer was deleted since, a repeat is 404, and the Orders API's `GET
    /idempotency-keys?key=…` still names
    the order.

    Args:
        body (OrchestrationRequest): An order to place and confirm, with the key that names this
            order.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrchestrationResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            body=body,
        )
    ).parsed
