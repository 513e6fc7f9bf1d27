"""The creation of an order as a careful author would write it with FastAPI and SQLAlchemy: the customer is read; one transaction
reads the prices, takes the stock by a conditional update, and inserts the order, its lines and the key's row with the answer. One
process for each CPU."""

import hashlib
import json
import os
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI, Header, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import IntegrityError

E = os.environ
engine = sa.create_engine(
    sa.URL.create("mysql+pymysql", E["DB_USER"], host=E["DB_HOST"], port=int(E["DB_PORT"]), database=E["DB_NAME"]),
    pool_size=25,
    max_overflow=0,
    isolation_level="READ COMMITTED",
)
tables = sa.MetaData()
tables.reflect(engine)
customers, products, orders, order_items, keys = (
    tables.tables[name] for name in ("customers", "products", "orders", "order_items", "idempotency_keys")
)
app = FastAPI()


class Item(BaseModel):
    product_id: int = Field(ge=1)
    qty: int = Field(ge=1, le=1_000_000)


class NewOrder(BaseModel):
    customer_id: int = Field(ge=1)
    items: list[Item] = Field(min_length=1, max_length=100)


class Refused(Exception):
    def __init__(self, status: int, code: str):
        self.status, self.code = status, code


@app.exception_handler(Refused)
def refused(_request, error: Refused):
    return JSONResponse({"success": False, "error": error.code, "code": error.code}, error.status)


@app.get("/health")
def health():
    return {"status": "ok"}


def place(tx: sa.Connection, new: NewOrder) -> dict:
    qty = {i.product_id: i.qty for i in sorted(new.items, key=lambda i: i.product_id)}
    if len(qty) != len(new.items):
        raise Refused(400, "validation_failed")
    prices = dict(tx.execute(sa.select(products.c.id, products.c.price_cents).where(products.c.id.in_(qty))).tuples().all())
    if len(prices) != len(qty):
        raise Refused(404, "product_not_found")
    now = datetime.now(timezone.utc).replace(tzinfo=None)
    pieces = sa.case(qty, value=products.c.id)
    taken = tx.execute(
        products.update()
        .where(products.c.id.in_(qty), products.c.stock >= pieces)
        .values(stock=products.c.stock - pieces, updated_at=now)
    )
    if taken.rowcount != len(qty):
        raise Refused(400, "insufficient_stock")
    lines = [
        {"product_id": p, "qty": n, "unit_price_cents": prices[p], "subtotal_cents": prices[p] * n} for p, n in qty.items()
    ]
    order = {
        "customer_id": new.customer_id,
        "status": "CREATED",
        "total_cents": sum(line["subtotal_cents"] for line in lines),
    }
    placed = tx.execute(orders.insert().values(**order, created_at=now, updated_at=now)).inserted_primary_key[0]
    tx.execute(order_items.insert().values([{"order_id": placed, **line} for line in lines]))
    return {"id": placed, **order, "created_at": now.isoformat() + "Z", "items": lines}


@app.post("/orders", status_code=201)
def create(new: NewOrder, x_idempotency_key: str | None = Header(None)):
    digest = hashlib.sha256(new.model_dump_json().encode()).digest()
    try:
        with engine.connect() as connection:
            known = connection.execute(
                sa.select(customers.c.id).where(customers.c.id == new.customer_id, customers.c.deleted_at.is_(None))
            ).first()
            if known is None:
                raise Refused(404, "customer_not_found")
            connection.rollback()
            with connection.begin():
                data = place(connection, new)
                answer = json.dumps({"success": True, "data": data})
                if x_idempotency_key is not None:
                    connection.execute(
                        keys.insert().values(
                            caller="peer",
                            operation="createOrder",
                            idempotency_key=x_idempotency_key,
                            request_hash=digest,
                            target_id=data["id"],
                            status=201,
                            response_body=answer,
                            expires_at=datetime.now(timezone.utc).replace(tzinfo=None) + timedelta(days=1),
                        )
                    )
            return Response(answer, 201, media_type="application/json")
    except IntegrityError:
        with engine.connect() as connection:
            first = connection.execute(
                sa.select(keys.c.request_hash, keys.c.status, keys.c.response_body).where(
                    keys.c.caller == "peer", keys.c.operation == "createOrder", keys.c.idempotency_key == x_idempotency_key
                )
            ).one()
        if first.request_hash != digest:
            raise Refused(422, "idempotency_key_reused") from None
        return Response(first.response_body, first.status, media_type="application/json")


if __name__ == "__main__":
    uvicorn.run("server:app", host="127.0.0.1", port=int(E["PORT"]), workers=os.cpu_count(), log_level="warning", access_log=False)
