/** What differs between the clients for Java: the default library, "okhttp-gson". */
final class Library {
  static b2b.customers.ApiClient customers(String base) {
    return new b2b.customers.ApiClient().setBasePath(base);
  }

  static b2b.orders.ApiClient orders(String base) {
    return new b2b.orders.ApiClient().setBasePath(base);
  }

  static b2b.orchestrator.ApiClient orchestrator(String base) {
    return new b2b.orchestrator.ApiClient().setBasePath(base);
  }

  static b2b.orders.model.ErrorBody error(String body) throws Exception {
    return b2b.orders.model.ErrorBody.fromJson(body);
  }
}
