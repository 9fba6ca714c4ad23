"""Servers on loopback, a small client of the protocol, and the library through ctypes: what the Redis tests stand
on."""

import ctypes
import os
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback


PATIENCE = 300  # seconds after which something will not come to pass, also on a busy machine; no test waits so long where all is well


class ReplyError(Exception):
    pass


def until(holds, seconds=PATIENCE):
    """Waits that long at most."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it does not come to pass"
        time.sleep(0.01)


class Client:
    """One connection. call() sends a command and reads its reply; send() and read() pipeline."""

    def __init__(self, port, resp3=False, timeout=PATIENCE):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")
        if resp3:
            self.call("HELLO", 3)

    @staticmethod
    def encode(arguments):
        parts = [b"*%d\r\n" % len(arguments)]
        for a in arguments:
            if isinstance(a, float):
                a = repr(a)
            a = a if isinstance(a, bytes) else str(a).encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(a), a))
        return b"".join(parts)

    def send(self, *arguments):
        self.socket.sendall(self.encode(arguments))

    def read(self):
        line = self.file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise ReplyError(rest.decode())
        if kind in b":(":
            return int(rest)
        if kind == b",":
            return float(rest)
        if kind == b"#":
            return rest == b"t"
        if kind == b"_":
            return None
        if kind in b"$=":
            if rest == b"-1":
                return None
            return self.file.read(int(rest) + 2)[:-2]
        if kind in b"*~>":
            return None if rest == b"-1" else [self.read() for _ in range(int(rest))]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        raise ValueError("a reply of unknown kind %r" % line)

    def call(self, *arguments):
        self.send(*arguments)
        return self.read()

    def close(self):
        self.file.close()
        self.socket.close()


taken = []  # sockets whose names no other test of this machine can have meanwhile


def can_bind(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
            s.listen()
            return True
        except OSError:
            return False


def free_port():
    """A port that is free together with its cluster bus port, both below those that the system gives to connections,
    and is kept from other tests until this one ends."""
    while True:
        port = random.randint(11000, 20999)
        mine = socket.socket(socket.AF_UNIX)
        try:
            mine.bind("\0anabranch-test-%d" % port)
        except OSError:
            continue
        taken.append(mine)
        if can_bind(port) and can_bind(port + 10000):
            return port


def words_of(module):
    """The module's path, which may have spaces in it, and its arguments."""
    path, end, arguments = module.partition(".so ")
    return [path + end.strip(), *arguments.split()]


