from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.stock_adjustment_request import StockAdjustmentRequest
from ...models.stock_adjustment_response import StockAdjustmentResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    id: int,
    *,
    body: StockAdjustmentRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(x_idempotency_key, Unset):
        headers["X-Idempotency-Key"] = x_idempotency_key

    _kwargs: dict[str, Any] = {
        "method": "post",
        "url": "/products/{id}/stock-adjustments".format(
            id=quote(str(id), safe=""),
        ),
    }

    _kwargs["json"] = body.to_dict()

    headers["Content-Type"] = "application/json"

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> StockAdjustmentResponse | None:
    if response.status_code == 201:
        response_201 = StockAdjustmentResponse.from_dict(response.json())

        return response_201

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[StockAdjustmentResponse]:
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
    body: StockAdjustmentRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[StockAdjustmentResponse]:
    """Add to or take from a product's stock

     Changes the stock by `delta`, whatever orders do meanwhile: "40 arrived", "2 broke". The stock
    cannot fall below 0.
    Repeat a call whose answer you did not get with the same `X-Idempotency-Key`: the pieces count once.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (StockAdjustmentRequest): A change of a product's stock, with its reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[StockAdjustmentResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
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
    body: StockAdjustmentRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> StockAdjustmentResponse | None:
    """Add to or take from a product's stock

     Changes the stock by `delta`, whatever orders do meanwhile: "40 arrived", "2 broke". The stock
    cannot fall below 0.
    Repeat a call whose answer you did not get with the same `X-Idempotency-Key`: the pieces count once.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (StockAdjustmentRequest): A change of a product's stock, with its reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        StockAdjustmentResponse
    """

    return sync_detailed(
        id=id,
        client=client,
        body=body,
        x_idempotency_key=x_idempotency_key,
    ).parsed


async def asyncio_detailed(
    id: int,
    *,
    client: AuthenticatedClient,
    body: StockAdjustmentRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> Response[StockAdjustmentResponse]:
    """Add to or take from a product's stock

     Changes the stock by `delta`, whatever orders do meanwhile: "40 arrived", "2 broke". The stock
    cannot fall below 0.
    Repeat a call whose answer you did not get with the same `X-Idempotency-Key`: the pieces count once.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (StockAdjustmentRequest): A change of a product's stock, with its reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[StockAdjustmentResponse]
    """

    kwargs = _get_kwargs(
        id=id,
        body=body,
        x_idempotency_key=x_idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    id: int,
    *,
    client: AuthenticatedClient,
    body: StockAdjustmentRequest,
    x_idempotency_key: str | Unset = UNSET,
) -> StockAdjustmentResponse | None:
    """Add to or take from a product's stock

     Changes the stock by `delta`, whatever orders do meanwhile: "40 arrived", "2 broke". The stock
    cannot fall below 0.
    Repeat a call whose answer you did not get with the same `X-Idempotency-Key`: the pieces count once.

    Args:
        id (int): An id. Ids never exceed 2^53 − 1, so that JavaScript reads them exactly.
            Example: 1.
        x_idempotency_key (str | Unset): Your own name for one effect, of visible ASCII
            characters; neither `.` nor `..`, which a path cannot have. Example: po-4711.
        body (StockAdjustmentRequest): A change of a product's stock, with its reason.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        StockAdjustmentResponse
    """

    return (
        await asyncio_detailed(
            id=id,
            client=client,
            body=body,
            x_idempotency_key=x_idempotency_key,
        )
    ).parsed
