//! Uses the Rust client that progenitor makes of /openapi/all.yaml: client CUSTOMERS ORDERS. The document lies beside
//! Cargo.toml, without the operations that progenitor refuses.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};

progenitor::generate_api!(spec = "all.yaml", interface = Builder);

const NAME: &str = "Größe 日本 GmbH";
const REF: &str = "Bestellung Nº 1";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bases: Vec<String> = std::env::args().skip(1).collect();
    let (customers, orders) = (Client::new(&bases[0]), Client::new(&bases[1]));
    let key = format!("rust-{}", SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos());

    let wanted: types::CustomerRequest = typed(json!({"name": NAME, "email": format!("{key}@example.com")}));
    let customer = customers.create_customer().body(wanted).send().await?.into_inner().data;
    assert_eq!(**customer.name, *NAME);

    let order = |pieces: i64| -> types::OrderRequest {
        let items = json!([{"product_id": 2, "qty": pieces}]);
        typed(json!({"customer_id": customer.id.get(), "items": items, "external_ref": REF}))
    };
    let place = || orders.create_order().x_idempotency_key(key.clone()).body(order(1)).send();
    let id = place().await?.into_inner().data.id;
    assert_eq!(place().await?.into_inner().data.id.get(), id.get());
    orders.confirm_order().id(id.clone()).x_idempotency_key(format!("{key}-confirm")).send().await?;
    let read = orders.get_order().id(id.clone()).send().await?.into_inner().data;
    assert_eq!(**read.status, *"CONFIRMED");
    assert_eq!(json!(read.external_ref), REF);
    assert!(Some(*read.created_at) < *read.confirmed_at);
    let reason: types::Cancellation = typed(json!({"reason": "a test"}));
    let canceled = orders.cancel_order().id(id).body(reason).send().await?.into_inner().data;
    assert_eq!(**canceled.status, *"CANCELED");

    match orders.create_order().body(order(1_000_000)).send().await {
        Err(Error::ErrorResponse(refusal)) => assert_eq!(**refusal.code, *"insufficient_stock"),
        other => panic!("the call was not refused: {other:?}"),
    }
    orders.create_order().x_idempotency_key("a\tb").body(order(1)).send().await.expect_err("the pattern refuses this key");
    Ok(())
}

fn typed<T: DeserializeOwned>(body: Value) -> T {
    serde_json::from_value(body).unwrap()
}
