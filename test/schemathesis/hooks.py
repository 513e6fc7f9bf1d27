"""What schemathesis shall hold beside its own checks."""

import schemathesis

# Bounds that valid numbers reach together with the state: a stock and what is added to it, prices and quantities.
REACHED = ("would lift the stock above", "add up to more than")
# What OpenAPI 3.0 cannot say: the names in a map (x-property-names does), and parameters that need another one.
UNSAID = ('"field":"/metadata/', '"rule":"needs_csv"')


@schemathesis.serializer("application/x-ndjson", "text/csv")
def text(ctx, value):
    """A file is sent as it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def has_null(value):
    fields = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return any(field is None or has_null(field) for field in fields)


@schemathesis.hook
def filter_case(ctx, case):
    """Null in an optional field counts as absent, which the documents say in words: such a request may be valid."""
    return case.meta is None or case.meta.generation.mode.is_positive or not has_null(case.body)


@schemathesis.check
def valid_data_is_not_called_invalid(ctx, response, case):
    """A request that keeps to the document is never refused as one that does not."""
    if case.operation.definition.raw["operationId"].startswith("import"):
        return  # a file is text to OpenAPI; that its rows are what x-row says is held by the program's own tests
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < 400:
        return
    code = response.json().get("code")
    if any(known in response.text for known in REACHED + UNSAID):
        return
    assert code not in ("validation_failed", "malformed_json", "unsupported_media_type"), f"valid data is {code}: {response.text}"
