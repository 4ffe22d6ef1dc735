"""What the daemon counts: known traffic, and exactly that in the metrics."""
import json
import re
import threading

import pytest
from prometheus_client.parser import text_string_to_metric_families

import harness
import ws_talk
from common import halted, send_get, wait_until, with_test_modules
from metrics_text import Metrics, Servers
from reload_talk import refused, reload

CONFIG = """
  stat:
    listen: 127.0.0.1:0
    routes:
      - {path: /metrics, module: metrics_probe, handler: prometheus}
      - {path: /status.json, module: metrics_probe, handler: json}
      - {path: /wrong, module: metrics_probe, handler: wrong}
  jobs:
    protocol: worker
    hub_capacity: 4
    modules: [{module: metrics_probe, handler: text}]
"""


def config(servers, daemon=""):
    return with_test_modules(servers.lstrip("\n") + CONFIG.lstrip("\n"), daemon)


def read(running):
    """Both texts; those who read them do not show in the other servers."""
    response = running.get("/metrics", server="stat")
    assert (response.status, response.get("Content-Type")) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return Metrics(response.text)


def read_json(running):
    response = running.get("/status.json", server="stat")
    assert (response.status, response.get("Content-Type")) == (200, "application/json")
    return Servers(response.text)


def wait_for(running, name, wanted, **labels):
    """The metrics in which that sample has that value: the end of a reply is counted when the client may have it already."""
    def look():
        metrics = read(running)
        return metrics if metrics.value(name, **labels) == wanted else None
    return wait_until(look, f"{name} {labels} {wanted}")


HTTP = """
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /loop, module: metrics_probe, handler: loop}
      - {path: /worker, module: metrics_probe, handler: worker}
      - {path: /gone, status: 410}
      - {path: /old, redirect: /loop}
      - {path: "/it/{id}", host: example.org, module: metrics_probe, handler: loop}
      - {path: "/unused/*", module: metrics_probe, handler: loop}
"""


def test_requests_are_counted_by_route_and_class(daemon):
    running = daemon(config(HTTP))
    wanted = {("/loop", "2xx"): 5, ("/loop", "4xx"): 1, ("/loop", "5xx"): 2, ("/worker", "2xx"): 4, ("/worker", "5xx"): 1,
              ("/gone", "4xx"): 2, ("/old", "3xx"): 1, ("example.org/it/{id}", "2xx"): 3, ("none", "4xx"): 3}
    with running.raw(server="get") as raw:
        for target in ["/loop"] * 5 + ["/loop?status=404", "/loop?status=503", "/loop?status=-1"] + ["/worker"] * 4 + \
                ["/worker?status=-1"] + ["/gone"] * 2 + ["/old"]:
            raw.request(target=target)
        for number in range(3):
            raw.send(f"GET /it/{number} HTTP/1.1\r\nHost: example.org\r\n\r\n")
            assert raw.response().status == 200
        assert raw.request(target="/nowhere").status == 404
        assert raw.request(target="/it/1").status == 404
        raw.send("BROKEN\r\n\r\n")
        assert raw.response().status == 400
    metrics = wait_for(running, "retinue_connections_closed_total", 1, server="get", cause="protocol")
    for labels in metrics.labels("retinue_requests_total"):
        if labels["server"] == "get":
            count = wanted.pop((labels["route"], labels["status"]), 0)
            assert metrics.value("retinue_requests_total", **labels) == count, labels
    assert not wanted
    assert metrics.value("retinue_requests_active", server="get") == 0
    assert metrics.value("retinue_connections_accepted_total", server="get") == 1
    assert sum(metrics.value("retinue_connections", server="get", state=state)
               for state in ("idle", "active", "websocket", "line", "outgoing")) == 0


