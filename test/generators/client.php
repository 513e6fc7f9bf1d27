<?php
// Uses the PHP client that openapi-generator makes of /openapi/all.yaml: client.php FOLDER. The client finds each service by
// the document's servers. A warning of PHP is a failure.

use OpenAPI\Client\Api\CustomersApi;
use OpenAPI\Client\Api\OrdersApi;
use OpenAPI\Client\ApiException;
use OpenAPI\Client\Model\Cancellation;
use OpenAPI\Client\Model\CustomerRequest;
use OpenAPI\Client\Model\OrderItemRequest;
use OpenAPI\Client\Model\OrderRequest;

error_reporting(E_ALL);
set_error_handler(fn($level, $message, $file, $line) => throw new ErrorException($message, 0, $level, $file, $line));
require 'GuzzleHttp/autoload.php'; // of Debian's php-guzzlehttp-guzzle
spl_autoload_register(function ($class) use ($argv) {
    if (str_starts_with($class, 'OpenAPI\\Client\\')) {
        require "$argv[1]/lib/" . strtr(substr($class, strlen('OpenAPI\\Client\\')), '\\', '/') . '.php';
    }
});

function check(bool $holds, string $what): void
{
    $holds || throw new Exception($what);
}

$key = uniqid('php-', true);
$orders = new OrdersApi();
$customer = (new CustomersApi())->createCustomer(
    new CustomerRequest(['name' => 'Größe 日本 GmbH', 'email' => "$key@example.com"])
)->getData();
check($customer->getName() === 'Größe 日本 GmbH', $customer);

$order = fn(int $qty) => new OrderRequest([
    'customer_id' => $customer->getId(),
    'items' => [new OrderItemRequest(['product_id' => 2, 'qty' => $qty])],
    'external_ref' => "Bestellung Nº 1",
]);
$placed = $orders->createOrder($order(1), $key)->getData();
check($orders->createOrder($order(1), $key)->getData()->getId() === $placed->getId(), 'a repeat is another order');
$orders->confirmOrder($placed->getId(), "$key-confirm");
$read = $orders->getOrder($placed->getId())->getData();
check($read->getStatus() === 'CONFIRMED' && $read->getExternalRef() === 'Bestellung Nº 1', $read);
check($read->getCreatedAt() < $read->getConfirmedAt(), $read);
check($orders->cancelOrder($placed->getId(), null, "$key-cancel", new Cancellation(['reason' => 'a test']))->getData()->getStatus() === 'CANCELED', 'cancel');

try {
    $orders->createOrder($order(1_000_000));
    throw new Exception('the call was not refused');
} catch (ApiException $e) {
    check($e->getCode() === 400 && $e->getResponseObject()->getCode() === 'insufficient_stock', $e);
}
try {
    $orders->createOrder($order(1), "a\nb");
    throw new Exception('a key that the pattern refuses was sent');
} catch (InvalidArgumentException) {
}
