"""What a generator cannot know: the token, keys, tries, the deadline, errors, pages."""

from __future__ import annotations

import inspect
import json
import random
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any, Generic, Protocol, Self, TypeVar, cast

import anyio
import httpx

from .generated.models import ApiErrorDetail
from .generated.types import UNSET, Unset

T = TypeVar("T")

PASSING = {429, 502, 503, 504}
"""What may be over in a moment."""

NOT_DONE = {408, 429}
"""What says that nothing was done."""


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a service answered."""

    data: T
    """The `data` of the envelope; of a list, its page."""

    next_cursor: int | None
    """Of a list: what to pass as `cursor` for the next page; None on the last one."""

    headers: httpx.Headers
    """Among them `ETag`, `Idempotency-Replayed` and `X-Correlation-Id`."""

    idempotency_key: str | None
    """The key that the call was made with; None when the operation takes none."""


class B2BError(Exception):
    """Why a call failed: a service refused it, or none answered."""

    def __init__(
        self,
        message: str,
        *,
        code: str,
        status: int,
        details: list[ApiErrorDetail],
        correlation_id: str,
        retryable: bool,
        idempotency_key: str | None,
    ) -> None:
        super().__init__(message)
        self.code = code
        """For your program; see the service's list of error codes. `no_answer` when no answer came, `not_modified` for a 304,
        `unexpected_answer` when somebody else answered."""
        self.status = status
        """The HTTP status; 0 when no answer came."""
        self.details = details
        """Which field is wrong, and what is wrong with it."""
        self.correlation_id = correlation_id
        """Names the call in the logs of every service."""
        self.retryable = retryable
        """Whether the same call, with `idempotency_key` when it has one, may succeed later and can do nothing twice."""
        self.idempotency_key = idempotency_key
        """The key that the call was made with, to repeat it or to ask what became of it; None when the operation takes none."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: httpx.Headers
    content: bytes


class Model(Protocol):
    """A generated model."""

    @classmethod
    def from_dict(cls, src_dict: Any) -> Any: ...


M = TypeVar("M", bound=Model)


def map_of(model: type[M], value: Mapping[str, Any] | None | Unset) -> M | None | Unset:
    """Returns what the generator has instead of a dict."""
    return value if value is None or isinstance(value, Unset) else cast(M, model.from_dict(value))


def new_key() -> str:
    return uuid.uuid4().hex


class _Call:
    """One call: makes each request, decides after each try, reads the answer. It sends nothing and does not wait."""

    def __init__(
        self,
        services: _Services,
        name: str,
        service: str,
        request: dict[str, Any],
        key: str | None,
        correlation_id: str | None,
        deadline: float | None,
    ) -> None:
        self.services, self.name, self.key = services, name, key
        self.correlation_id = correlation_id or new_key()
        self.may_repeat = request["method"] == "get" or key is not None
        self.request = request | {
            "url": services.bases[service] + request["url"],
            "headers": request.get("headers", {}) | {"X-Correlation-Id": self.correlation_id},
        }
        self.ends = services.now() + (services.deadline if deadline is None else deadline)
        self.tried = 0

    def next_try(self, token: str | None) -> dict[str, Any]:
        """Returns the request, for httpx."""
        if token is not None:
            self.request["headers"]["Authorization"] = f"Bearer {token}"
        left = max(0.001, self.ends - self.services.now())
        return self.request | {"timeout": min(self.services.try_timeout, left)}

    def wait(self, outcome: Reply | Exception) -> float | None:
        """Returns the seconds until the next try; None when the outcome stands: another try would not change it, must not be, or
        would begin after the deadline."""
        if not self.may_repeat or (isinstance(outcome, Reply) and outcome.status not in PASSING):
            return None
        self.tried += 1
        wait = _retry_after(outcome) + random.uniform(0, min(5, 0.1 * 2**self.tried))
        return wait if self.services.now() + wait < self.ends else None

    def answer(self, outcome: Reply | Exception, envelope: type[Model]) -> Answer[Any]:
        """Returns the answer, or raises B2BError."""
        if isinstance(outcome, Exception):
            raise self._error("no_answer", f"no answer: {outcome!r}", 0) from outcome
        body = _json(outcome.content)
        if 200 <= outcome.status < 300 and body.get("success") is True:
            try:
                read = envelope.from_dict(body)
            except (AttributeError, KeyError, TypeError, ValueError) as e:
                raise self._error("unexpected_answer", "the answer is not the document's", outcome.status) from e
            meta = getattr(read, "meta", None)
            return Answer(getattr(read, "data", None), getattr(meta, "next_cursor", None), outcome.headers, self.key)
        if outcome.status == 304:
            raise self._error("not_modified", "it has not changed", 304)
        if not isinstance(body.get("code"), str):
            raise self._error("unexpected_answer", f"HTTP status {outcome.status} from somebody else", outcome.status)
        details = [ApiErrorDetail.from_dict(d) for d in body.get("details", [])]
        said = body.get("correlationId") or outcome.headers.get("X-Correlation-Id")
        raise self._error(body["code"], body.get("error"), outcome.status, details, said)

    def _error(
        self, code: str, message: object, status: int, details: list[ApiErrorDetail] | None = None, correlation_id: str | None = None
    ) -> B2BError:
        again = status in NOT_DONE or (self.may_repeat and (status in {0, 500} or status in PASSING))
        return B2BError(
            f"{self.name}: {message}",
            code=code,
            status=status,
            details=details or [],
            correlation_id=correlation_id or self.correlation_id,
            retryable=again,
            idempotency_key=self.key,
        )


