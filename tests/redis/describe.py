"""What the server knows of the module without running it: documents, keys, rights, settings. describe.py SERVER MODULE
LIBRARY"""

import os
import random
import shutil
import subprocess

from cases import D, MIXTURE, as_map, feed, fresh, information, main, refused, with_server
from harness import PATIENCE, Server, words_of

KEY = ("key", "key")
Y, X, WEIGHT = ("y", "double"), ("x", "string", "multiple"), ("weight", "double", "optional", "WEIGHT")
FIELDS = ("fields", "block", "FIELDS", [("n", "integer"), ("field", "block", "multiple", [("column", "string"), ("cell", "string")])])
ROW = ("row", "oneof", [X, FIELDS])
SEQ = ("sequence", "block", "optional", "SEQ", [("source", "string"), ("n", "integer")])
REPLACE = ("replace", "pure-token", "optional", "REPLACE")
ARGUMENTS = {
    "create": [KEY, ("expression", "string"), ("n", "integer", "optional", "FEATURES"),
               ("column", "string", "multiple", "optional", "COLUMNS"), ("target", "string", "optional", "TARGET"), ("seed", "integer", "optional", "SEED"),
               ("ifnotexists", "pure-token", "optional", "IFNOTEXISTS")],
    "train": [KEY, Y, ROW, WEIGHT, SEQ, ("withdiag", "pure-token", "optional", "WITHDIAG")],
    "mtrain": [KEY, ("count", "integer"), ("row", "block", "multiple", [Y, X]), WEIGHT, SEQ],
    "trainb": [KEY, ("blob", "string"), WEIGHT, SEQ],
    "predict": [KEY, ROW, ("coverage", "double", "optional", "WITHINTERVAL"), ("withquantiles", "pure-token", "optional", "WITHQUANTILES")],
    "interval": [KEY, ("coverage", "double"), ROW],
    "mpredict": [KEY, ("count", "integer"), X],
    "predictb": [KEY, ("blob", "string")],
    "pending": [KEY, ("id", "string"), ROW],
    "label": [KEY, ("id", "string"), Y, WEIGHT, SEQ],
    "info": [KEY], "diag": [KEY], "experts": [KEY], "importance": [KEY, ("rows", "integer", "optional", "EVERY")], "reset": [KEY], "save": [KEY],
    "clone": [KEY, ("destination", "key"), REPLACE],
    "restore": [KEY, ("blob", "string"), REPLACE],
    "feed": [KEY, ("stream", "key", "STREAM"), ("count", "integer", "optional", "COUNT"),
             ("milliseconds", "integer", "optional", "BLOCK"), ("field", "string", "optional", "TARGET"),
             ("id", "string", "optional", "UPTO")],
    "background": [KEY, ("rows", "integer")], "explain": [KEY, ROW],
    "version": [],
}
SINCE = {"interval": b"0.2.0", "feed": b"0.2.0", "background": b"0.3.0", "explain": b"0.3.0", "importance": b"0.3.0"}
HINTS = {
    "create": "key expression [FEATURES n] [COLUMNS column [column ...]] [TARGET target] [SEED seed] [IFNOTEXISTS]",
    "train": "key y x [x ...]|FIELDS n column cell [column cell ...] [WEIGHT weight] [SEQ source n] [WITHDIAG]",
    "mtrain": "key count y x [x ...] [y x [x ...] ...] [WEIGHT weight] [SEQ source n]",
    "clone": "key destination [REPLACE]",
}


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def argument(reply):
    """One argument as COMMAND DOCS shows it: name, type, its flags, its token, what is inside."""
    said = {text(k): v for k, v in as_map(reply).items()}
    found = [text(said["name"]), text(said["type"])] + sorted(text(flag) for flag in said.get("flags", []))
    found += [text(said["token"])] if "token" in said else []
    found += [[argument(inner) for inner in said["arguments"]]] if "arguments" in said else []
    return tuple(found)


