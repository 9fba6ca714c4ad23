"""One file for Python, the program and Redis: the same predictions to the bit."""

import os
import shutil
import socket
import subprocess
import sysconfig
import time

import numpy as np
import pytest

import anabranch
from anabranch import Model

NAMES = ["a", "b", "c"]


def program():
    inside = os.path.join(sysconfig.get_path("scripts"), "anabranch")
    found = inside if os.access(inside, os.X_OK) else os.environ.get("ANB_PROGRAM") or shutil.which("anabranch")
    if not found:
        pytest.skip("the program anabranch is not installed")
    return found


def trained():
    X = np.random.default_rng(0).normal(size=(500, 3))
    model = Model("scale(moe(linear, rls, sgbt))", NAMES, target="y")
    model.learn_many(X, X @ [1.0, 2.0, 3.0])
    return model, X[:50]


def test_the_program_predicts_alike(tmp_path):
    model, X = trained()
    model.save(tmp_path / "m.anb")
    lines = [",".join(NAMES)] + [",".join(repr(v) for v in row) for row in X.tolist()]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    command = [program(), "predict", "-m", str(tmp_path / "m.anb"), str(tmp_path / "rows.csv")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    said = [float(line.split(",")[-1]) for line in done.stdout.splitlines() if line and line[-1].isdigit()]
    assert said == model.predict_many(X).tolist()


def test_what_the_program_of_a_wheel_cannot_do_is_told(tmp_path):
    commands = subprocess.run([program(), "--help"], capture_output=True, text=True, check=True).stdout
    if "\n  serve " in commands:
        pytest.skip("the program found is no wheel's")
    done = subprocess.run([program(), "serve", str(tmp_path / "m.anb")], capture_output=True, text=True)
    assert done.returncode == 2 and "it cannot serve" in done.stderr


def test_the_programs_model_is_read(tmp_path):
    X = np.random.default_rng(0).normal(size=(200, 3)).round(4)
    y = (X @ [1.0, 2.0, 3.0]).round(4)
    lines = ["a,b,c,y"] + [",".join(repr(v) for v in row) for row in np.column_stack([X, y]).tolist()]
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    command = [program(), "train", "-l", "scale(rls)", "-o", str(tmp_path / "m.anb"), str(tmp_path / "rows.csv")]
    subprocess.run(command, capture_output=True, text=True, check=True)
    read, own = anabranch.load(tmp_path / "m.anb"), Model("scale(rls)", NAMES)
    own.learn_many(X, y)
    assert read.features == tuple(NAMES) and read.target == "y" and read.n_samples_seen == 200
    assert np.array_equal(read.predict_many(X), own.predict_many(X))


def test_names_that_are_no_utf_8_are_shown_by_their_bytes(tmp_path):
    rows = b"caf\xe9,b,ma\xdf\n" + b"".join(b"%d,%d,%d\n" % (i, i % 3, 2 * i) for i in range(20))
    (tmp_path / "rows.csv").write_bytes(rows)
    command = [program(), "train", "-l", "scale(rls)", "-o", str(tmp_path / "m.anb"), str(tmp_path / "rows.csv")]
    subprocess.run(command, capture_output=True, check=True)  # the program shows the names as they are
    read = anabranch.load(tmp_path / "m.anb")
    assert read.features == ("caf\\xe9", "b") and read.target == "ma\\xdf"
    again = anabranch.load(data=read.to_bytes())
    assert again.features == read.features and again.predict_one([1, 2]) == read.predict_one([1, 2])


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Redis:
    """Enough of the protocol to send commands and read replies."""

    def __init__(self, port):
        for _ in range(1000):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            except OSError:
                time.sleep(0.1)
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def __call__(self, *words):
        parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self.socket.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
        return self.reply()

    def reply(self):
        line = self.file.readline()[:-2]
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b"$":
            return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [self.reply() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest


def test_redis_serves_it(tmp_path):
    module = os.environ.get("ANB_REDIS_MODULE", "")
    server = shutil.which("redis-server") or shutil.which("valkey-server")
    if not server or not os.path.exists(module):
        pytest.skip("no Redis server, or no module built (ANB_REDIS_MODULE)")
    model, X = trained()
    port = free_port()
    options = ["--port", str(port), "--save", "", "--dir", str(tmp_path), "--loadmodule", module]
    running = subprocess.Popen([server, *options], stdout=subprocess.DEVNULL)
    redis = Redis(port)
    try:
        redis("ANB.RESTORE", "m", model.to_bytes())
        said = [float(redis("ANB.PREDICT", "m", *map(repr, row))) for row in X.tolist()]
        assert said == model.predict_many(X).tolist()
        back = anabranch.load(data=redis("ANB.SAVE", "m"))
        assert back.equal(model)  # Redis keeps no names
    finally:
        redis.close()
        running.terminate()
        running.wait()
