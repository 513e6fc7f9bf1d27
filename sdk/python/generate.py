"""Makes the generated part of the package in a folder: generate.py FOLDER CUSTOMERS ORDERS EVENTS ORCHESTRATOR

openapi-python-client makes models and requests from the documents, joined; from both follow the methods of the two clients.
Operations for whoever runs the service and those between services have no method. Imports and exports are of one JSON object a line.
"""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

from ruamel.yaml import YAML

OPTIONS = ["idempotency_key", "correlation_id", "deadline"]
KEY = "X-Idempotency-Key"
LINES = "application/x-ndjson"
CSV_ONLY = {"format", "encoding", "delimiter", "bom", "lines"}
"""Parameters of imports and exports that say nothing about JSON."""

folder, *files = [Path(argument) for argument in sys.argv[1:]]
package = folder / "generated"


def resolve(document, it):
    while it and "$ref" in it:
        at = document
        for step in it["$ref"].removeprefix("#/").split("/"):
            at = at[step]
        it = at
    return it


def json_schema(holder):
    return (holder or {}).get("content", {}).get("application/json", {}).get("schema")


def reference(schema):
    return schema["$ref"].rsplit("/", 1)[1]


def snake(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().replace("-", "_")


# The joined document: what has a method, with its successful answer alone; this package reads errors in one place.
schemas, paths, operations = {}, {}, {}
for file in files:
    document = YAML(typ="safe").load(file)
    service = file.parent.name.removesuffix("api")
    for name, schema in document["components"]["schemas"].items():
        if schemas.setdefault(name, schema) != schema:
            sys.exit(f"two documents describe {name} differently")
    for path, item in document["paths"].items():
        for method in ("get", "put", "post", "patch", "delete"):
            operation = item.get(method)
            if not operation or {"Operations", "Internal"} & set(operation["tags"]):
                continue
            body = resolve(document, operation.get("requestBody"))
            answers = {s: resolve(document, a) for s, a in operation["responses"].items() if s.startswith("2")}
            id, ((status, answer),) = operation["operationId"], answers.items()
            if id in operations:
                sys.exit(f"{id} is in two documents")
            parameters = [resolve(document, p) for p in item.get("parameters", []) + operation.get("parameters", [])]
            row = None
            if lines := answer["content"].get(LINES):  # the models and the request are made as if it were JSON
                row = reference(body["content"][LINES]["x-row"] if body else lines["x-row"])
                answers = {status: {"description": "", "content": {"application/json": {"schema": lines["x-row"]}}}}
                parameters = [p for p in parameters if p["name"] not in CSV_ONLY]
                body = operation.pop("requestBody", None) and None
            for a in answers.values():  # a stream of events is for browsers
                a["content"].pop("text/event-stream", None)
            operation |= {
                "parameters": parameters,
                "responses": {s: {k: v for k, v in a.items() if k != "headers"} for s, a in answers.items()},
                "tags": [service],
            }
            if body:
                operation["requestBody"] = body
            paths.setdefault(path, {})[method] = operation
            operations[id] = (service, operation, json_schema(body), json_schema(answers[status]), status, row)
joined = {
    "openapi": "3.0.3",
    "info": {"title": "B2B orders", "version": "1"},
    "paths": paths,
    "components": {"schemas": schemas},
}
(folder / "joined.json").write_text(json.dumps(joined))
(folder / "config.json").write_text(json.dumps({"literal_enums": True, "post_hooks": []}))
subprocess.run(
    ["openapi-python-client", "generate", "--fail-on-warning", "--meta", "none", "--path", folder / "joined.json"]
    + ["--config", folder / "config.json", "--output-path", package],
    check=True,
    stdout=subprocess.DEVNULL,
)

# A filter that is None is no filter that is left out: _Call refuses it.
FILTER = "params = {k: v for k, v in params.items() if v is not UNSET and v is not None}"
filtered = [file for file in (package / "api").glob("*/*.py") if FILTER in file.read_text()]
if not filtered:
    sys.exit("the generator leaves parameters out in another way")
for file in filtered:
    file.write_text(file.read_text().replace(FILTER, FILTER.replace(" and v is not None", "")))

# What the generator called things, and the types that it gave them.
fields = {}  # of each model: name, type
for file in (package / "models").glob("*.py"):
    for node in ast.parse(file.read_text()).body:
        if isinstance(node, ast.ClassDef):
            fields[node.name] = {
                f.target.id: ast.unparse(f.annotation)
                for f in node.body
                if isinstance(f, ast.AnnAssign) and f.target.id != "additional_properties"
            }

# A model that has any names, and none of its own, is a dict.
MAP = """from __future__ import annotations

from typing import Any, Self


class {name}(dict[str, {of}]):
    \"\"\"{text}\"\"\"

    @property
    def additional_properties(self) -> dict[str, {of}]:
        return self

    def to_dict(self) -> dict[str, Any]:
        return dict(self)

    @classmethod
    def from_dict(cls, src_dict: dict[str, {of}]) -> Self:
        return cls(src_dict)
"""
for file in (package / "models").glob("*.py"):
    for node in ast.parse(file.read_text()).body:
        if (
            isinstance(node, ast.ClassDef)
            and not fields[node.name]
            and (of := re.search(r"additional_properties: dict\[str, (\w+)\]", file.read_text()))
        ):
            file.write_text(MAP.format(name=node.name, of=of[1], text=ast.get_docstring(node) or ""))


def request_arguments(service, id):
    tree = ast.parse((package / "api" / service / f"{snake(id)}.py").read_text())
    (function,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "_get_kwargs"]
    arguments = function.args.args + function.args.kwonlyargs
    return {a.arg: ast.unparse(a.annotation) for a in arguments}


def signature(arguments):
    """The required arguments first."""
    optional = {name: kind for name, kind in arguments.items() if kind.endswith("| Unset")}
    return [f"{n}: {k}" for n, k in arguments.items() if n not in optional] + [f"{n}: {k} = UNSET" for n, k in optional.items()]


def written(name, schema, kind):
    """Returns the type of an input, as a caller writes it, and the code that makes of it what the generated code takes."""
    schema = resolve(joined, schema) or {}
    if schema.get("format") == "date-or-date-time":
        return kind.replace("str", "str | datetime.date"), f"moment({name})"
    if schema.get("type") == "object":
        (of,) = set(re.findall(r"\w+", kind)) - {"None", "Unset"}
        return kind.replace(of, f"{of} | Mapping[str, Any]"), f"model_of({of}, {name})"
    if schema.get("type") == "array" and resolve(joined, schema["items"]).get("type") == "object":
        of = re.fullmatch(r"list\[(\w+)\]", kind)[1]
        return f"Iterable[{of} | Mapping[str, Any]]", f"models_of({of}, {name})"
    return kind, name


def passed(names):
    return ", ".join(f"{n}={n}" for n in names)


def methods(asynchronous):
    def_, await_, iterator = ("async def", "await ", "AsyncIterator") if asynchronous else ("def", "", "Iterator")
    for id, (service, operation, body, answer, status, row) in operations.items():
        name = snake(id)
        summary = operation["summary"].rstrip(".") + ("" if operation["summary"].endswith("?") else ".")
        arguments = request_arguments(service, id)
        path = {p: arguments.pop(p) for p in [snake(p["name"]) for p in operation["parameters"] if p["in"] == "path"]}
        taken = [*path, *(a for a in arguments if a != "body")]
        request = {a: a for a in taken}
        for parameter in operation["parameters"]:
            if parameter["in"] == "query":
                of = snake(parameter["name"])
                of = of if of in arguments else f"{of}_"  # such as from_
                arguments[of], request[of] = written(of, parameter["schema"], arguments[of])
        in_header = arguments.pop(snake(KEY), None) is not None
        in_body = False
        if body:
            arguments.pop("body")
            model = reference(body)
            inputs = dict(fields[model])
            in_body = inputs.pop("idempotency_key", None) is not None
            inputs.pop("correlation_id", None)  # the header says the same
            clash = inputs.keys() & {*path, *arguments, *OPTIONS}
            if clash:
                sys.exit(f"{id}: {clash} is the name of two inputs")
            arguments |= inputs
            made = {}
            for field, kind in inputs.items():
                arguments[field], made[field] = written(field, resolve(joined, body)["properties"].get(field), kind)
            if in_body:
                made["idempotency_key"] = "_key"
            made = ", ".join(f"{field}={value}" for field, value in made.items())
        request[snake(KEY)] = "_key"
        request = ", ".join([f"{a}={request[a]}" for a in taken] + ([f"body={model}({made})"] if body else []))
        keyed = in_header or in_body
        options = [f"{o}: {'float' if o == 'deadline' else 'str'} | None = None" for o in OPTIONS if keyed or o != "idempotency_key"]
        envelope = reference(answer)
        if row and envelope == row:
            shown = ", ".join(["self", "*", *signature(arguments), *options])
            yield f'''
    def {name}({shown}) -> {iterator}[{row}]:
        """{summary} Everything comes in one answer, thing by thing; when it breaks off, the iteration ends with a B2BError."""
        _request = _{name}._get_kwargs({request})
        return self._export("{name}", "{service}", _request, {row}, correlation_id, deadline)
'''
            continue
        if row:
            told = "object | Awaitable[object]" if asynchronous else "object"
            awaited = ", and may be asynchronous" if asynchronous else ""
            shown = ", ".join(
                ["self", f"rows: Iterable[{row} | Mapping[str, Any]]", f"on_row: Callable[[Any, ImportLine], {told}] | None = None"]
                + ["*", *signature(arguments), "correlation_id: str | None = None"]
            )
            yield f'''
    {def_} {name}({shown}) -> ImportSummary:
        """{summary} The rows are sent while they are read, once. on_row is called with each row and what became of it{awaited}.
        Raises B2BError when not all rows were read: repeat the call then, what is done already is unchanged."""
        _request = _{name}._get_kwargs({request})
        return {await_}self._import("{name}", "{service}", _request, rows, on_row, correlation_id)
'''
            continue
        data = fields[envelope].get("data", "None")
        shown = ", ".join(["self", *signature(path), "*", *signature(arguments), *options])
        key = "new_key() if idempotency_key is None else idempotency_key" if keyed else "None"
        yield f'''
    {def_} {name}({shown}) -> Answer[{data}]:
        """{summary}"""
        _key = {key}
        _request = _{name}._get_kwargs({request})
        return {await_}self._call("{name}", "{service}", _request, {status}, {envelope}, _key, correlation_id, deadline)
'''
        if data.startswith("list[") and "cursor" in arguments:
            of = data.removeprefix("list[").removesuffix("]")
            del arguments["cursor"]
            (limit,) = [p["schema"]["maximum"] for p in operation["parameters"] if p["name"] == "limit"]
            del arguments["limit"]
            options.insert(0, f"limit: int = {limit}")
            shown = ", ".join(["self", *signature(path), "*", *signature(arguments), *options])
            again = passed([*path, *arguments, "limit", *(o for o in OPTIONS if o != "idempotency_key")])
            yield f'''
    def iter_{name.removeprefix("list_").removeprefix("get_")}({shown}) -> {iterator}[{of}]:
        """Everything that `{name}` lists, page after page of `limit` things; each page has the deadline."""
        return self._pages("{name}", lambda cursor: self.{name}({again}, cursor=cursor))
'''


sync, asynchronous = "".join(methods(False)), "".join(methods(True))
models = {
    alias.name for n in ast.parse((package / "models/__init__.py").read_text()).body if isinstance(n, ast.ImportFrom) for alias in n.names
}
used = sorted(models & set(re.findall(r"\w+", sync)))
imports = "\n".join(f"from .api.{service} import {snake(id)} as _{snake(id)}" for id, (service, *_) in operations.items())
(package / "calls.py").write_text(f'''"""Generated from the documents by make sdk. DO NOT EDIT."""

from __future__ import annotations

import datetime
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from .._calls import Answer, AsyncCaller, Caller, model_of, models_of, moment, new_key
{imports}
from .models import {", ".join(used)}
from .types import UNSET, Unset


class Calls(Caller):
{sync}

class AsyncCalls(AsyncCaller):
{asynchronous}
''')
subprocess.run(["ruff", "check", "--isolated", "--no-cache", "--fix", "--quiet", "--extend-select=I", package], check=True)
subprocess.run(["ruff", "format", "--isolated", "--no-cache", "--quiet", package], check=True)
