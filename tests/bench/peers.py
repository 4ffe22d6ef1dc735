"""The servers that ours is compared with, each with one process that serves, without access logs and without an end to
connections. "/" is the same greeting, "/file.bin" the same file; "/echo" only where a server can do it.

The floor is ours: a loop of epoll with fixed replies, which is what the kernel costs, and what nobody can go below.
"""
import pathlib
import re

from server import Server, free_port, make_folder

SITE = "site"  # a folder
FILE_SIZE = 102400


def make_site(folder):
    folder.mkdir(exist_ok=True)
    (folder / "file.bin").write_bytes(bytes(range(256)) * (FILE_SIZE // 256))
    (folder / "hello.txt").write_text("hello world\n")


class Floor(Server):
    def __init__(self, bench, wrap=()):
        port = free_port()
        super().__init__([bench.own / "floor", port, bench.own / SITE / "file.bin"], port, wrap=wrap)


class Peer(Server):
    """A server from a package. `config` tells it what to do, with PORT, SITE and a FOLDER of its own."""

    config = ""
    words = ()  # of its command; the path of the configuration follows

    def __init__(self, bench, wrap=()):
        port, folder = free_port(), make_folder()
        path = pathlib.Path(folder.name) / "config"
        words = {"PORT": str(port), "SITE": str(bench.own / SITE), "FOLDER": folder.name}
        path.write_text(re.sub("|".join(words), lambda match: words[match[0]], self.config))
        super().__init__([*self.words, path], port, folder, wrap)


class Nginx(Peer):
    config = """
daemon off;
worker_processes 1;
pid FOLDER/pid;
error_log stderr error;
events { worker_connections 20000; }
http {
    access_log off;
    default_type text/plain;
    keepalive_requests 1000000000;
    keepalive_timeout 1h;
    sendfile on;
    tcp_nopush on;
    open_file_cache max=100;
    client_body_temp_path FOLDER/body;
    proxy_temp_path FOLDER/proxy;
    fastcgi_temp_path FOLDER/fastcgi;
    uwsgi_temp_path FOLDER/uwsgi;
    scgi_temp_path FOLDER/scgi;
    server {
        listen 127.0.0.1:PORT backlog=4096;
        root SITE;
        location = / { return 200 "hello world\\n"; }
    }
}
"""
    words = ("nginx", "-e", "stderr", "-c")


class H2o(Peer):
    """It has no fixed replies but those of Ruby: the greeting is a file."""

    config = """
num-threads: 1
max-connections: 20000
http1-request-timeout: 3600
listen: {host: 127.0.0.1, port: PORT}
file.index: [hello.txt]
hosts:
  default:
    paths:
      "/": {file.dir: SITE}
"""
    words = ("h2o", "-m", "worker", "-c")


class Lighttpd(Peer):
    """It has no fixed replies: the greeting is a file."""

    config = """
server.bind = "127.0.0.1"
server.port = PORT
server.document-root = "SITE"
server.event-handler = "linux-sysepoll"
server.network-backend = "sendfile"
server.max-fds = 20000
server.max-connections = 20000
server.max-keep-alive-requests = 65535
server.max-keep-alive-idle = 3600
server.listen-backlog = 4096
index-file.names = ("hello.txt")
mimetype.assign = (".txt" => "text/plain", ".bin" => "application/octet-stream")
"""
    words = ("lighttpd", "-D", "-f")


PEERS = {"nginx": Nginx, "h2o": H2o, "lighttpd": Lighttpd}
