from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.orchestration_report_response import OrchestrationReportResponse
from ...types import UNSET, Response


def _get_kwargs(
    *,
    idempotency_key: str,
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["idempotency_key"] = idempotency_key

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/orchestrator/create-and-confirm-order",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrchestrationReportResponse | None:
    if response.status_code == 200:
        response_200 = OrchestrationReportResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OrchestrationReportResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    idempotency_key: str,
) -> Response[OrchestrationReportResponse]:
    """Look up the result of a call (key in the query)

     Answers as `GET /orchestrator/create-and-confirm-order/{idempotency_key}`, for every key, also a key
    with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        idempotency_key (str): Your own name for one effect, of visible ASCII characters; neither
            `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrchestrationReportResponse]
    """

    kwargs = _get_kwargs(
        idempotency_key=idempotency_key,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    idempotency_key: str,
) -> OrchestrationReportResponse | None:
    """Look up the result of a call (key in the query)

     Answers as `GET /orchestrator/create-and-confirm-order/{idempotency_key}`, for every key, also a key
    with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        idempotency_key (str): Your own name for one effect, of visible ASCII characters; neither
            `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrchestrationReportResponse
    """

    return sync_detailed(
        client=client,
        idempotency_key=idempotency_key,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    idempotency_key: str,
) -> Response[OrchestrationReportResponse]:
    """Look up the result of a call (key in the query)

     Answers as `GET /orchestrator/create-and-confirm-order/{idempotency_key}`, for every key, also a key
    with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        idempotency_key (str): Your own name for one effect, of visible ASCII characters; neither
            `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrchestrationReportResponse]
    """

    kwargs = _get_kwargs(
        idempotency_key=idempotency_key,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    idempotency_key: str,
) -> OrchestrationReportResponse | None:
    """Look up the result of a call (key in the query)

     Answers as `GET /orchestrator/create-and-confirm-order/{idempotency_key}`, for every key, also a key
    with `%` or `/`, and behind
    every proxy and gateway.

    Args:
        idempotency_key (str): Your own name for one effect, of visible ASCII characters; neither
            `.` nor `..`, which a path cannot have. Example: po-4711.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrchestrationReportResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            idempotency_key=idempotency_key,
        )
    ).parsed
