from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.order_response import OrderResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(if_match, Unset):
        headers["If-Match"] = if_match

    headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/orders/{id}/confirm".format(
            id=quote(str(id), safe=""),
        ),
    }

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
    if_match: str | Unset = UNSET,
    x_idempotency_key: str,
) -> Response[OrderResponse]:
    """Confirm an order

     Makes a CREATED order CONFIRMED. Needs an `X-Idempotency-Key`; a repeat with the same key gets the
    first answer again.
    Confirming an order that is CONFIRMED already is 200, too, with any key. For a CANCELED order the
    answer is 400
    `order_not_confirmable`.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str): Your own name for one effect, of visible ASCII characters;
            neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderResponse]
    """

    kwargs = _get_kwargs(
        id=id,
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
    if_match: str | Unset = UNSET,
    x_idempotency_key: str,
) -> OrderResponse | None:
    """Confirm an order

     Makes a CREATED order CONFIRMED. Needs an `X-Idempotency-Key`; a repeat with the same key gets the
    first answer again.
    Confirming an order that is CONFIRMED already is 200, too, with any key. For a CANCELED order the
    answer is 400
    `order_not_confirmable`.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str): Your own name for one effect, of visible ASCII characters;
            neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrderResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        if_match=if_match,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str,
) -> Response[OrderResponse]:
    """Confirm an order

     Makes a CREATED order CONFIRMED. Needs an `X-Idempotency-Key`; a repeat with the same key gets the
    first answer again.
    Confirming an order that is CONFIRMED already is 200, too, with any key. For a CANCELED order the
    answer is 400
    `order_not_confirmable`.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str): Your own name for one effect, of visible ASCII characters;
            neither `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrderResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        if_match=if_match,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    if_match: str | Unset = UNSET,
    x_idempotency_key: str,
) -> OrderResponse | None:
    """Confirm an order

     Makes a CREATED order CONFIRMED. Needs an `X-Idempotency-Key`; a repeat with the same key gets the
    first answer again.
    Confirming an order that is CONFIRMED already is 200, too, with any key. For a CANCELED order the
    answer is 400
    `order_not_confirmable`.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        if_match (str | Unset):
        x_idempotency_key (str): Your own name for one effect, of visible ASCII characters;
            neither `.` nor `..`, which a path cannot have. Example: po-4711.

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
            if_match=if_match,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
