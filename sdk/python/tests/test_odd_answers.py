"""Runs both clients on the answers of odd-answers.json, whose `about` says what each must report."""

import json
import ssl
from pathlib import Path

import anyio
import httpx
import pytest
from proxy import Planned, Proxy

from b2b_orders import B2B, AsyncB2B, B2BError

TLS = ssl.create_default_context()  # takes long to make

TABLE = json.loads(Path("odd-answers.json").read_text())

CALLS = {
    "createOrder": lambda b2b: b2b.create_order(customer_id=1, items=[{"product_id": 2, "qty": 3}]),
    "createAndConfirmOrder": lambda b2b: b2b.create_and_confirm_order(customer_id=1, items=[{"product_id": 2, "qty": 3}]),
    "getProduct": lambda b2b: b2b.get_product(2),
    "updateProduct": lambda b2b: b2b.update_product(2, stock=7),
    "deleteCustomer": lambda b2b: b2b.delete_customer(1),
    "listProducts": lambda b2b: b2b.iter_products(),
    "listEvents": lambda b2b: b2b.follow_events(5),
}


class Clock:
    """Waits for nothing; a deadline passes while the server answers the second request."""

    def __init__(self, server):
        self.server, self.time = server, 0.0

    def now(self):
        assert len(self.server.seen) <= 50, "the call never ends"
        return self.time + 60 * (len(self.server.seen) // 2)

    def sleep(self, seconds):
        self.time += seconds

    async def async_sleep(self, seconds):
        self.time += seconds


@pytest.fixture(scope="module")
def server():
    proxy = Proxy(None)
    yield proxy
    proxy.shutdown()
    proxy.server_close()


def planned(row):
    for body in row.get("bodies") or [row["body"]]:
        text = body
        if isinstance(body, dict):
            text = TABLE["bodies"][body["of"]]
            if "from" in body:
                assert text.count(body["from"]) == 1
                text = text.replace(body["from"], body["to"])
        yield Planned(row["status"], text.encode("latin-1" if row.get("latin1") else "utf-8"), row["headers"], row.get("cut", False))


def key_of(request):
    return request.headers["X-Idempotency-Key"] or (json.loads(request.body).get("idempotency_key") if request.body else None)


def call(row, options, clock, items):
    with B2B(**options, http=httpx.Client(verify=TLS), now=clock.now, sleep=clock.sleep) as b2b:
        answer = CALLS[row["call"]](b2b)
        if row["call"].startswith("list"):
            for item in answer:
                items.append(item)
        return answer


async def async_call(row, options, clock, items):
    async with AsyncB2B(**options, http=httpx.AsyncClient(verify=TLS), now=clock.now, sleep=clock.async_sleep) as b2b:
        answer = CALLS[row["call"]](b2b)
        if not row["call"].startswith("list"):
            return await answer
        async for item in answer:
            items.append(item)


@pytest.mark.parametrize("kind", ["sync", "asyncio"])
@pytest.mark.parametrize("row", TABLE["rows"], ids=lambda row: row["name"])
def test_issue_17_12_odd_answers(server, row, kind):
    answers = list(planned(row))
    server.plan, server.seen = answers[:-1] + answers[-1:] * 100, []
    options, clock, items, error, answer = (
        dict.fromkeys(("customers", "orders", "events", "orchestrator"), server.base),
        Clock(server),
        [],
        None,
        None,
    )
    try:
        answer = call(row, options, clock, items) if kind == "sync" else anyio.run(async_call, row, options, clock, items)
    except B2BError as e:
        error = e
    expect, listed = row["expect"], row["call"].startswith("list")
    assert (error and error.code) == expect["code"], error
    assert len(items) == expect.get("items", 0)
    (key,) = {key_of(request) for request in server.seen}
    assert (key is not None) == row["call"].startswith("create")
    if not listed:
        assert len(server.seen) == (2 if expect.get("tries") == "again" else 1)
    if error is None:
        order = getattr(answer.data, "order", answer.data) if not listed else None
        assert listed or (order.id, answer.idempotency_key) == (41, key)
        return
    assert (error.status, error.retryable) == (expect.get("status", row["status"]), expect.get("retryable", False))
    assert error.idempotency_key == key
    assert error.correlation_id == expect.get("correlation", server.seen[-1].headers["X-Correlation-Id"])
    assert len(error.details) == expect.get("details", 0)
    text = str(error)
    assert all(part in text for part in [error.code, *expect.get("says", [])]), text
    assert "None" not in text and "null" not in text
