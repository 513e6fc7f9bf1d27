"""Translates templates of SAM to CloudFormation, as AWS does when they are deployed: translate.py SOURCE TARGET"""

import json
import os
import sys

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")


class ManagedPolicies:
    """The templates name no managed policy."""

    def load(self):
        return {}


source, target = sys.argv[1:]
with open(source, encoding="utf-8") as file:
    template = yaml_parse(file)
for properties in [template.get("Globals", {}).get("Function", {})] + [
    resource["Properties"] for resource in template["Resources"].values() if "Properties" in resource
]:
    if "CodeUri" in properties:  # sam deploy uploads the file, and names it in S3
        assert os.path.exists(os.path.join(os.path.dirname(source), properties["CodeUri"])), properties["CodeUri"]
        properties["CodeUri"] = "s3://bucket/key"
translated = transform(template, {}, ManagedPolicies())
kinds = [resource["Type"] for resource in translated["Resources"].values()]
for kind in ("AWS::Lambda::Function", "AWS::ApiGatewayV2::Api", "AWS::IAM::Role", "AWS::CloudWatch::Alarm"):
    assert kind in kinds, f"{target} has no {kind}"
assert not any(kind.startswith("AWS::Serverless::") for kind in kinds), kinds
with open(target, "w", encoding="utf-8") as file:
    json.dump(translated, file, indent=1)
