"""Makes the generated part of the package in a folder: generate.py FOLDER CUSTOMERS ORDERS ORCHESTRATOR

openapi-python-client makes models and requests from the three documents, joined; from both follow the methods of the two clients.
Operations for whoever runs the service, those between services, and streams that are not JSON have no method.
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
            if not all(map(json_schema, answers.values())) or (body and not json_schema(body)):
                continue
            id, (answer,) = operation["operationId"], answers.values()
            if id in operations:
                sys.exit(f"{id} is in two documents")
            operation |= {
                "parameters": [resolve(document, p) for p in item.get("parameters", []) + operation.get("parameters", [])],
                "responses": {s: {k: v for k, v in a.items() if k != "headers"} for s, a in answers.items()},
                "tags": [service],
            }
            if body:
                operation["requestBody"] = body
            paths.setdefault(path, {})[method] = operation
            operations[id] = (service, operation, json_schema(body), json_schema(answer))
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


def request_arguments(service, id):
    tree = ast.parse((package / "api" / service / f"{snake(id)}.py").read_text())
    (function,) = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == "_get_kwargs"]
    arguments = function.args.args + function.args.kwonlyargs
    return {a.arg: ast.unparse(a.annotation) for a in arguments}


def reference(schema):
    return schema["$ref"].rsplit("/", 1)[1]


def signature(arguments):
    """The required arguments first."""
    optional = {name: kind for name, kind in arguments.items() if kind.endswith("| Unset")}
    return [f"{n}: {k}" for n, k in arguments.items() if n not in optional] + [f"{n}: {k} = UNSET" for n, k in optional.items()]


def is_map(schema):
    schema = resolve(joined, schema) or {}
    return schema.get("type") == "object" and not schema.get("properties")


def passed(names):
    return ", ".join(f"{n}={n}" for n in names)


def methods(asynchronous):
    def_, await_, iterator = ("async def", "await ", "AsyncIterator") if asynchronous else ("def", "", "Iterator")
    for id, (service, operation, body, answer) in operations.items():
        name = snake(id)
        arguments = request_arguments(service, id)
        path = {p: arguments.pop(p) for p in [snake(p["name"]) for p in operation["parameters"] if p["in"] == "path"]}
        request = dict.fromkeys([*path, *(a for a in arguments if a != "body")])
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
            made = {field: field for field in inputs}
            for field, kind in inputs.items():
                if is_map(resolve(joined, body)["properties"].get(field)):
                    (of,) = set(re.findall(r"\w+", kind)) - {"None", "Unset"}
                    arguments[field] = kind.replace(of, "Mapping[str, Any]")
                    made[field] = f"map_of({of}, {field})"
            if in_body:
                made["idempotency_key"] = "_key"
            made = ", ".join(f"{field}={value}" for field, value in made.items())
        request = ", ".join([f"{a}=_key" if a == snake(KEY) else f"{a}={a}" for a in request] + ([f"body={model}({made})"] if body else []))
        keyed = in_header or in_body
        options = [f"{o}: {'float' if o == 'deadline' else 'str'} | None = None" for o in OPTIONS if keyed or o != "idempotency_key"]
        envelope = reference(answer)
        data = fields[envelope].get("data", "None")
        shown = ", ".join(["self", *signature(path), "*", *signature(arguments), *options])
        key = "new_key() if idempotency_key is None else idempotency_key" if keyed else "None"
        yield f'''
    {def_} {name}({shown}) -> Answer[{data}]:
        """{operation["summary"].rstrip(".")}{"" if operation["summary"].endswith("?") else "."}"""
        _key = {key}
        _request = _{name}._get_kwargs({request})
        return {await_}self._call("{name}", "{service}", _request, {envelope}, _key, correlation_id, deadline)
'''
        if data.startswith("list[") and "cursor" in arguments:
            of = data.removeprefix("list[").removesuffix("]")
            del arguments["cursor"]
            shown = ", ".join(["self", *signature(path), "*", *signature(arguments), *options])
            again = passed([*path, *arguments, *(o for o in OPTIONS if o != "idempotency_key")])
            yield f'''
    def iter_{name.removeprefix("list_").removeprefix("get_")}({shown}) -> {iterator}[{of}]:
        """Everything that `{name}` lists, page after page; each page has the deadline."""
        return self._pages(lambda cursor: self.{name}({again}, cursor=cursor))
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
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

from .._calls import Answer, AsyncCaller, Caller, map_of, new_key
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