def test_times_are_counted_once_for_each_request(daemon):
    """On the loop the whole time; on workers also how long it waited and was handled."""
    running = daemon(config(HTTP))
    with running.raw(server="get") as raw:
        for target in ["/loop"] * 3 + ["/worker"] * 4:
            assert raw.request(target=target).status == 200
    metrics = wait_for(running, "retinue_requests_total", 4, server="get", route="/worker", status="2xx")
    for route, name, count in [("/loop", "duration", 3), ("/loop", "queue", 0), ("/loop", "handler", 0),
                               ("/worker", "duration", 4), ("/worker", "queue", 4), ("/worker", "handler", 4)]:
        family = f"retinue_request_{name}_seconds"
        assert metrics.value(family, "_count", server="get", route=route) == count, (route, name)
    total, waited, handled = (metrics.value(f"retinue_request_{name}_seconds", "_sum", server="get", route="/worker")
                              for name in ("duration", "queue", "handler"))
    assert waited + handled <= total
    server = read_json(running)
    assert server.at("get", "duration_us.count") == 7 and server.at("get", "queue_us.count") == 4
    route = server.route("get", "/worker")
    assert route["requests"]["total"] == route["requests"]["2xx"] == 4
    times = route["duration_us"]
    assert sum(count for _, count in times["buckets"]) == times["count"] == 4
    assert times["p50"] <= times["p90"] <= times["p99"] <= times["p999"] <= times["max"] == times["buckets"][-1][0]
    assert times["sum"] == round(total * 1e6)


