#!/usr/bin/env python3
"""Where a service listens: service_listen_test.py PROGRAM CLOCK FOLDER"""
import fcntl
import os
import pathlib
import signal
import socket
import stat
import subprocess
import tempfile

from serving import PATIENCE, PROGRAM, ROW, Serving, check, passes, passing, stream, train, until


def refused(model, status, words, *options, passed=()):
    command, handed = passing([PROGRAM, "serve", *options, model], passed)
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, pass_fds=handed)
    check(f"{options}: {done.stderr}", done.returncode == status and words in done.stderr and not done.stdout)


def addresses(model):
    for wrong in ("1.2.3", "localhost", "::1::", "[::1", "[127.0.0.1]:80", ""):
        refused(model, 2, f'IPv4 or IPv6 address, not "{wrong}"', "--address", wrong)
    refused(model, 1, "192.0.2.1, port 8080: cannot listen there: Cannot assign", "--address", "192.0.2.1")
    s = Serving(model, "--address", "0.0.0.0")
    check("all of IPv4", s.told == f"http://0.0.0.0:{s.port}" and s.post("/predict", {"x": ROW})[0] == 200)
    s.end()
    try:
        socket.socket(socket.AF_INET6).bind(("::1", 0))
    except OSError as why:
        print(f"skipped: addresses of IPv6: {why}")
        return
    for written in ("::1", "[::1]"):
        s = Serving(model, "--address", written)
        ask = {"connection": s.connect("::1")}
        check("an address of IPv6", s.told == f"http://[::1]:{s.port}" and s.post("/predict", {"x": ROW}, **ask)[0] == 200)
        refused(model, 1, f"::1, port {s.port}: cannot listen there: Address already in use", "--address", "::1", "--port",
                str(s.port))
        s.end()
    s = Serving(model, "--address", "::")
    for address in ("::1", "127.0.0.1"):
        check("all addresses", s.post("/predict", {"x": ROW}, connection=s.connect(address))[0] == 200)
    s.end()


def files(model, folder):
    path = folder / "house.sock"
    s = Serving(model, "--socket", str(path))
    check("a file", s.told == f"unix:{path}" and stat.S_ISSOCK(path.stat().st_mode))
    check("answers", s.post("/predict", {"x": ROW})[0] == 200 and s.ask("GET", "/healthz")[1]["status"] == "ok")
    refused(model, 1, f"{path}: cannot listen there: another process does", "--socket", str(path))
    check("goes on", s.post("/predict", {"x": ROW})[0] == 200)
    check("is removed at the end", s.end() == 0 and not path.exists())
    s = Serving(model, "--socket", str(path), "--socket-mode", "660", umask=0o077)
    check("has the mode that was asked for", stat.S_IMODE(path.stat().st_mode) == 0o660)
    s.end(signal.SIGKILL)
    check("is left by who is killed", path.exists())
    s = Serving(model, "--socket", str(path), umask=0o027)
    check("and taken over", s.post("/predict", {"x": ROW})[0] == 200)
    check("with the umask's mode", stat.S_IMODE(path.stat().st_mode) == 0o750)
    path.unlink()
    path.write_text("another")
    check("another file in its place stays", s.end() == 0 and path.read_text() == "another")
    refused(model, 1, f"{path}: a file that is no socket lies there", "--socket", str(path))
    check("here as well", path.read_text() == "another")
    refused(model, 1, "cannot listen there: No such file", "--socket", str(folder / "none" / "s"))
    refused(model, 2, "path of a file of 1 to 107 bytes", "--socket", str(folder / ("long" * 30)))
    refused(model, 2, "path of a file of 1 to 107 bytes", "--socket", "")
    refused(model, 2, "in the place of --address and --port", "--socket", str(path), "--port", "0")
    refused(model, 2, "is for --socket", "--socket-mode", "660")
    for wrong in ("", "0", "888", "1000", "-1", "rw"):
        refused(model, 2, "octal number", "--socket", str(path), "--socket-mode", wrong)


def together(model, path):
    """Those that start at the same time on a socket that was left: one listens, and it can be reached."""
    command = [PROGRAM, "serve", "--socket", str(path), model]
    for _ in range(10):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        several = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(3)]
        listening = [p for p in several if p.stdout.readline()]
        check(f"one listens, not {len(listening)}", len(listening) == 1)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
        listening[0].terminate()
        told = [p.communicate(timeout=PATIENCE)[1] for p in several if p is not listening[0]]
        check(f"the others say why: {told}", all(t.endswith("another process does\n") for t in told))
        check("all is removed", listening[0].wait(PATIENCE) == 0 and not list(path.parent.glob(path.name + "*")))
    lock = path.with_name(path.name + ".lock")
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused(model, 1, f"{path}: cannot listen there: another process does", "--socket", str(path))
    s = Serving(model, "--socket", str(path))
    check("a lock that was left is none", s.post("/predict", {"x": ROW})[0] == 200 and not lock.exists() and s.end() == 0)


def has_open(process, path):
    names = pathlib.Path(f"/proc/{process.pid}/fd")
    return any(os.path.realpath(name) == str(path) for name in names.iterdir())


def listens_until_its_file_is_removed(model, path):
    """Else a service that starts takes the path for one that a killed service left, and loses its own file."""
    lock = path.with_name(path.name + ".lock")
    s = Serving(model, "--socket", str(path))
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        s.process.terminate()
        until("the service waits for the lock", lambda: has_open(s.process, lock))
        s.connect().close()
    check("all is removed", s.process.wait(PATIENCE) == 0 and not path.exists() and not lock.exists())


def from_systemd(model, path):
    with socket.socket(socket.AF_UNIX) as unix, socket.socket() as ip, socket.socket() as quiet, \
            socket.socket(socket.AF_UNIX) as abstract:
        unix.bind(str(path))
        abstract.bind(f"\0{path.name}.{os.getpid()}")
        ip.bind(("127.0.0.1", 0))
        for passed, name in ((unix, f"unix:{path}"), (ip, f"http://127.0.0.1:{ip.getsockname()[1]}"),
                             (abstract, f"unix:@{path.name}.{os.getpid()}")):
            passed.listen()
            for _ in range(2):  # it goes on listening where a service ends
                early = socket.socket(passed.family)
                early.connect(passed.getsockname())
                early.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
                s = Serving(model, passed=passed)
                check("who asked before the service was there", b" 200 " in early.makefile("rb").readline())
                early.close()
                check("a socket that is passed", s.told == name and s.post("/predict", {"x": ROW})[0] == 200 and s.end() == 0)
        check("its file stays", path.exists())
        refused(model, 2, "LISTEN_FDS passes 2 sockets, and one is served", passed=[ip, unix])
        refused(model, 2, "is no stream socket that listens", passed=[quiet])
        refused(model, 2, "leave out --socket, --address and --port", "--port", "0", passed=[ip])
        others = {**os.environ, "LISTEN_PID": "1", "LISTEN_FDS": "1"}
        s = Serving(model, env=others)
        check("those of another process are not taken", s.port != ip.getsockname()[1] and s.end() == 0)
    path.unlink()


def main():
    model = train("listen.anb", "scale(rls)", stream())
    addresses(model)
    with tempfile.TemporaryDirectory() as folder:  # a path of a socket is short
        folder = pathlib.Path(os.path.realpath(folder))
        files(model, folder)
        together(model, folder / "several.sock")
        listens_until_its_file_is_removed(model, folder / "end.sock")
        from_systemd(model, folder / "passed.sock")
    passes("where it listens")


main()
