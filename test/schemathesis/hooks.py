"""What schemathesis shall hold beside its own checks."""

import schemathesis
from hypothesis import strategies

# Bounds that valid numbers reach together with the state: a stock and what is added to it, prices and quantities.
REACHED = ("would lift the stock above", "add up to more than")
# What the names in a map may be, which OpenAPI 3.0 cannot say: x-property-names does.
UNSAID = ('"field":"/metadata/',)

# The documents' patterns are in ASCII, and weaker than their formats. Fillers are letters that nobody sees.
FILLERS = "\u115f\u1160\u3164\uffa0"
visible = strategies.characters(categories=("L", "N", "P", "S"), exclude_characters=FILLERS)
text = strategies.text(strategies.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")))
trimmed = visible | strategies.builds("".join, strategies.tuples(visible, text, visible))
schemathesis.openapi.format("text", text)
schemathesis.openapi.format("trimmed", trimmed)
schemathesis.openapi.format("not-blank", strategies.builds("".join, strategies.tuples(strategies.sampled_from(("", " ")), visible, text)))


@schemathesis.serializer("application/x-ndjson", "text/csv")
def as_it_is(ctx, value):
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
