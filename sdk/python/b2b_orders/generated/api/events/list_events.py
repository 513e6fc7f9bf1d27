from http import HTTPStatus
from typing import Any

import httpx

from ... import errors
from ...client import AuthenticatedClient, Client
from ...models.feed_response import FeedResponse
from ...types import UNSET, Response, Unset


def _get_kwargs(
    *,
    after: int | Unset = UNSET,
    types: str | Unset = UNSET,
    limit: int | Unset = 100,
    wait: str | Unset = UNSET,
    last_event_id: int | Unset = UNSET,
) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if not isinstance(last_event_id, Unset):
        headers["Last-Event-ID"] = str(last_event_id)

    params: dict[str, Any] = {}

    params["after"] = after

    params["types"] = types

    params["limit"] = limit

    params["wait"] = wait

    params = {k: v for k, v in params.items() if v is not UNSET}

    _kwargs: dict[str, Any] = {
        "method": "get",
        "url": "/events",
        "params": params,
    }

    _kwargs["headers"] = headers
    return _kwargs


def _parse_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> FeedResponse | None:
    if response.status_code == 200:
        response_200 = FeedResponse.from_dict(response.json())

        return response_200

    if client.raise_on_unexpected_status:
        raise errors.UnexpectedStatus(response.status_code, response.content)
    else:
        return None


def _build_response(
    *, client: AuthenticatedClient | Client, response: httpx.Response
) -> Response[FeedResponse]:
    return Response(
        status_code=HTTPStatus(response.status_code),
        content=response.content,
        headers=response.headers,
        parsed=_parse_response(client=client, response=response),
    )


def sync_detailed(
    *,
    client: AuthenticatedClient,
    after: int | Unset = UNSET,
    types: str | Unset = UNSET,
    limit: int | Unset = 100,
    wait: str | Unset = UNSET,
    last_event_id: int | Unset = UNSET,
) -> Response[FeedResponse]:
    """Read the events after a position

     Lists the events with a position above `after`, in ascending order. No event ever gets a position
    below a position that you have
    seen, so a position is all that you need to keep: store `meta.next_after` together with the results
    of your work on the events, and
    pass `next_after` as `after`. Do this also when there was no event: `next_after` may be ahead of the
    last event, when `types` has
    left events out. You have read all events when `next_after` is `last_position`.

    **Which events.** A token sees the events of the things that it may read: `orders:read` shows the
    events of orders, `customers:read` the
    events of customers, `products:read` the events of products. A token with a `customer_id` sees the
    events of its own customer and
    of that customer's orders, and no events of products. Positions are counted for each customer, and
    for callers without a customer
    over all events: a position belongs to the kind of token that got it.

    **Waiting.** With `wait` the answer comes as soon as there is an event, and without an event at the
    end of that time.

    **Streaming.** With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that
    goes on with future events: each
    event has its position as `id`, and itself as JSON in `data`. An `id` without `data` moves the
    position past events that
    `types` left out. A comment comes every 15 seconds when nothing else does. The service ends a stream
    after some minutes, and when
    the service stops: connect again with the last `id` as `Last-Event-ID`, as `EventSource` does on its
    own.

    **Too late.** Events are deleted after a while (90 days, unless the deployment says otherwise). When
    the next event after
    `after` has been deleted, or no event ever had that position, the answer is 410 `events_expired`:
    read everything again
    with the exports, and go on from the smallest `X-Event-Position` of their answers.

    Args:
        after (int | Unset):
        types (str | Unset):
        limit (int | Unset):  Default: 100.
        wait (str | Unset):
        last_event_id (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[FeedResponse]
    """

    kwargs = _get_kwargs(
        after=after,
        types=types,
        limit=limit,
        wait=wait,
        last_event_id=last_event_id,
    )

    response = client.get_httpx_client().request(
        **kwargs,
    )

    return _build_response(client=client, response=response)


def sync(
    *,
    client: AuthenticatedClient,
    after: int | Unset = UNSET,
    types: str | Unset = UNSET,
    limit: int | Unset = 100,
    wait: str | Unset = UNSET,
    last_event_id: int | Unset = UNSET,
) -> FeedResponse | None:
    """Read the events after a position

     Lists the events with a position above `after`, in ascending order. No event ever gets a position
    below a position that you have
    seen, so a position is all that you need to keep: store `meta.next_after` together with the results
    of your work on the events, and
    pass `next_after` as `after`. Do this also when there was no event: `next_after` may be ahead of the
    last event, when `types` has
    left events out. You have read all events when `next_after` is `last_position`.

    **Which events.** A token sees the events of the things that it may read: `orders:read` shows the
    events of orders, `customers:read` the
    events of customers, `products:read` the events of products. A token with a `customer_id` sees the
    events of its own customer and
    of that customer's orders, and no events of products. Positions are counted for each customer, and
    for callers without a customer
    over all events: a position belongs to the kind of token that got it.

    **Waiting.** With `wait` the answer comes as soon as there is an event, and without an event at the
    end of that time.

    **Streaming.** With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that
    goes on with future events: each
    event has its position as `id`, and itself as JSON in `data`. An `id` without `data` moves the
    position past events that
    `types` left out. A comment comes every 15 seconds when nothing else does. The service ends a stream
    after some minutes, and when
    the service stops: connect again with the last `id` as `Last-Event-ID`, as `EventSource` does on its
    own.

    **Too late.** Events are deleted after a while (90 days, unless the deployment says otherwise). When
    the next event after
    `after` has been deleted, or no event ever had that position, the answer is 410 `events_expired`:
    read everything again
    with the exports, and go on from the smallest `X-Event-Position` of their answers.

    Args:
        after (int | Unset):
        types (str | Unset):
        limit (int | Unset):  Default: 100.
        wait (str | Unset):
        last_event_id (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        FeedResponse
    """

    return sync_detailed(
        client=client,
        after=after,
        types=types,
        limit=limit,
        wait=wait,
        last_event_id=last_event_id,
    ).parsed


