#!/usr/bin/python3
"""The package in a system that has booted: runs there as a service of its own, without network. Each test_ function is a test;
the last line counts them.

    booted.py [NAME ...]     all tests, or those named
"""
import glob
import os
import signal
import sys
import time
import traceback

from manager import (CONFIG, UNIT, configure, drop_in, fails, journal, journal_mark, main_pid, messages, read, restart, run,
                     shown, stop, systemctl, wait_until, write)
from talk import Load, connect, get, is_refused, receive, send

WEB = ("127.0.0.1", 8080)
WEB6 = ("::1", 8080)
UNIX = "/run/retinue/web.sock"
OTHER = ("127.0.0.1", 8081)

SERVERS = """
  web:
    listen: ["127.0.0.1:8080", "[::1]:8080", "unix:/run/retinue/web.sock"]
    loops: 2
    routes: [{path: /, module: hello}]
  other:
    listen: 127.0.0.1:8081
    routes: [{path: /, module: hello}]
"""


def only(text, address="127.0.0.1:8080", more=""):
    """One server that answers with `text`."""
    return f'  web:\n    listen: "{address}"\n{more}    routes: [{{path: /, module: hello, options: {{text: {text}}}}}]\n'


# The package


def test_installing_the_package_starts_the_service():
    run("dpkg", "-i", *glob.glob("/packages/retinue_*.deb"), bound=300)
    assert systemctl("is-active", UNIT).strip() == "active"
    assert systemctl("is-enabled", UNIT).strip() == "enabled"
    status, body = get(WEB)
    assert status == 200 and "hello" in body, body
    assert run("stat", "-c", "%U", f"/proc/{main_pid()}").strip() == "retinue"
    assert is_refused(("127.0.0.1", 80)) and shown("ActiveState", "retinued.socket") == "inactive"


def test_status_says_what_is_served():
    configure(SERVERS)
    restart()
    assert shown("Type") == "notify"
    assert shown("StatusText") == "serving web 127.0.0.1:8080 [::1]:8080 unix:/run/retinue/web.sock, other 127.0.0.1:8081"
    assert "serving web" in systemctl("status", UNIT)


def test_lines_in_the_journal_have_fields():
    configure(only("a", more="    log_level: debug\n"))
    mark = journal_mark()
    restart()
    assert get(WEB)[0] == 200
    wait_until(lambda: "GET / HTTP/1.1" in messages(mark), "an access line in the journal")
    entry = journal(mark)[-1]
    assert entry["RETINUE_SERVER"] == "web", entry
    assert entry["SYSLOG_IDENTIFIER"] == "retinued" and entry["PRIORITY"] == "7", entry
    assert entry["RETINUE_THREAD"].endswith("loop-0"), entry
    assert entry["_SYSTEMD_UNIT"] == UNIT and int(entry["_PID"]) == main_pid(), entry


def test_a_start_with_mistakes_fails_with_their_places():
    stop()
    configure(only("a").replace("routes", "rutes"))
    mark = journal_mark()
    fails("systemctl", "start", UNIT)
    wait_until(lambda: shown("ActiveState") == "failed", "the unit to give up")
    assert f'{CONFIG}:6:5: error: server "web": unknown key "rutes"' in messages(mark), messages(mark)
    assert is_refused(WEB)


# Reload


def test_a_reload_changes_what_is_served():
    configure(only("before"))
    restart()
    pid = main_pid()
    assert "before" in get(WEB)[1]
    configure(only("after"))
    systemctl("reload", UNIT)
    assert "after" in get(WEB)[1]
    assert main_pid() == pid and shown("ActiveState") == "active" and shown("SubState") == "running"
    assert shown("StatusText").startswith("serving web 127.0.0.1:8080")


def test_a_bad_reload_fails_says_why_and_changes_nothing():
    configure(only("good"))
    restart()
    pid = main_pid()
    configure(only("bad").replace("module: hello", "module: missing"))
    mark = journal_mark()
    fails("systemctl", "reload", UNIT)
    assert f"{CONFIG}:6:" in messages(mark) and "missing" in messages(mark), messages(mark)
    assert f"{CONFIG}:6:" in fails("retinuectl", "reload")
    assert "good" in get(WEB)[1] and main_pid() == pid
    assert shown("ActiveState") == "active" and shown("SubState") == "running"
    configure(only("mended"))
    systemctl("reload", UNIT)
    assert "mended" in get(WEB)[1]


