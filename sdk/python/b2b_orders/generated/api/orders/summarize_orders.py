from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.orders_summary_response import OrdersSummaryResponse
from ...models.summary_period import SummaryPeriod
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    from_: str,
    to: str,
    by: SummaryPeriod | Unset = "day",
    tz: str | Unset = "UTC",
) -> dict[str, Any]:

    params: dict[str, Any] = {}

    params["from"] = from_

    params["to"] = to

    json_by: str | Unset = UNSET
    if not isinstance(by, Unset):
        json_by = by

    params["by"] = json_by

    params["tz"] = tz

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/orders/summary",
        "params": params,
    }

    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> OrdersSummaryResponse | None:
    if response.status_code == 200:
        response_200 = OrdersSummaryResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[OrdersSummaryResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    from_: str,
    to: str,
    by: SummaryPeriod | Unset = "day",
    tz: str | Unset = "UTC",
) -> Response[OrdersSummaryResponse]:
    """Summarize the orders of each day

     Counts, for each day from `from` to `to`, both included and at most 92 days, the orders that were
    placed, confirmed and canceled on
    that day, with their pieces and their value. An order counts on the day of each of its changes, also
    when it was changed again
    later, so that a past day stays as it is: `confirmed` has the orders that the list finds by
    `confirmed_from` and `confirmed_to`,
    also orders that were canceled later. A day begins at midnight in the time zone `tz`.

    Args:
        from_ (str): A date. Example: 2024-03-01.
        to (str): A date. Example: 2024-03-01.
        by (SummaryPeriod | Unset): A period of a summary. Default: 'day'. Example: day.
        tz (str | Unset):  Default: 'UTC'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrdersSummaryResponse]
    """

    kwargs = _get_kwargs(
        from_=from_,
        to=to,
        by=by,
        tz=tz,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    from_: str,
    to: str,
    by: SummaryPeriod | Unset = "day",
    tz: str | Unset = "UTC",
) -> OrdersSummaryResponse | None:
    """Summarize the orders of each day

     Counts, for each day from `from` to `to`, both included and at most 92 days, the orders that were
    placed, confirmed and canceled on
    that day, with their pieces and their value. An order counts on the day of each of its changes, also
    when it was changed again
    later, so that a past day stays as it is: `confirmed` has the orders that the list finds by
    `confirmed_from` and `confirmed_to`,
    also orders that were canceled later. A day begins at midnight in the time zone `tz`.

    Args:
        from_ (str): A date. Example: 2024-03-01.
        to (str): A date. Example: 2024-03-01.
        by (SummaryPeriod | Unset): A period of a summary. Default: 'day'. Example: day.
        tz (str | Unset):  Default: 'UTC'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrdersSummaryResponse
    """

    return sync_detailed(
        client=client,
        from_=from_,
        to=to,
        by=by,
        tz=tz,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    from_: str,
    to: str,
    by: SummaryPeriod | Unset = "day",
    tz: str | Unset = "UTC",
) -> Response[OrdersSummaryResponse]:
    """Summarize the orders of each day

     Counts, for each day from `from` to `to`, both included and at most 92 days, the orders that were
    placed, confirmed and canceled on
    that day, with their pieces and their value. An order counts on the day of each of its changes, also
    when it was changed again
    later, so that a past day stays as it is: `confirmed` has the orders that the list finds by
    `confirmed_from` and `confirmed_to`,
    also orders that were canceled later. A day begins at midnight in the time zone `tz`.

    Args:
        from_ (str): A date. Example: 2024-03-01.
        to (str): A date. Example: 2024-03-01.
        by (SummaryPeriod | Unset): A period of a summary. Default: 'day'. Example: day.
        tz (str | Unset):  Default: 'UTC'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[OrdersSummaryResponse]
    """

    kwargs = _get_kwargs(
        from_=from_,
        to=to,
        by=by,
        tz=tz,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    from_: str,
    to: str,
    by: SummaryPeriod | Unset = "day",
    tz: str | Unset = "UTC",
) -> OrdersSummaryResponse | None:
    """Summarize the orders of each day

     Counts, for each day from `from` to `to`, both included and at most 92 days, the orders that were
    placed, confirmed and canceled on
    that day, with their pieces and their value. An order counts on the day of each of its changes, also
    when it was changed again
    later, so that a past day stays as it is: `confirmed` has the orders that the list finds by
    `confirmed_from` and `confirmed_to`,
    also orders that were canceled later. A day begins at midnight in the time zone `tz`.

    Args:
        from_ (str): A date. Example: 2024-03-01.
        to (str): A date. Example: 2024-03-01.
        by (SummaryPeriod | Unset): A period of a summary. Default: 'day'. Example: day.
        tz (str | Unset):  Default: 'UTC'.

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        OrdersSummaryResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            from_=from_,
            to=to,
            by=by,
            tz=tz,
        )
    ).parsed
