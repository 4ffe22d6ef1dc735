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
    {"servers": {"a": {"listen": 80, "threads": 5000}}},
    {"servers": {"a": {"listen": 80, "limits": {"body": "1MB"}}}},
    {"servers": {"a": {"listen": 80, "routes": [{"module": "hello"}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "methods": ["FETCH"]}]}}},
    {"servers": {"a": {"listen": {"address": "unix:/a", "mode": "rw"}}}},
    {"servers": {"a": {"listen": {"address": 80, "proxy_protocol": "yes"}}}},
    {"servers": {"a": {"listen": 80, "request_body": "chunked"}}},
    {"servers": {"a": {"listen": 80, "access_log": {"to": "/var/log/a.log"}}}},
    {"servers": {"a": {"listen": 80, "access_log": {"format": "clf"}}}},
    {"servers": {"a": {"listen": 80, "compression": {"encodings": ["deflate"]}}}},
    {"servers": {"a": {"listen": 80, "compression": {"types": ["text"]}}}},
    {"servers": {"a": {"listen": 80, "limits": {"request_burst": 0}}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "module": "m", "host": "a:80"}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "module": "m", "limits": {"header": "1KiB"}}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "module": "m", "origins": ["example.org"]}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "module": "m", "origins": []}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "module": "m", "deflate": True}]}}},
    {"servers": {"a": {"listen": 80, "routes": [{"path": "/", "module": "m", "deflate": {"server_max_window_bits": 8}}]}}},
    {"servers": {"a": {"listen": 80, "backlog_policy": "wait"}}},
    {"servers": {"a": {"listen": 80, "timeouts": {"ping": 30}}}},
    {"servers": {"a": {"clients": [{"url": "ws://a"}]}}},
    {"servers": {"a": {"clients": [{"module": "m"}]}}},
    {"servers": {"a": {"clients": [{"url": "wss://a", "module": "m"}]}}},
    {"servers": {"a": {"clients": [{"url": "ws://a", "module": "m", "headers": ["Authorization"]}]}}},
    {"servers": {"a": {"clients": [{"url": "ws://a", "module": "m", "protocols": ["a b"]}]}}},
    {"servers": {"a": {"clients": [{"url": "ws://a", "module": "m", "timeouts": {"header": "1s"}}]}}},
    {"servers": {"a": {"clients": "ws://a"}}},
    {"servers": {"a": {"protocol": "lines", "listen": 80}}},
    {"servers": {"a": {"protocol": "line", "listen": 80, "modules": ["chat"]}}},
    {"servers": {"a": {"protocol": "line", "listen": 80, "modules": [{"handler": "chat"}]}}},
    {"servers": {"a": {"protocol": "line", "listen": 80, "modules": [{"module": "chat", "path": "/"}]}}},
    {"servers": {"a": {"protocol": "line", "listen": 80, "modules": [{"module": "a b"}]}}},
    {"servers": {"a": {"protocol": "line", "listen": 80, "modules": [{"module": "a"}] * 65}}},
    {"servers": {"a": {"protocol": "line", "listen": 80, "modules": {"module": "chat"}}}},
    {"servers": {"a": {"protocol": "line", "greeting": "a\nb"}}},
    {"servers": {"a": {"protocol": "line", "greeting": "\x1b[2J"}}},
    {"servers": {"a": {"protocol": "line", "greeting": ""}}},
    {"servers": {"a": {"protocol": "line", "line_end": "cr"}}},
    {"servers": {"a": {"protocol": "line", "long_lines": True}}},
    {"servers": {"a": {"protocol": "line", "limits": {"line": "8KB"}}}},
    {"servers": {"a": {"hub_capacity": 0}}},
    {"daemon": {"media_types": {"md": "markdown"}}},
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