# Listening sockets


def kept_sockets():
    return int(shown("NFileDescriptorStore"))


def kill_and_wait():
    """SIGKILL, and until the next daemon is ready."""
    pid = main_pid()
    systemctl("reset-failed")
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: main_pid() not in (0, pid) and shown("ActiveState") == "active", "the next daemon")


def test_kill_9_under_load_refuses_nobody():
    stop()
    configure(SERVERS)
    restart()
    assert kept_sockets() == 6  # TCP addresses have a socket for each of two loops
    with Load(WEB, WEB6, UNIX, OTHER) as load:
        for _ in range(3):
            kill_and_wait()
            load.wait_for_more()
    assert kept_sockets() == 6
    print(f"  {sum(load.good.values())} replies, {load.broken} connections broken by the kill")


def test_a_restart_under_load_refuses_nobody():
    configure(SERVERS)
    restart()
    with Load(WEB, WEB6, UNIX, OTHER) as load:
        for loops in (1, 3, 2):
            configure(SERVERS.replace("loops: 2", f"loops: {loops}"))
            pid = main_pid()
            restart()
            assert main_pid() != pid
            load.wait_for_more()
    print(f"  {sum(load.good.values())} replies, {load.broken} idle connections closed")


def test_an_upgrade_under_load_refuses_nobody():
    configure(SERVERS)
    restart()
    pid = main_pid()
    with Load(WEB, UNIX) as load:
        run("dpkg", "--force-confold", "-i", *glob.glob("/packages/retinue_*.deb"), bound=300)
        assert main_pid() != pid
        load.wait_for_more()


def test_addresses_of_another_configuration_are_given_up():
    configure(SERVERS)
    restart()
    configure(only("new", "127.0.0.1:8082"))
    restart()
    assert "new" in get(("127.0.0.1", 8082))[1]
    assert is_refused(WEB) and is_refused(WEB6) and is_refused(UNIX) and is_refused(OTHER)
    wait_until(lambda: kept_sockets() == 1, "the store to hold one socket")
    configure(only("all", "8082"))  # in the way of which is the one that is kept
    restart()
    assert "all" in get(("127.0.0.1", 8082))[1] and "all" in get(("::1", 8082))[1]


def test_addresses_that_a_reload_drops_are_given_up():
    stop()
    configure(SERVERS)
    restart()
    configure(only("one"))
    systemctl("reload", UNIT)
    assert "one" in get(WEB)[1]
    wait_until(lambda: is_refused(WEB6) and is_refused(UNIX) and is_refused(OTHER), "the other addresses to be refused")
    wait_until(lambda: kept_sockets() == 2, "the store to hold the sockets of one address")
    configure(SERVERS)
    systemctl("reload", UNIT)
    wait_until(lambda: kept_sockets() == 6, "the store to hold all sockets again")
    with Load(WEB, WEB6, UNIX, OTHER) as load:
        kill_and_wait()
        load.wait_for_more()


def test_a_stop_leaves_nothing_behind():
    configure(SERVERS)
    restart()
    stop()
    assert shown("ActiveState") == "inactive" and shown("Result") == "success" and kept_sockets() == 0
    assert is_refused(WEB) and is_refused(WEB6) and is_refused(OTHER)
    assert not os.path.exists("/run/retinue")
    assert not [pid for pid in os.listdir("/proc") if pid.isdigit() and "/usr/sbin/retinued" in command_of(pid)]


def command_of(pid):
    try:
        return read(f"/proc/{pid}/cmdline")
    except OSError:
        return ""


def test_sockets_of_the_service_manager_are_taken_by_name():
    stop()
    drop_in("[Socket]\nListenStream=\nListenStream=127.0.0.1:8090\nListenStream=[::1]:8090\nListenStream=/run/activated.sock\n",
            "retinued.socket")
    write("/etc/systemd/system/retinued-admin.socket",
          "[Socket]\nListenStream=127.0.0.1:8091\nFileDescriptorName=admin\nService=retinued.service\n")
    configure(only("web", "systemd:http") + only("admin", "systemd:admin").replace("web:", "admin:", 1))
    systemctl("daemon-reload")
    systemctl("start", "retinued.socket", "retinued-admin.socket")
    assert shown("ActiveState") == "inactive"
    addresses = [("127.0.0.1", 8090), ("::1", 8090), "/run/activated.sock"]
    assert "web" in get(addresses[0])[1]  # which starts it
    assert all("web" in get(address)[1] for address in addresses) and "admin" in get(("127.0.0.1", 8091))[1]
    with Load(*addresses) as load:
        restart()
        load.wait_for_more()
        kill_and_wait()
        load.wait_for_more()
    assert kept_sockets() == 0  # they are the manager's own
    systemctl("stop", "retinued.socket", "retinued-admin.socket", UNIT)
    assert all(is_refused(address) for address in addresses)