async def asyncio_detailed(
    *,
    client: AuthenticatedClient,
    after: int | Unset = UNSET,
    types: str | Unset = UNSET,
    limit: int | Unset = 100,
    wait: str | Unset = UNSET,
    last_event_id: int | Unset = UNSET,
) -> Response[FeedResponse]:
    """Read the events after a position

     Lists the events with a position above `after`, in ascending order. No event ever gets a position
    below a position that you have
    seen, so a position is all that you need to keep: store `meta.next_after` together with the results
    of your work on the events, and
    pass `next_after` as `after`. Do this also when there was no event: `next_after` may be ahead of the
    last event, when `types` has
    left events out. You have read all events when `next_after` is `last_position`.

    **Which events.** A token sees the events of the things that it may read: `orders:read` shows the
    events of orders, `customers:read` the
    events of customers, `products:read` the events of products. A token with a `customer_id` sees the
    events of its own customer and
    of that customer's orders, and no events of products. Positions are counted for each customer, and
    for callers without a customer
    over all events: a position belongs to the kind of token that got it.

    **Waiting.** With `wait` the answer comes as soon as there is an event, and without an event at the
    end of that time.

    **Streaming.** With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that
    goes on with future events: each
    event has its position as `id`, and itself as JSON in `data`. An `id` without `data` moves the
    position past events that
    `types` left out. A comment comes every 15 seconds when nothing else does. The service ends a stream
    after some minutes, and when
    the service stops: connect again with the last `id` as `Last-Event-ID`, as `EventSource` does on its
    own.

    **Too late.** Events are deleted after a while (90 days, unless the deployment says otherwise). When
    the next event after
    `after` has been deleted, or no event ever had that position, the answer is 410 `events_expired`:
    read everything again
    with the exports, and go on from the smallest `X-Event-Position` of their answers.

    Args:
        after (int | Unset):
        types (str | Unset):
        limit (int | Unset):  Default: 100.
        wait (str | Unset):
        last_event_id (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        Response[FeedResponse]
    """

    kwargs = _get_kwargs(
        after=after,
        types=types,
        limit=limit,
        wait=wait,
        last_event_id=last_event_id,
    )

    response = await client.get_async_httpx_client().request(**kwargs)

    return _build_response(client=client, response=response)


async def asyncio(
    *,
    client: AuthenticatedClient,
    after: int | Unset = UNSET,
    types: str | Unset = UNSET,
    limit: int | Unset = 100,
    wait: str | Unset = UNSET,
    last_event_id: int | Unset = UNSET,
) -> FeedResponse | None:
    """Read the events after a position

     Lists the events with a position above `after`, in ascending order. No event ever gets a position
    below a position that you have
    seen, so a position is all that you need to keep: store `meta.next_after` together with the results
    of your work on the events, and
    pass `next_after` as `after`. Do this also when there was no event: `next_after` may be ahead of the
    last event, when `types` has
    left events out. You have read all events when `next_after` is `last_position`.

    **Which events.** A token sees the events of the things that it may read: `orders:read` shows the
    events of orders, `customers:read` the
    events of customers, `products:read` the events of products. A token with a `customer_id` sees the
    events of its own customer and
    of that customer's orders, and no events of products. Positions are counted for each customer, and
    for callers without a customer
    over all events: a position belongs to the kind of token that got it.

    **Waiting.** With `wait` the answer comes as soon as there is an event, and without an event at the
    end of that time.

    **Streaming.** With `Accept: text/event-stream` the answer is a stream of Server-Sent Events that
    goes on with future events: each
    event has its position as `id`, and itself as JSON in `data`. An `id` without `data` moves the
    position past events that
    `types` left out. A comment comes every 15 seconds when nothing else does. The service ends a stream
    after some minutes, and when
    the service stops: connect again with the last `id` as `Last-Event-ID`, as `EventSource` does on its
    own.

    **Too late.** Events are deleted after a while (90 days, unless the deployment says otherwise). When
    the next event after
    `after` has been deleted, or no event ever had that position, the answer is 410 `events_expired`:
    read everything again
    with the exports, and go on from the smallest `X-Event-Position` of their answers.

    Args:
        after (int | Unset):
        types (str | Unset):
        limit (int | Unset):  Default: 100.
        wait (str | Unset):
        last_event_id (int | Unset):

    Raises:
        errors.UnexpectedStatus: If the server returns an undocumented status code and Client.raise_on_unexpected_status is True.
        httpx.TimeoutException: If the request takes longer than Client.timeout.

    Returns:
        FeedResponse
    """

    return (
        await asyncio_detailed(
            client=client,
            after=after,
            types=types,
            limit=limit,
            wait=wait,
            last_event_id=last_event_id,
        )
    ).parsed
