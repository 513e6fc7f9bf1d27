from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.orchestration_report_response import OrchestrationReportResponse
from ...types import Response


def _get_kwargs(
    idempotency_key: str,
) -> dict[str, Any]:

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/orchestrator/create-and-confirm-order/{idempotency_key}".format(
            idempotency_key=quote(str(idempotency_key), safe=""),
        ),
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
    idempotency_key: str,
    *,
    client: AuthenticatedClient,
) -> Response[OrchestrationReportResponse]:
    """Look up the result of a call

     Serves callers that lost the answer of the POST. When the order of the key was placed and confirmed,
    `customer` and `order` are
    as in the answer of the POST, or of its repeat, and `current_status` is the order's status now.
    Otherwise the answer is 404:
    `idempotency_key_unknown` when nothing has happened yet, or `order_incomplete`, with the state of
    the order in `details`, when the
    order is placed and not confirmed. Reading changes nothing. For a key with `%` or `/`, call
    `GET /orchestrator/create-and-confirm-order?idempotency_key=…`.

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
    idempotency_key: str,
    *,
    client: AuthenticatedClient,
) -> OrchestrationReportResponse | None:
    """Look up the result of a call

     Serves callers that lost the answer of the POST. When the order of the key was placed and confirmed,
    `customer` and `order` are
    as in the answer of the POST, or of its repeat, and `current_status` is the order's status now.
    Otherwise the answer is 404:
    `idempotency_key_unknown` when nothing has happened yet, or `order_incomplete`, with the state of
    the order in `details`, when the
    order is placed and not confirmed. Reading changes nothing. For a key with `%` or `/`, call
    `GET /orchestrator/create-and-confirm-order?idempotency_key=…`.

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
        idempotency_key=idempotency_key,
        client=client,
    ).parsed


async def asyncio_detailed(
    idempotency_key: str,
    *,
    client: AuthenticatedClient,
) -> Response[OrchestrationReportResponse]:
    """Look up the result of a call

     Serves callers that lost the answer of the POST. When the order of the key was placed and confirmed,
    `customer` and `order` are
    as in the answer of the POST, or of its repeat, and `current_status` is the order's status now.
    Otherwise the answer is 404:
    `idempotency_key_unknown` when nothing has happened yet, or `order_incomplete`, with the state of
    the order in `details`, when the
    order is placed and not confirmed. Reading changes nothing. For a key with `%` or `/`, call
    `GET /orchestrator/create-and-confirm-order?idempotency_key=…`.

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
    idempotency_key: str,
    *,
    client: AuthenticatedClient,
) -> OrchestrationReportResponse | None:
    """Look up the result of a call

     Serves callers that lost the answer of the POST. When the order of the key was placed and confirmed,
    `customer` and `order` are
    as in the answer of the POST, or of its repeat, and `current_status` is the order's status now.
    Otherwise the answer is 404:
    `idempotency_key_unknown` when nothing has happened yet, or `order_incomplete`, with the state of
    the order in `details`, when the
    order is placed and not confirmed. Reading changes nothing. For a key with `%` or `/`, call
    `GET /orchestrator/create-and-confirm-order?idempotency_key=…`.

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
            idempotency_key=idempotency_key,
            client=client,
        )
    ).parsed