# Limits, and handlers that do not come back


def test_limits_come_from_a_drop_in():
    configure(only("a"))
    example = "/usr/share/doc/retinue/examples/limits.conf"
    drop_in(read(example).replace("LimitNOFILE=262144", "LimitNOFILE=4096"), name="limits.conf")
    restart()
    assert "Max open files            4096                 4096" in read(f"/proc/{main_pid()}/limits")
    assert shown("MemoryMax") == str(2 << 30) and shown("TasksMax") == "512" and shown("WatchdogUSec") == "10s"
    stop()


def slow(options, loops=1):
    return f"""
  web:
    listen: 127.0.0.1:8080
    loops: {loops}
    routes:
      - {{path: /, module: hello}}
      - {{path: /loop, module: slow, handler: loop, options: {options}}}
      - {{path: /slow, module: slow, handler: slow, options: {options}}}
"""


def test_a_watchdog_that_is_fed_does_not_bite():
    drop_in("[Service]\nWatchdogSec=4s\n")
    configure(SERVERS)
    restart()
    pid = main_pid()
    fed = set()
    wait_until(lambda: fed.add(shown("WatchdogTimestampMonotonic")) or len(fed) > 3, "three more signs of life")
    assert main_pid() == pid


def test_a_loop_that_is_stuck_is_ended_by_the_watchdog():
    drop_in("[Service]\nWatchdogSec=4s\n")
    configure(slow("{until: /run/retinue/never}") + only("other", "127.0.0.1:8081").replace("web:", "other:", 1))
    restart()
    pid = main_pid()
    mark = journal_mark()
    with connect(WEB) as peer:
        send(peer, "/loop")
        wait_until(lambda: "slow: begins" in messages(mark), "the handler to begin")
        assert "other" in get(OTHER)[1]  # the other server goes on
        wait_until(lambda: shown("StatusText").startswith("no progress: ") or main_pid() != pid, "the status to say so")
        wait_until(lambda: main_pid() not in (0, pid) and shown("ActiveState") == "active", "the next daemon")
    assert "Watchdog timeout" in messages(mark), messages(mark)
    assert "no progress: " in messages(mark), messages(mark)
    assert int(shown("NRestarts")) == 1 and get(WEB)[0] == 200
    stop()


def test_a_stop_may_take_as_long_as_shutdown_timeout():
    drop_in("[Service]\nTimeoutStopSec=1s\n")
    configure(slow("{sleep: 4s}"), "  shutdown_timeout: 60s\n")
    restart()
    mark = journal_mark()
    with connect(WEB) as peer:
        send(peer, "/slow")
        wait_until(lambda: "slow: begins" in messages(mark), "the handler to begin")
        systemctl("stop", UNIT)
        assert receive(peer)[0] == 200
    assert shown("Result") == "success", messages(mark)
    stop()


def test_purging_the_package_leaves_nothing_behind():
    configure(only("a"))
    restart()
    run("dpkg", "--purge", "retinue", bound=300)
    assert is_refused(WEB)
    gone = ("/etc/retinue", "/run/retinue", "/var/log/retinue", "/usr/sbin/retinued", "/lib/systemd/system/" + UNIT)
    assert not [path for path in gone if os.path.exists(path)]


def main():
    tests = [value for name, value in globals().items() if name.startswith("test_")]
    if sys.argv[1:]:
        tests = [test for test in tests if test.__name__ in sys.argv[1:]]
    failed = 0
    for test in tests:
        started = time.monotonic()
        result = "pass"
        try:
            test()
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print(run("journalctl", "--no-pager", "-n", "20", "-u", UNIT, status=None))
            failed += 1
            result = "FAIL"
            stop()
        print(f"{result} {test.__name__} ({time.monotonic() - started:.1f}s)", flush=True)
    print(f"{len(tests) - failed} passed, {failed} failed", flush=True)


main()