@with_server()
def commands_describe_themselves(server, library):
    client = fresh(server)
    named = {c[0]: c for c in client.call("COMMAND") if c[0].startswith(b"anb.")}
    assert sorted(named) == sorted(b"anb." + name.encode() for name in ARGUMENTS)
    for name, flat in named.items():
        keys = [1, 2, 1] if name == b"anb.clone" else [1, 1, 1] if name == b"anb.feed" and server.major >= 7 else\
            [1, 3, 2] if name == b"anb.feed" else [0, 0, 0] if name == b"anb.version" else [1, 1, 1]
        assert flat[3:6] == keys, flat
        written = b"write" in [f.encode() if isinstance(f, str) else f for f in flat[2]]
        assert written == (name.split(b".")[1] in b"background create feed train mtrain trainb pending label reset clone restore".split())
    if server.major < 7:
        return  # documents came later
    for name, expected in ARGUMENTS.items():
        docs = {text(k): v for k, v in as_map(as_map(client.call("COMMAND", "DOCS", "anb." + name))[
            b"anb." + name.encode()]).items()}
        assert len(docs["summary"]) > 10 and docs["since"] == SINCE.get(name, b"0.1.0") and docs["complexity"]
        assert [argument(a) for a in docs.get("arguments", [])] == expected, (name, docs["arguments"])
        compact = {"train": "y@", "label": "y@", "mtrain": "count@"}.get(name)
        assert not compact or compact.encode() + b"source:n" in repr(docs["arguments"]).encode(), name


@with_server()
def redis_cli_hints(server, library):
    if server.major < 7:
        return
    for name, hint in HINTS.items():
        said = subprocess.run(["redis-cli", "-p", str(server.port), "HELP", "anb." + name], capture_output=True, text=True,
                              timeout=PATIENCE).stdout
        assert hint in said, said


@with_server()
def keys_and_what_is_done_to_them(server, library):
    client = fresh(server)
    assert client.call("COMMAND", "GETKEYS", "ANB.CLONE", "a", "b") == [b"a", b"b"]
    assert client.call("COMMAND", "GETKEYS", "ANB.TRAIN", "a", 1, 2) == [b"a"]
    if server.major < 7:
        return

    def done(*command):
        return [(text(key), sorted(text(f) for f in flags)) for key, flags in
                client.call("COMMAND", "GETKEYSANDFLAGS", *command)]
    assert done("ANB.CLONE", "a", "b") == [("a", ["RO", "access"]), ("b", ["OW", "update"])]
    assert done("ANB.TRAIN", "a", 1, 2) == [("a", ["RW", "access", "update"])]
    assert done("ANB.PREDICT", "a", 1) == [("a", ["RO", "access"])]
    assert done("ANB.CREATE", "a", "linear", "FEATURES", 1) == [("a", ["OW", "insert"])]


def commands_on(key):
    """A command of each kind on a model of two features, or that makes one."""
    return [("ANB.CREATE", key, "linear", "FEATURES", 2), ("ANB.TRAIN", key, 1, 2, 3), ("ANB.MTRAIN", key, 1, 1, 2, 3),
            ("ANB.TRAINB", key, bytes(24)), ("ANB.PREDICT", key, 1, 2), ("ANB.MPREDICT", key, 1, 1, 2),
            ("ANB.PREDICTB", key, bytes(16)), ("ANB.PENDING", key, 1, 1, 2), ("ANB.LABEL", key, 1, 1), ("ANB.INFO", key),
            ("ANB.DIAG", key), ("ANB.EXPERTS", key), ("ANB.RESET", key), ("ANB.SAVE", key), ("ANB.RESTORE", key, b"x"),
            ("ANB.CLONE", key, "a:copy", "REPLACE"), ("ANB.CLONE", "a:m", key, "REPLACE")]


