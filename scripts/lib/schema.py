# SPDX-License-Identifier: GPL-2.0-only
"""Do the policies of the documents follow the schema that editors are given, and is a misspelt
key refused by it? A real validator answers: python3-jsonschema."""
import pathlib
import re
import sys

import jsonschema
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]


class Loader(yaml.SafeLoader):
    """YAML 1.2 core: a date is a text."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def policies():
    """(where, policy) of each example file and of each yaml block in the documents."""
    for path in sorted(ROOT.glob("docs/examples/**/*.yaml")):
        if "compose" not in path.name:
            yield path, yaml.load(path.read_text(), Loader)
    for path in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        for text in re.findall(r"^```yaml\n(.*?)^```", path.read_text(), re.S | re.M):
            yield path, yaml.load(text, Loader)


def main():
    schema = jsonschema.Draft202012Validator(
        yaml.load((ROOT / "loader/config/fwd.schema.json").read_text(), Loader)
    )
    jsonschema.Draft202012Validator.check_schema(schema.schema)
    bad = 0
    count = 0
    for path, policy in policies():
        count += 1
        policy.setdefault("version", 1)  # an overlay leaves it to the file below
        for error in schema.iter_errors(policy):
            bad += 1
            print(f"{path.relative_to(ROOT)}: {error.json_path}: {error.message}")
        for key in list(policy):
            if schema.is_valid({**policy, key + "x": policy[key]}):
                bad += 1
                print(f"{path.relative_to(ROOT)}: the schema accepts the key {key}x")
    if count < 10:
        bad += 1
        print(f"only {count} policies were found")
    return 1 if bad else 0


sys.exit(main())
