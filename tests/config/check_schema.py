"""The JSON Schema is valid, takes every file in good/ and refuses what an editor should underline."""

import json
import pathlib
import subprocess
import sys

import jsonschema
import yaml

REFUSED = [
    {"daemons": {}},
    {"daemon": {"log": {"level": "loud"}}},
    {"daemon": {"shutdown_timeout": 10}},
    {"servers": {"1st": {"listen": 80}}},
    {"servers": {"a": {}}},
    {"servers": {"a": {"listen": 80, "threads": 5000}}},
    {"servers": {"a": {"listen": 80, "limits": {"body": "1MB"}}}},
    {"servers": {"a": {"listen": 80, "routes": [{"module": "hello"}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "methods": ["FETCH"]}]}}},
    {"servers": {"a": {"listen": {"address": "unix:/a", "mode": "rw"}}}},
]


def main(check_files, folder):
    schema = json.loads(subprocess.run([check_files, "--schema"], check=True, capture_output=True).stdout)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    good = sorted(pathlib.Path(folder, "good").glob("*.yaml"))
    assert good, "no files"
    failed = 0
    for path in good:
        for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8-sig"))):
            print(f"{path.name}: {error.json_path}: {error.message}")
            failed += 1
    for value in REFUSED:
        if validator.is_valid(value):
            print(f"accepted: {value}")
            failed += 1
    return failed > 0


sys.exit(main(*sys.argv[1:]))
