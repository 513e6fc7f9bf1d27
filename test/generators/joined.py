"""Uses the one Python client that openapi-generator makes of /openapi/all.yaml: it finds each service by the document's servers."""

import uuid

import b2b

client = b2b.ApiClient()
customer = b2b.CustomersApi(client).list_customers(search="ACME").data[0]
key = f"joined-{uuid.uuid4()}"
request = b2b.OrchestrationRequest(customer_id=customer.id, items=[b2b.OrderItemRequest(product_id=2, qty=1)], idempotency_key=key)
placed = b2b.OrchestrationApi(client).create_and_confirm_order(request).data.order
orders = b2b.OrdersApi(client)
assert orders.get_order(placed.id).data.status == placed.status == "CONFIRMED"
assert orders.cancel_order(placed.id, cancellation=b2b.Cancellation(reason="a test")).data.status == "CANCELED"
try:
    orders.create_order(b2b.OrderRequest(customer_id=customer.id, items=[b2b.OrderItemRequest(product_id=2, qty=1_000_000)]))
    raise AssertionError("the call was not refused")
except b2b.ApiException as e:
    assert e.data.code == "insufficient_stock", e
