# Uses the Ruby client that openapi-generator makes of /openapi/all.yaml: ruby -I FOLDER/lib client.rb. The client finds each
# service by the document's servers.

require 'openapi_client'
require 'securerandom'
include OpenapiClient

def check(holds, what)
  raise what.to_s unless holds
end

# Returns the code of the error with which a call is refused.
def refusal
  yield
  raise 'the call was not refused'
rescue ApiError => e
  JSON.parse(e.response_body)['code']
end

key = "ruby-#{SecureRandom.uuid}"
orders = OrdersApi.new
customer = CustomersApi.new.create_customer(CustomerRequest.new(name: 'Größe 日本 GmbH', email: "#{key}@example.com")).data
check customer.name == 'Größe 日本 GmbH', customer

order = lambda do |qty|
  OrderRequest.new(customer_id: customer.id, items: [OrderItemRequest.new(product_id: 2, qty: qty)], external_ref: 'Bestellung Nº 1')
end
placed = orders.create_order(order.(1), x_idempotency_key: key).data
check orders.create_order(order.(1), x_idempotency_key: key).data.id == placed.id, 'a repeat is another order'
orders.confirm_order(placed.id, "#{key}-confirm")
read = orders.get_order(placed.id).data
check read.status == 'CONFIRMED' && read.external_ref == 'Bestellung Nº 1', read
check read.created_at < read.confirmed_at, read
check orders.cancel_order(placed.id, cancellation: Cancellation.new(reason: 'a test')).data.status == 'CANCELED', 'cancel'

check refusal { orders.create_order(order.(1_000_000)) } == 'insufficient_stock', 'stock'
begin
  orders.create_order(order.(1), x_idempotency_key: "a\tb")
  raise 'a key that the pattern refuses was sent'
rescue ArgumentError
end