@with_server()
def rights_of_users(server, library):
    client = fresh(server)
    for key in ("a:m", "b:m"):
        client.call("ANB.CREATE", key, "pending(moe(linear, mean))", "FEATURES", 2)
    before = client.call("DEBUG", "DIGEST-VALUE", "b:m")
    client.call("ACL", "SETUSER", "ann", "on", ">pw", "+@all", "~a:*")
    ann = server.client()
    ann.call("AUTH", "ann", "pw")
    for command in commands_on("b:m") + commands_on("b:new"):
        refused(ann, "NOPERM", *command)
    ann.call("ANB.TRAIN", "a:m", 1, 2, 3)
    ann.call("ANB.CLONE", "a:m", "a:n")
    assert client.call("DEBUG", "DIGEST-VALUE", "b:m") == before and client.call("EXISTS", "b:new") == 0
    if b"anabranch" in client.call("ACL", "CAT"):  # servers before 7.4 have commands of modules in no category
        client.call("ACL", "SETUSER", "bob", "on", ">pw", "-@all", "+@read", "~*")
        bob = server.client()
        bob.call("AUTH", "bob", "pw")
        bob.call("ANB.PREDICT", "a:m", 1, 2)
        refused(bob, "NOPERM", "ANB.TRAIN", "a:m", 1, 2, 3)
    if server.major < 7:
        return  # rights to read a key or to write it came later
    client.call("ACL", "SETUSER", "eve", "on", ">pw", "+@all", "%R~a:*", "%W~b:*")
    eve = server.client()
    eve.call("AUTH", "eve", "pw")
    eve.call("ANB.CLONE", "a:m", "b:copy")
    eve.call("ANB.PREDICT", "a:m", 1, 2)
    refused(eve, "NOPERM", "ANB.CLONE", "b:m", "b:copy", "REPLACE")
    refused(eve, "NOPERM", "ANB.CLONE", "a:m", "a:x")
    refused(eve, "NOPERM", "ANB.TRAIN", "a:m", 1, 2, 3)
    refused(eve, "NOPERM", "ANB.TRAIN", "b:m", 1, 2, 3)
    refused(eve, "NOPERM", "ANB.SAVE", "b:m")
    refused(eve, "NOPERM", "ANB.RESET", "a:m")


@with_server()
def the_page_describes_every_field(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", "interval(moe(linear, rls))", "COLUMNS", "a", "b")
    client.call("XADD", "s", "*", "a", 1, "b", 2, "y", 3)
    client.call("ANB.FEED", "m", "STREAM", "s", "TARGET", "y")
    told = as_map(client.call("ANB.INFO", "m"))
    keys = set(told) | set(as_map(client.call("ANB.DIAG", "m"))) | set(as_map(client.call("ANB.EXPERTS", "m")[0]))
    keys |= set(as_map(as_map(told[b"streams"])[b"s"]))
    page = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "redis.md")).read()
    unknown = {key for key in {key.decode() for key in keys} | set(information(client)) if f"`{key}`" not in page}
    assert unknown in (set(), {"# anabranch"}), unknown


@with_server()
def settings_have_bounds(server, library):
    client = fresh(server)
    refused(client, "can't unload", "MODULE", "UNLOAD", "anabranch")
    if server.major < 7:
        return  # settings came later
    for name, low, high in (("inline-microseconds", 0, 60000000), ("workers", 1, 64), ("max-model-bytes", 4096, 1 << 40)):
        name = "anabranch." + name
        for value in (low, high):
            client.call("CONFIG", "SET", name, value)
            assert client.call("CONFIG", "GET", name)[1] == str(value).encode()
        for value in (low - 1, high + 1, "x", ""):
            refused(client, "CONFIG SET failed", "CONFIG", "SET", name, value)
        assert client.call("CONFIG", "GET", name)[1] == str(high).encode()
    client.call("ANB.CREATE", "wide", "mlp", "FEATURES", 8)
    blob, dump = client.call("ANB.SAVE", "wide"), client.call("DUMP", "wide")
    client.call("CONFIG", "SET", "anabranch.max-model-bytes", 4096)
    refused(client, "anabranch.max-model-bytes sets the limit", "ANB.CREATE", "m", "forest", "FEATURES", 8)
    refused(client, "anabranch.max-model-bytes sets the limit", "ANB.RESTORE", "m", blob)
    refused(client, "Bad data", "RESTORE", "m", 0, dump)
    assert "the model at the key 'm' is refused" in server.log()
    client.call("ANB.CREATE", "m", "linear", "FEATURES", 8)


