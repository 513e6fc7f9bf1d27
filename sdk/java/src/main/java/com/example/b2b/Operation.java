package com.example.b2b;

/** What the SDK has to know of an operation: among others, the status of a success, and what its answer or each line of it is. */
record Operation(String name, String service, String method, String path, Key key, int status, Class<?> answer) {
  /** Where an operation takes an idempotency key. */
  enum Key {
    NONE, HEADER, BODY
  }

  /** Reports whether the operation is that of a request; rawPath is still percent-encoded. */
  boolean is(String method, String rawPath) {
    String[] parts = path.split("/", -1), sent = rawPath.split("/", -1);
    if (!this.method.equals(method) || parts.length != sent.length) return false;
    for (int i = 0; i < parts.length; i++) {
      if (!parts[i].startsWith("{") && !parts[i].equals(sent[i])) return false;
    }
    return true;
  }

  /** Reports whether a second request does nothing that the first has done. */
  boolean mayRepeat(String idempotencyKey) {
    return method.equals("GET") || idempotencyKey != null;
  }
}
