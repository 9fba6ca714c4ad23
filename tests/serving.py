"""A service under test: what its test programs share. Their arguments begin with PROGRAM CLOCK FOLDER."""
import atexit
import http.client
import json
import pathlib
import signal
import socket
import subprocess
import sys
import time

PROGRAM, CLOCK, FOLDER = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
PATIENCE = 300  # seconds that a busy machine may take for an answer
ROW = [.1, .2, .3, .4, .5, .6, .7, .8, .9, .5]
passed = 0


def check(what, fine):
    global passed
    if not fine:
        print(f"not so: {what}")
        sys.exit(1)
    passed += 1


def passing(command, sockets):
    """The command as systemd starts it with sockets, and the descriptors that it is to be handed."""
    if not sockets:
        return command, []
    start = "import os, sys; n = int(sys.argv[1]); [os.dup2(int(sys.argv[2 + i]), 3 + i) for i in range(n)]; " \
        "os.execve(sys.argv[2 + n], sys.argv[2 + n:], os.environ | {'LISTEN_PID': str(os.getpid()), 'LISTEN_FDS': str(n)})"
    descriptors = [s.fileno() for s in sockets]
    return [sys.executable, "-c", start, str(len(sockets)), *map(str, descriptors), *command], descriptors


class Serving:
    """The program with a model behind it."""

    def __init__(self, model, *options, passed=None, **more):
        port = [] if "--socket" in options or passed else ["--port", "0"]
        command, handed = passing([PROGRAM, "serve", *port, *options, model], [passed] if passed else [])
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=handed, **more)
        atexit.register(self.process.kill)  # a check that fails leaves none behind
        self.told = self.process.stdout.readline().removeprefix("listening on ").rstrip()
        self.port = None if self.told.startswith("unix:") else int(self.told.rsplit(":", 1)[1])
        self.connection = self.connect()

    def connect(self, address="127.0.0.1"):
        """A client's connection; to the file where there is no port."""
        connection = http.client.HTTPConnection(address, self.port, timeout=PATIENCE)
        if self.port is None:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.connect(self.told.removeprefix("unix:").replace("@", "\0"))  # @: it has no file
        return connection

    def ask(self, method, path, body=None, headers=None, connection=None):
        connection = connection or self.connection
        text = body if body is None or isinstance(body, (bytes, str)) else json.dumps(body)
        connection.request(method, path, text, headers or {})
        answer = connection.getresponse()
        data = answer.read()
        return answer.status, json.loads(data) if "json" in answer.headers["Content-Type"] else data.decode()

    def post(self, path, body, **more):
        return self.ask("POST", path, body, **more)

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


def until(what, holds):
    """Waits for a condition."""
    end = time.monotonic() + PATIENCE
    while not holds() and time.monotonic() < end:
        time.sleep(.01)
    check(what, holds())


def train(name, expression, stream):
    path = str(FOLDER / name)
    subprocess.run([PROGRAM, "train", "-l", expression, "-o", path, stream], check=True, capture_output=True)
    return path


def stream():
    """A table of 2,000 samples, in the folder."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = str(FOLDER / "stream.csv")
    subprocess.run([PROGRAM, "generate", "friedman", "-n", "2000", "--seed", "1", "-o", path], check=True)
    return path


def passes(of):
    print(f"{passed} checks of {of}")