@with_server(settings="max-model-bytes 5000 INLINE-MICROSECONDS 7")
def arguments_of_the_module(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", "linear", "FEATURES", 8)
    refused(client, "limit", "ANB.CREATE", "f", "forest", "FEATURES", 8)
    if server.major >= 7:
        assert client.call("CONFIG", "GET", "anabranch.inline-microseconds")[1] == b"7"
    for wrong in ("inline-microseconds -1", "inline-microseconds 0.5", "inline-microseconds nan", "inline-microseconds",
                  "max-model-bytes 4095", "unknown 1"):
        try:
            Server(server.program, words_of(server.module)[0] + " " + wrong).remove()
        except RuntimeError as error:
            assert "anabranch takes" in str(error), error
        else:
            raise AssertionError("taken: " + wrong)


@with_server()
def refused_commands_touch_no_key(server, library):
    client, other = fresh(server), server.client()
    client.call("ANB.CREATE", "m", "linear", "FEATURES", 2)
    client.call("WATCH", "m")
    for command in (("ANB.TRAIN", "m", 1, 2, "x"), ("ANB.TRAIN", "m", 1, 2), ("ANB.LABEL", "m", 1, 1),
                    ("ANB.TRAINB", "m", b"x"), ("ANB.RESTORE", "m", b"x", "REPLACE"), ("ANB.PREDICT", "m", 1, 2),
                    ("ANB.CREATE", "m", "linear", "FEATURES", 2, "IFNOTEXISTS")):
        try:
            other.call(*command)
        except Exception:
            pass
    client.call("MULTI")
    client.call("ANB.TRAIN", "m", 1, 2, 3)
    assert client.call("EXEC") is not None  # nobody wrote to what was watched
    client.call("WATCH", "m")
    other.call("ANB.TRAIN", "m", 1, 2, 3)
    client.call("MULTI")
    client.call("PING")
    assert client.call("EXEC") is None


@with_server("--appendonly", "yes", "--appendfsync", "always", "--aof-use-rdb-preamble", "no")
def an_expression_that_grows_too_long_to_be_read(server, library):
    """Every option written out it has more than 64 KiB: the log holds a snapshot instead."""
    client = fresh(server)
    client.call("ANB.CREATE", "m", "moe(%s)" % ",".join(["linear"] * 3000), "FEATURES", 2)
    client.call("ANB.TRAIN", "m", 1, 2, 3)
    blob = client.call("ANB.SAVE", "m")
    server.kill()
    server.start()
    assert server.client().call("ANB.SAVE", "m") == blob


@with_server()
def unlike_models_do_not_collide(server, library):
    """Seeds that differ in their high bits alone: finding a model's plan has to stay quick."""
    client = fresh(server)

    def used():
        """Processor time of the server, in seconds."""
        spent = client.call("INFO", "cpu").decode()
        return sum(float(spent.split(name + ":")[1].split()[0]) for name in ("used_cpu_user", "used_cpu_sys"))

    def seconds(step, n=20000):
        start = used()
        client.socket.sendall(b"".join(client.encode(("ANB.CREATE", "m%d" % i, "rff(mean, features=1)", "FEATURES", 1, "SEED", i * step))
                                       for i in range(n)))
        assert all(client.read() == "OK" for _ in range(n))
        took = used() - start
        assert information(client)["plans"] == str(n)
        client.call("FLUSHALL")
        return took
    for seed in (1, 2):  # which nobody reads
        client.call("ANB.CREATE", "m%d" % seed, "last", "FEATURES", 1, "SEED", seed)
    assert information(client)["plans"] == "1"
    client.call("FLUSHALL")
    usual, crafted = seconds(1), seconds(1 << 38)
    assert crafted < 5 * usual + 0.5, (usual, crafted)


@with_server()
def a_file_without_models_needs_no_module(server, library):
    client = fresh(server)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    client.call("SET", "plain", "x")
    client.call("DEL", "m")
    client.call("SAVE")
    bare = Server(server.program, None)
    try:
        bare.stop()
        shutil.copy(os.path.join(server.folder, "dump.rdb"), bare.folder)
        bare.start(wait=False)
        if server.version < (7, 2):  # older servers write down that the module was there
            bare.process.wait(PATIENCE)
            return
        bare.wait_ready()
        assert bare.client().call("GET", "plain") == b"x"
    finally:
        bare.remove()
    model = library.model(D, MIXTURE)
    client.call("ANB.CREATE", "m", MIXTURE, "FEATURES", D)
    feed(client, model, "m", 20, random.Random(1))
    client.call("SAVE")
    server.kill()
    server.start()
    assert server.client().call("ANB.SAVE", "m") == model.blob()


TESTS = [commands_describe_themselves, redis_cli_hints, keys_and_what_is_done_to_them, rights_of_users,
         the_page_describes_every_field, settings_have_bounds, arguments_of_the_module, refused_commands_touch_no_key, an_expression_that_grows_too_long_to_be_read,
         unlike_models_do_not_collide, a_file_without_models_needs_no_module]

if __name__ == "__main__":
    main(TESTS)