class Server:
    """module: its path, arguments of the module behind it where there are any; None: a server without it."""

    def __init__(self, program, module, *options):
        self.program, self.module, self.options = program, module, options
        version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
        self.version = tuple(map(int, re.search(r"v=(\d+)\.(\d+)", version).groups()))
        self.major = self.version[0]
        if self.major >= 7:
            self.options += ("--enable-debug-command", "yes", "--enable-module-command", "yes")
        self.folder = tempfile.mkdtemp(prefix="anabranch-redis-")
        self.port = free_port()
        self.process = None
        try:
            self.start()
        except Exception:
            self.remove()
            raise

    def start(self, wait=True):
        until(lambda: can_bind(self.port))  # the child that writes a file for a killed server has its socket until it ends
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--loglevel",
                   "notice", "--logfile", os.path.join(self.folder, "log"), "--save", "", *self.options]
        command += ["--loadmodule", *words_of(self.module)] if self.module else []
        self.process = subprocess.Popen(command, **{"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
                                                    **self.environment()})
        if wait:
            self.wait_ready()

    def environment(self):
        """ANB_SANITIZER: the run time library of the sanitizer that the module was built with; the server's own code is
        without. What it has to say goes to the server's folder."""
        sanitizer = os.environ.get("ANB_SANITIZER")
        if not sanitizer:
            return {}
        options = "log_path=%s:detect_leaks=0" % os.path.join(self.folder, "sanitizer")
        libraries = " ".join([sanitizer, *os.environ.get("LD_PRELOAD", "").split()])
        environment = {**os.environ, "LD_PRELOAD": libraries, "ASAN_OPTIONS": options, "TSAN_OPTIONS": options,
                       "UBSAN_OPTIONS": "print_stacktrace=1"}
        return {"env": environment, "stderr": open(os.path.join(self.folder, "sanitizer.undefined"), "ab")}

    def findings(self):
        """What a sanitizer wrote down."""
        found = ""
        for name in os.listdir(self.folder):
            if name.startswith("sanitizer"):
                with open(os.path.join(self.folder, name), errors="replace") as f:
                    found += f.read()[:5000]
        return found

    def answers(self):
        """Whether it does; another server may have taken the port meanwhile: then this one ends."""
        if self.process.poll() is not None:
            raise RuntimeError("the server ended:\n" + self.log())
        try:
            client = self.client()
            client.call("PING")  # an error while it loads
            own = b"process_id:%d\r" % self.process.pid in client.call("INFO", "server")
            client.close()
            return own
        except (OSError, ReplyError):
            return False

    def wait_ready(self):
        until(self.answers)

    def log(self):
        try:
            with open(os.path.join(self.folder, "log"), errors="replace") as f:
                return f.read()[-3000:]
        except OSError:
            return "(no log)"

    def client(self, **options):
        return Client(self.port, **options)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self):
        """As an operator would: what is to be saved is saved."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def remove(self):
        if self.process.poll() is None:
            self.kill()
        found = self.findings()
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not found, found


class Library:
    """The C library itself: what a server's model is compared with, bit by bit."""

    def __init__(self, path):
        c = ctypes.CDLL(path)
        c.anb_parse.restype = ctypes.c_void_p
        c.anb_parse.argtypes = [ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p]
        c.anb_train_one.restype = ctypes.c_double
        c.anb_train_one.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double, ctypes.c_double]
        c.anb_predict.restype = ctypes.c_double
        c.anb_predict.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        c.anb_predict_quantiles.argtypes = [ctypes.c_void_p] * 3
        c.anb_snapshot_size.restype = ctypes.c_size_t
        c.anb_snapshot_size.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        c.anb_snapshot_to_memory.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t,
                                             ctypes.c_void_p]
        c.anb_load_memory.restype = ctypes.c_void_p
        c.anb_load_memory.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_void_p]
        c.anb_total_bytes.restype = ctypes.c_size_t
        c.anb_total_bytes.argtypes = [ctypes.c_void_p]
        c.anb_source_add.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p]
        c.anb_source_take.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_uint64]
        c.anb_free.argtypes = [ctypes.c_void_p]
        self.c = c

    def model(self, features, expression):
        pointer = self.c.anb_parse(features, expression.encode(), None, None)
        assert pointer, expression
        return Model(self.c, pointer)

    def load(self, blob):
        pointer = self.c.anb_load_memory(blob, len(blob), None, None)
        return Model(self.c, pointer) if pointer else None


class Model:
    def __init__(self, c, pointer):
        self.c, self.pointer = c, pointer

    def __del__(self):
        self.c.anb_free(self.pointer)

    def train(self, x, y, weight=1.0):
        return self.c.anb_train_one(self.pointer, (ctypes.c_double * len(x))(*x), y, weight)

    def take(self, source, n):
        """Moves the position of a source, as a numbered command does."""
        index = self.c.anb_source_add(self.pointer, source.encode(), len(source), None)
        return self.c.anb_source_take(self.pointer, index, n)

    def predict(self, x):
        return self.c.anb_predict(self.pointer, (ctypes.c_double * len(x))(*x))

    def quantiles(self, x, levels):
        value = (ctypes.c_double * levels)()
        assert self.c.anb_predict_quantiles(self.pointer, (ctypes.c_double * len(x))(*x), value) == 0
        return list(value)

    def total_bytes(self):
        return self.c.anb_total_bytes(self.pointer)

    def blob(self):
        size = self.c.anb_snapshot_size(self.pointer, None)
        memory = ctypes.create_string_buffer(size)
        assert self.c.anb_snapshot_to_memory(self.pointer, None, memory, size, None) == 0
        return memory.raw


def sample(rng, d):
    """A row and its target; the same from the same generator."""
    x = [rng.uniform(-1, 1) for _ in range(d)]
    return x, 2 * x[0] - x[-1] + x[0] * x[1] + 0.1 * rng.gauss(0, 1)


def pack(*rows):
    return b"".join(struct.pack("<%dd" % len(r), *r) for r in rows)


def unpack(blob):
    return list(struct.unpack("<%dd" % (len(blob) // 8), blob))


def run(tests, *arguments):
    """Runs the tests, prints a line for each that fails and the counts as Check does; the exit status says whether all
    passed."""
    failed = 0
    for test in tests:
        start = time.monotonic()
        try:
            test(*arguments)
        except Exception:
            failed += 1
            print("%s failed:" % test.__name__)
            traceback.print_exc(file=sys.stdout)
        print("%-50s %6.2f s" % (test.__name__, time.monotonic() - start), flush=True)
    share = 100 * (len(tests) - failed) // len(tests)
    print("%d%%: Checks: %d, Failures: %d, Errors: 0" % (share, len(tests), failed))
    sys.exit(1 if failed else 0)