def test_pipelined_replies_end_together(daemon):
    """They leave in one piece: the quick ones have waited for the slow one among them, before and behind it."""
    running = daemon(config(HTTP + "      - {path: /slow, module: slow, handler: loop, options: {sleep: 100ms}}\n"))
    targets = ["/loop", "/loop", "/slow", "/loop"]
    with running.raw(server="get") as raw:
        raw.send("".join(f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n" for target in targets))
        assert [raw.response().status for _ in targets] == [200] * len(targets)
    metrics = read(running)
    for route, count in (("/loop", 3), ("/slow", 1)):
        labels = {"server": "get", "route": route}
        assert metrics.value("retinue_request_duration_seconds", "_count", **labels) == count
        assert metrics.value("retinue_request_duration_seconds", "_sum", **labels) >= 0.1 * count


def test_slow_handlers_are_seen(daemon):
    """The handler's time is in the handler's histogram, the time of those behind it in that of the queue."""
    running = daemon(config("""
  get:
    listen: 127.0.0.1:0
    threads: 1
    routes: [{path: /slow, module: slow, handler: slow, options: {sleep: 200ms}}]
"""))
    clients = [running.raw("get") for _ in range(3)]
    with halted(running):
        for raw in clients:
            send_get(raw, "/slow")
    for raw in clients:
        assert raw.response().status == 200
        raw.close()
    metrics = wait_for(running, "retinue_requests_total", 3, server="get", route="/slow", status="2xx")
    labels = {"server": "get", "route": "/slow"}
    assert metrics.value("retinue_request_handler_seconds", "_bucket", le="0.131072", **labels) == 0
    assert metrics.value("retinue_request_handler_seconds", "_sum", **labels) >= 0.6
    assert metrics.value("retinue_request_queue_seconds", "_sum", **labels) >= 0.2
    assert metrics.value("retinue_pool_tasks_total", server="get", lane="clients") == 3


def test_bytes_and_states_of_connections(daemon):
    running = daemon(config(HTTP))
    with running.raw(server="get") as first, running.raw(server="get") as second:
        request = b"GET /loop HTTP/1.1\r\nHost: a\r\n\r\n"
        first.send(request)
        response = first.response()
        second.send(b"GET /lo")
        metrics = wait_for(running, "retinue_connections", 2, server="get", state="idle")
        assert metrics.value("retinue_connections_accepted_total", server="get") == 2
        metrics = wait_for(running, "retinue_received_bytes_total", len(request) + 7, server="get")
        head = f"HTTP/1.1 {response.status} {response.reason}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in response.headers) + "\r\n"
        assert metrics.value("retinue_sent_bytes_total", server="get") == len(head) + len(response.body)
    metrics = wait_for(running, "retinue_connections_closed_total", 1, server="get", cause="client")
    metrics = wait_for(running, "retinue_connections_closed_total", 1, server="get", cause="lost")
    assert metrics.value("retinue_connections", server="get", state="idle") == 0


@pytest.mark.parametrize("row", ["loop", "parallel"])
def test_an_active_request_is_seen_and_one_that_is_left_is_aborted(daemon, row):
    running = daemon(config(f"""
  get:
    listen: 127.0.0.1:0
    routes:
      - {{path: /wait, module: later, handler: wait-{row}}}
      - {{path: /fire, module: later, handler: fire}}
"""))
    with running.raw(server="get") as raw:
        send_get(raw, "/wait")
        metrics = wait_for(running, "retinue_requests_active", 1, server="get")
        assert metrics.value("retinue_connections", server="get", state="active") == 1
    metrics = wait_for(running, "retinue_requests_total", 1, server="get", route="/wait", status="aborted")
    assert metrics.value("retinue_requests_active", server="get") == 0
    assert metrics.value("retinue_connections_closed_total", server="get", cause="lost") == 1
    assert metrics.value("retinue_request_duration_seconds", "_count", server="get", route="/wait") == 0


def test_websockets_are_counted(daemon):
    running = daemon(config("""
  ws:
    listen: 127.0.0.1:0
    routes: [{path: /echo, module: metrics_probe, handler: echo}]
"""))
    with ws_talk.connect(running, "/echo", server="ws") as one, ws_talk.connect(running, "/echo", server="ws") as two:
        for end, text in ((one, "hello"), (one, "you"), (two, "all")):
            end.text(text)
            assert end.message() == text
        metrics = read(running)
        assert metrics.value("retinue_connections", server="ws", state="websocket") == 2
        assert metrics.value("retinue_connections", server="ws", state="idle") == 0
        assert metrics.value("retinue_websocket_received_messages_total", server="ws") == 3
        assert metrics.value("retinue_websocket_received_bytes_total", server="ws") == 11
        assert metrics.value("retinue_websocket_sent_messages_total", server="ws") == 3
        assert metrics.value("retinue_websocket_sent_bytes_total", server="ws") == 11
        assert metrics.value("retinue_requests_total", server="ws", route="/echo", status="1xx") == 2
        one.close_and_wait(1000)
    wait_for(running, "retinue_connections", 0, server="ws", state="websocket")


def test_lines_are_counted(daemon):
    running = daemon(config("""
  lines:
    protocol: line
    listen: 127.0.0.1:0
    limits: {line: 1KiB}
    long_lines: drop
    modules: [{module: metrics_probe, handler: echo}]
"""))
    with running.raw(server="lines") as raw:
        raw.send(b"one\r\nthree\r\n" + b"x" * 2000 + b"\r\n")
        while raw.buffer.count(b"\n") < 3:
            assert raw._fill()
        metrics = read(running)
        assert metrics.value("retinue_connections", server="lines", state="line") == 1
        assert metrics.value("retinue_line_received_lines_total", server="lines") == 2
        assert metrics.value("retinue_line_received_bytes_total", server="lines") == 8
        assert metrics.value("retinue_line_long_lines_total", server="lines") == 1
        assert metrics.value("retinue_line_sent_lines_total", server="lines") == 3
        assert metrics.value("retinue_line_sent_bytes_total", server="lines") == len(raw.buffer.replace(b"\r\n", b""))
    wait_for(running, "retinue_connections", 0, server="lines", state="line")


def test_messages_are_counted(daemon):
    running = daemon(config("""
  get:
    listen: 127.0.0.1:0
    routes: [{path: /send, module: metrics_probe, handler: send}]
"""))
    taken = sum(int(running.get("/send?n=200", server="get").text) for _ in range(5))
    metrics = wait_for(running, "retinue_hub_taken_messages_total", taken, type="metrics_text")
    assert metrics.value("retinue_hub_sent_messages_total", type="metrics_text") == taken
    assert metrics.value("retinue_hub_refused_messages_total", type="metrics_text") == 1000 - taken
    assert metrics.value("retinue_hub_capacity", server="jobs") == 4
    wait_for(running, "retinue_hub_waiting", 0, server="jobs")


def test_refused_clients_are_counted(daemon):
    running = daemon(config("""
  get:
    listen: 127.0.0.1:0
    limits: {connections_per_client: 1}
    routes: [{path: /, module: metrics_probe, handler: loop}]
"""))
    with running.raw(server="get") as raw:
        assert raw.request().status == 200
        with running.raw(server="get") as other:
            assert other.response().status == 429
        metrics = wait_for(running, "retinue_requests_total", 1, server="get", route="none", status="4xx")
        assert metrics.value("retinue_connections_refused_total", server="get") == 1


def test_both_texts_agree(daemon):
    """Whatever server, route and class: the same number. And others read the text as we do."""
    running = daemon(config(HTTP))
    with running.raw(server="get") as raw:
        for target in ("/loop", "/worker", "/gone", "/none"):
            raw.request(target=target)
    metrics = wait_for(running, "retinue_connections_closed_total", 1, server="get", cause="client")
    servers = read_json(running)
    for labels in metrics.labels("retinue_requests_total"):
        if labels["server"] == "get":
            assert servers.route("get", labels["route"])["requests"][labels["status"]] == \
                metrics.value("retinue_requests_total", **labels), labels
    assert servers.at("get", "bytes.in") == metrics.value("retinue_received_bytes_total", server="get")
    assert servers.at("get", "pool.max") == metrics.value("retinue_pool_threads_max", server="get")
    assert servers.at("get", "up") == 1 and servers.at("jobs", "hub.capacity") == 4
    assert servers.all["process"]["pid"] == running.pid
    families = {family.name: family for family in text_string_to_metric_families(metrics.text)}
    for name, family in metrics.families.items():
        theirs = families[name.removesuffix("_total") if family.kind == "counter" else name]
        assert (theirs.type, theirs.documentation) == (family.kind, family.help)
        samples = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in theirs.samples}
        assert samples == family.samples


def test_the_process_is_told(daemon):
    running = daemon(config(HTTP))
    metrics = read(running)
    assert metrics.value("retinue_build_info", version=harness.run("--version").stdout.split()[1]) == 1
    assert 0 < metrics.value("process_open_fds") < metrics.value("process_max_fds")
    assert metrics.value("process_threads") >= 4
    assert metrics.value("process_resident_memory_bytes") > 1 << 20
    assert running.get("/wrong", server="stat").text == "-22"


def test_only_servers_are_shown_as_servers(daemon):
    """Threads of the daemon itself count for none."""
    running = daemon(config(HTTP))
    assert set(re.findall(r'[{,]server="([^"]*)"', running.get("/metrics", server="stat").text)) == {"get", "stat", "jobs"}
    assert {server["name"] for server in json.loads(running.get("/status.json", server="stat").text)["servers"]} == {"get", "stat", "jobs"}


def test_a_server_that_was_stopped_keeps_its_counts(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    routes: [{path: /, module: metrics_probe, handler: loop}]
  control:
    listen: 127.0.0.1:0
    routes: [{path: "/control/{what}/{server}", module: control, handler: loop, options: {name: control}}]
""" + CONFIG.lstrip("\n")))
    assert running.get("/", server="get").status == 200
    assert read(running).value("retinue_server_up", server="get") == 1
    running.get("/control/stop/get", server="control")
    running.log_wait('server "get": .*stopped')
    metrics = wait_until(lambda: (lambda metrics: {"server": "get"} not in metrics.labels("retinue_server_up") and metrics)(
        read(running)), "the server is gone")
    assert metrics.value("retinue_requests_total", server="get", route="/", status="2xx") == 1


def test_counts_go_on_over_a_reload(daemon):
    """Routes that come, go and come back keep their series; metrics of modules go with their last instance."""
    servers = """
  get:
    listen: 127.0.0.1:0
    threads: {threads}
    routes:
      - {{path: /loop, module: metrics_probe, handler: loop, options: {{label: stays}}}}
{more}
"""
    more = "      - {path: /more, module: metrics_probe, handler: order, options: {label: more}}"
    with_more, without = (config(servers.format(threads=threads, more=text)) for threads, text in ((3, more), (4, "")))
    running = daemon(with_more)
    orders = {"server": "get", "module": "metrics_probe", "where": "more"}
    assert running.get("/loop", server="get").status == 200
    assert running.get("/more?n=4&times=1", server="get").status == 204
    metrics = wait_for(running, "retinue_requests_total", 1, server="get", route="/more", status="2xx")
    assert metrics.value("probe_orders_total", **orders) == 4
    assert metrics.value("retinue_generation") == metrics.value("retinue_generations") == 1
    reload(running, without)
    metrics = wait_for(running, "retinue_generation", 2)
    assert metrics.value("retinue_reloads_total", result="good") == 1
    assert running.get("/more", server="get").status == 404
    metrics = wait_for(running, "retinue_requests_total", 1, server="get", route="none", status="4xx")
    assert metrics.value("retinue_requests_total", server="get", route="/more", status="2xx") == 1
    wait_until(lambda: orders not in read(running).labels("probe_orders_total"), "the metric has gone with its instance")
    refused(running, with_more.replace("handler: loop", "handler: lop"))
    assert wait_for(running, "retinue_reloads_total", 1, result="bad").value("retinue_generation") == 2
    reload(running, with_more)
    metrics = wait_for(running, "retinue_generation", 3)
    assert metrics.value("probe_orders_total", **orders) == 0
    assert orders in metrics.labels("probe_orders_total")
    assert metrics.value("retinue_requests_total", server="get", route="/loop", status="2xx") == 1
    labels = [labels for labels in metrics.labels("retinue_requests_total") if labels["server"] == "get"]
    assert sorted({labels["route"] for labels in labels}) == ["/loop", "/more", "none"]


def test_the_manual_lists_all_series():
    rows = (harness.ROOT / "src" / "stats" / "rows.c").read_text(encoding="utf-8")
    text = (harness.ROOT / "src" / "stats" / "prometheus.c").read_text(encoding="utf-8")
    families = set(re.findall(r'"((?:retinue|process)_[a-z_0-9]+)"', rows + text))
    assert len(families) > 50
    manual = (harness.ROOT / "man" / "retinued.8").read_text(encoding="utf-8")
    listed = {name for line in re.findall(r"^\.It Ic (.+)$", manual, re.M) for name in line.split(" , ")}
    assert listed == families


# Metrics of modules

PROBES = """
  get:
    listen: 127.0.0.1:0
    routes:
      - {path: /a, module: metrics_probe, handler: order, options: {label: a}}
      - {path: /a-loop, module: metrics_probe, handler: order-loop, options: {label: a}}
      - {path: /b, module: metrics_probe, handler: order, options: {label: 'b"\\'}}
      - {path: /rooms, module: metrics_probe, handler: rooms, options: {label: a}}
"""


def test_instances_share_a_series_and_all_threads_count(daemon):
    running = daemon(config(PROBES))
    paths = ["/a?n=2&times=500", "/a-loop?n=3&times=500", "/a?n=5&times=500&own=1", "/b?n=7&times=3"]
    threads = [threading.Thread(target=running.get, args=(path, "get")) for path in paths * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = read(running)
    own = {"server": "get", "module": "metrics_probe"}
    assert metrics.value("probe_orders_total", where="a", **own) == 10000
    assert metrics.value("probe_rooms", where="a", **own) == 10000
    assert metrics.value("probe_orders_total", where='b"\\', **own) == 42
    assert metrics.value("probe_sizes", "_count", **own) == 3006
    assert metrics.value("probe_sizes", "_sum", **own) == 10042
    assert metrics.value("probe_sizes", "_bucket", le="4", **own) == 2000
    assert metrics.value("probe_wait_seconds", "_sum", **own) == 0.010042
    assert metrics.families["probe_rooms"].help == 'Rooms \\ "now".'
    running.get("/rooms?n=-4", server="get")
    assert read(running).value("probe_rooms", where="a", **own) == -4
    found = {metric["name"]: metric for metric in read_json(running).all["metrics"]
             if metric["labels"].get("server") == "get" and metric["labels"].get("where") != 'b"\\'}
    assert found["probe_rooms"]["value"] == -4 and found["probe_rooms"]["kind"] == "gauge"
    assert found["probe_wait_seconds"]["histogram"]["sum"] == 10042


@pytest.mark.parametrize("options, problem", [
    ('name: "a-b_total"', 'metric "a-b_total": a name has letters, digits'),
    ("name: orders", 'metric "orders": names of counters, and of nothing else, end with "_total"'),
    ("name: x_total, kind: 2", 'metric "x_total": names of counters, and of nothing else'),
    ("name: x, kind: 4", 'names of durations end with "_seconds"'),
    ("name: x, kind: 5", "there is no such kind"),
    ("name: x, kind: 0", "there is no such kind"),
    ("name: retinue_x, kind: 2", 'names that begin with "retinue_"'),
    ("name: x_sum, kind: 2", "are parts of others"),
    ('name: x, kind: 2, help: ""', "it needs a help text"),
    ("name: x, kind: 2, key: server", "it has a label twice"),
    ("name: x, kind: 2, key: le", 'labels "le" and "quantile"'),
    ("name: x, kind: 2, key: 1a", "the name of a label"),
    ("name: probe_rooms, kind: 3", "there is one of that name with another kind or help text"),
])
def test_wrong_declarations_are_errors_at_their_place(tmp_path, options, problem):
    path = tmp_path / "retinued.yaml"
    path.write_text(config(f"""
  get:
    listen: 127.0.0.1:{harness.free_port()}
    routes:
      - {{path: /, module: metrics_probe, handler: order, options: {{{options}}}}}
"""), encoding="utf-8")
    result = harness.run("-n", "-c", str(path))
    assert result.returncode == 1
    assert f'{path}:6:' in result.stderr and 'error: server "get": route "/": module "metrics_probe": ' in result.stderr, result.stderr
    assert problem in result.stderr, result.stderr