@dataclass(frozen=True)
class _Services:
    bases: dict[str, str]
    deadline: float
    try_timeout: float
    now: Callable[[], float]


class Caller:
    """See B2B."""

    def __init__(
        self,
        *,
        customers: str,
        orders: str,
        orchestrator: str,
        token: str | Callable[[], str] | None = None,
        deadline: float = 60,
        try_timeout: float = 30,
        http: httpx.Client | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        customers, orders, orchestrator: where the services are, such as `https://orders.example.com`.
        token: what `Authorization: Bearer` carries; a function is asked before every try.
        deadline: how long a call may take with all its tries, in seconds.
        try_timeout: how long one try may take; longer than the services themselves allow.
        http: what sends; for proxies and certificates of your own.
        now, sleep: for tests.
        """
        bases = {"customers": customers.rstrip("/"), "orders": orders.rstrip("/"), "orchestrator": orchestrator.rstrip("/")}
        self._services = _Services(bases, deadline, try_timeout, now)
        self._token, self._sleep = token, sleep
        self._http = http or httpx.Client()

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _call(
        self,
        name: str,
        service: str,
        request: dict[str, Any],
        envelope: type[Model],
        key: str | None,
        correlation_id: str | None,
        deadline: float | None,
    ) -> Answer[Any]:
        call = _Call(self._services, name, service, request, key, correlation_id, deadline)
        while True:
            token = self._token() if callable(self._token) else self._token
            outcome: Reply | Exception
            try:
                outcome = self._send(call.next_try(token))
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # a mistake of the caller's
            except httpx.RequestError as e:
                outcome = e
            wait = call.wait(outcome)
            if wait is None:
                return call.answer(outcome, envelope)
            self._sleep(wait)

    def _send(self, request: dict[str, Any]) -> Reply:
        ends = time.monotonic() + request["timeout"]  # httpx's own limit is for each read
        with self._http.stream(**request) as response:
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if time.monotonic() > ends:
                    raise httpx.ReadTimeout("the answer did not arrive in time")
            return Reply(response.status_code, response.headers, content)

    def _pages(self, page: Callable[[int | Unset], Answer[list[T]]]) -> Iterator[T]:
        cursor: int | Unset | None = UNSET
        while cursor is not None:
            answer = page(cursor)
            yield from answer.data
            cursor = answer.next_cursor


class AsyncCaller:
    """See AsyncB2B."""

    def __init__(
        self,
        *,
        customers: str,
        orders: str,
        orchestrator: str,
        token: str | Callable[[], str | Awaitable[str]] | None = None,
        deadline: float = 60,
        try_timeout: float = 30,
        http: httpx.AsyncClient | None = None,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = anyio.sleep,
    ) -> None:
        """As that of B2B; the token's function may be asynchronous."""
        bases = {"customers": customers.rstrip("/"), "orders": orders.rstrip("/"), "orchestrator": orchestrator.rstrip("/")}
        self._services = _Services(bases, deadline, try_timeout, now)
        self._token, self._sleep = token, sleep
        self._http = http or httpx.AsyncClient()

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def _call(
        self,
        name: str,
        service: str,
        request: dict[str, Any],
        envelope: type[Model],
        key: str | None,
        correlation_id: str | None,
        deadline: float | None,
    ) -> Answer[Any]:
        call = _Call(self._services, name, service, request, key, correlation_id, deadline)
        while True:
            token = self._token() if callable(self._token) else self._token
            if inspect.isawaitable(token):
                token = await token
            outcome: Reply | Exception
            try:
                outcome = await self._send(call.next_try(token))
            except (httpx.UnsupportedProtocol, httpx.LocalProtocolError):
                raise  # a mistake of the caller's
            except (httpx.RequestError, TimeoutError) as e:
                outcome = e
            wait = call.wait(outcome)
            if wait is None:
                return call.answer(outcome, envelope)
            await self._sleep(wait)

    async def _send(self, request: dict[str, Any]) -> Reply:
        with anyio.fail_after(request["timeout"]):
            response = await self._http.request(**request)
            return Reply(response.status_code, response.headers, response.content)

    async def _pages(self, page: Callable[[int | Unset], Awaitable[Answer[list[T]]]]) -> AsyncIterator[T]:
        cursor: int | Unset | None = UNSET
        while cursor is not None:
            answer = await page(cursor)
            for thing in answer.data:
                yield thing
            cursor = answer.next_cursor


def _json(content: bytes) -> dict[str, Any]:
    """Returns the object; an empty one when it is none."""
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _retry_after(outcome: Reply | Exception) -> float:
    """Returns the seconds that an answer asks to wait."""
    value = outcome.headers.get("Retry-After", "") if isinstance(outcome, Reply) else ""
    if re.fullmatch(r"\d+", value):
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return 0.0
