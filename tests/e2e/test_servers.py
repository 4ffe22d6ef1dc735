"""Named servers side by side: they do not hold each other up, and their pools keep the promises of their keys."""
from concurrent.futures import ThreadPoolExecutor

from bounds import SLOW
from common import Gate, fields, send_get, wait_until, with_test_modules

TWO_SERVERS = """
  slow:
    listen: 127.0.0.1:0
    threads: {threads}
    queue: {queue}
    routes:
      - {{path: /, module: slow, handler: slow, options: {options}}}
  quick:
    listen: 127.0.0.1:0
    loops: 2
    threads: 3
    routes:
      - {{path: /loop, module: inspect, handler: loop}}
      - {{path: /worker, module: inspect, handler: worker}}
"""


def worker_count(running, server):
    return sum(name.startswith(f"{server}/worker-") for name in running.threads())


def answer_quickly(running, count):
    with running.raw("quick") as raw:
        for i in range(count):
            response = raw.request(target="/loop" if i % 2 else "/worker")
            assert response.status == 200
            assert f"thread quick/{'loop' if i % 2 else 'worker'}-" in response.text


def test_a_slow_handler_delays_no_other_server(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(with_test_modules(TWO_SERVERS.format(threads=1, queue=16, options=f'{{until: "{gate}"}}')))
    with running.raw("slow") as slow:
        slow.socket.settimeout(30 * SLOW)
        send_get(slow)
        running.log_wait("slow: begins")
        answer_quickly(running, 200)
        assert slow.silent(0.01)
        gate.open()
        assert fields(slow.response().text)["inside"] == "1"


def test_a_server_with_all_workers_stuck_and_a_full_queue_delays_no_other(daemon):
    text = TWO_SERVERS.format(threads=2, queue=2, options="{sleep: 10m, block: true}")
    running = daemon(with_test_modules(text))
    stuck = [running.raw("slow") for _ in range(5)]
    for n, raw in enumerate(stuck[:2]):
        send_get(raw)
        running.log_wait("slow: begins", count=n + 1)
    for raw in stuck[2:]:
        send_get(raw)
    refused = wait_until(lambda: [raw for raw in stuck if not raw.silent(0.01)], "the answer that the queue is full")
    assert len(refused) == 1
    response = refused[0].response()
    assert response.status == 503 and response.get("Retry-After") == "1"
    answer_quickly(running, 100)
    assert all(raw.silent(0.001) for raw in stuck if raw is not refused[0])
    assert running.stop() == 0


def all_at_once(running, count, gate=None):
    """Sends `count` requests on as many connections, then reads the responses; the gate opens when all handlers run."""
    raws = [running.raw() for _ in range(count)]
    for raw in raws:
        raw.socket.settimeout(30 * SLOW)
        send_get(raw)
    if gate:
        running.log_wait("slow: begins", count=count)
        gate.open()
    results = [fields(raw.response().text) for raw in raws]
    for raw in raws:
        raw.close()
    return results


def pool(options, module="slow"):
    return with_test_modules(f"""
  get:
    listen: 127.0.0.1:0
    threads: 16
    active_threads: 2
    routes:
      - {{path: /, module: {module}, handler: {module}, options: {options}}}
""")


def test_sixteen_blocked_handlers_run_at_once_with_two_active_threads(daemon, tmp_path):
    gate = Gate(tmp_path)
    running = daemon(pool(f'{{until: "{gate}", block: true}}'))
    results = all_at_once(running, 16, gate)
    assert sorted(int(result["inside"]) for result in results) == list(range(1, 17))
    assert {result["thread"] for result in results} == {f"get/worker-{n}" for n in range(16)}


def test_handlers_that_do_not_block_keep_to_the_active_threads(daemon):
    running = daemon(pool("{sleep: 20ms}"))
    results = all_at_once(running, 24)
    assert max(int(result["most"]) for result in results) == 2


def test_calls_of_a_serial_module_never_overlap(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    loops: 2
    threads: 8
    routes:
      - {path: /a, module: serial, options: {hold: 2ms}}
      - {path: /b, module: serial, options: {hold: 2ms}}
"""))

    def hammer(n):
        with running.raw() as raw:
            return [fields(raw.request(target=("/a", "/b")[n % 2]).text) for _ in range(10)]

    with ThreadPoolExecutor(8) as threads:
        results = [result for results in threads.map(hammer, range(8)) for result in results]
    assert {result["overlaps"] for result in results} == {"0"}
    # Two routes are two instances: each has counted its own calls.
    assert sorted(int(result["calls"]) for result in results) == sorted(2 * list(range(1, 41)))


NO_WORKERS = """
  get:
    listen: 127.0.0.1:0
    threads: 0
    routes:
      - {path: /loop, module: inspect, handler: loop}
"""


def test_threads_0_serves_loop_handlers(daemon):
    running = daemon(with_test_modules(NO_WORKERS))
    assert "thread get/loop-0" in running.get("/loop").text
    assert worker_count(running, "get") == 0


def test_threads_0_with_a_worker_handler_is_an_error(retinued):
    text = with_test_modules(NO_WORKERS + "      - {path: /worker, module: inspect, handler: worker}\n")
    for args in ((), ("-n",)):
        result = retinued(*args, text=text)
        assert result.returncode == 1
        assert "retinued.yaml:8:51: error: " in result.stderr
        assert 'handler "worker" of module "inspect" runs on workers' in result.stderr


def test_connections_spread_over_the_loops(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: [127.0.0.1:0, "unix:{tmp}/get.sock"]
    loops: 3
    threads: 0
    routes:
      - {path: /, module: inspect, handler: loop}
"""))
    raws = [running.raw() for _ in range(90)]
    threads = {line for raw in raws for line in raw.request().text.splitlines() if line.startswith("thread ")}
    assert threads == {f"thread get/loop-{n}" for n in range(3)}
    assert "thread get/loop-" in running.get(n=1).text
    for raw in raws:
        raw.close()


def test_threads_have_names(daemon):
    running = daemon(with_test_modules("""
  get:
    listen: 127.0.0.1:0
    loops: 2
    routes: [{path: /, module: slow, handler: slow, options: {sleep: 0}}]
  a-server-with-a-long-name:
    listen: 127.0.0.1:0
    routes: [{path: /, module: slow, handler: slow, options: {sleep: 0}}]
"""))
    for server in ("get", "a-server-with-a-long-name"):
        assert running.get(server=server).status == 200
    names = set(running.threads())
    assert {"get/loop-0", "get/loop-1", "get/worker-0"} <= names
    assert {"a-server/loop-0", "a-serv/worker-0"} <= names
    # A sanitizer may run a thread of its own under the process's name.
    ours = [name for name in running.threads() if name != "retinued"]
    assert len(names - {"retinued"}) == len(ours), "two threads of the same name"
