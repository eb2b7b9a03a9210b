"""Lets schemathesis meet things that are there: half of the ids it makes up become known ones."""

import json
import os

import schemathesis

KNOWN = json.loads(os.environ["KNOWN_IDS"])


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name, value in (path_parameters or {}).items():
        known = KNOWN.get(f"{context.operation.path} {name}") or KNOWN.get(name)
        if known and isinstance(value, str) and sum(value.encode("utf-8", "replace")) % 2 == 0:
            path_parameters[name] = known
    return path_parameters
