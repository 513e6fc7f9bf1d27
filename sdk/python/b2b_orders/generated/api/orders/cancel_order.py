from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.cancellation import Cancellation
from ...models.order_response import OrderResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    body: Cancellation | Unset = UNSET,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orders/{id}/cancel".format(
            id=quote(str(id), safe=""),
        ),
    }

    if not isinstance(body, Unset):
        _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrderResponse | None:
    if response.status_code == 200:
        response_200 = OrderResponse.from_dict(response.json())

        return response_200

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
    id: int,
    *,
    client: AuthenticatedClient,
    body: Cancellation | Unset = UNSET,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[OrderResponse]:
    """Cancel an order

     Cancels the order and gives its stock back, exactly once. A CREATED order may always be canceled, a
    CONFIRMED one until
    `cancelable_until`; after that the answer is 400 `cancel_window_closed`. Canceling an order that is
    CANCELED already is 200, too,
    and leaves its cause and note as they are.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (Cancellation | Unset): The reason of a cancellation, for people, and its cause, for
            programs.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        if_match=if_match,
        x_idempotency_key=x_idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Cancellation | Unset = UNSET,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str | Unset = UNSET,
) -> OrderResponse | None:
    """Cancel an order

     Cancels the order and gives its stock back, exactly once. A CREATED order may always be canceled, a
    CONFIRMED one until
    `cancelable_until`; after that the answer is 400 `cancel_window_closed`. Canceling an order that is
    CANCELED already is 200, too,
    and leaves its cause and note as they are.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (Cancellation | Unset): The reason of a cancellation, for people, and its cause, for
            programs.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
        if_match=if_match,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Cancellation | Unset = UNSET,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[OrderResponse]:
    """Cancel an order

     Cancels the order and gives its stock back, exactly once. A CREATED order may always be canceled, a
    CONFIRMED one until
    `cancelable_until`; after that the answer is 400 `cancel_window_closed`. Canceling an order that is
    CANCELED already is 200, too,
    and leaves its cause and note as they are.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (Cancellation | Unset): The reason of a cancellation, for people, and its cause, for
            programs.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        if_match=if_match,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    body: Cancellation | Unset = UNSET,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str | Unset = UNSET,
) -> OrderResponse | None:
    """Cancel an order

     Cancels the order and gives its stock back, exactly once. A CREATED order may always be canceled, a
    CONFIRMED one until
    `cancelable_until`; after that the answer is 400 `cancel_window_closed`. Canceling an order that is
    CANCELED already is 200, too,
    and leaves its cause and note as they are.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (Cancellation | Unset): The reason of a cancellation, for people, and its cause, for
            programs.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            body=body,
            if_match=if_match,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
