"""Active defragmentation moves models and no bit of them changes. defrag.py SERVER MODULE LIBRARY; needs a server that
was built with its own jemalloc, and says so and passes where it was not."""

import random
import threading

from cases import D, WORKER, fresh, information, main, packed_rows, rows_of, with_server
from harness import ReplyError, unpack, until

SMALL = ["moe(linear, mean)", "scale(rls)", "moe(linear, rls, mean)", "pending(interval(linear), capacity=4)", "last"]
MODELS = 20000
EAGER = {"active-defrag-ignore-bytes": 1, "active-defrag-threshold-lower": 1, "active-defrag-threshold-upper": 2,
         "active-defrag-cycle-min": 60, "active-defrag-cycle-max": 80, "hz": 100}


def key(i):
    return "m%d" % i


def expression(i):
    return SMALL[i % len(SMALL)]


def pipeline(client, commands, at_once=500):
    replies = []
    for i in range(0, len(commands), at_once):
        client.socket.sendall(b"".join(client.encode(c) for c in commands[i:i + at_once]))
        replies += [client.read() for _ in commands[i:i + at_once]]
    return replies


def defragmentation(client):
    """Switches it on; False where the server cannot."""
    try:
        for name, value in EAGER.items():
            client.call("CONFIG", "SET", name, value)
        client.call("CONFIG", "SET", "activedefrag", "yes")
        return True
    except ReplyError as error:
        assert "Active defragmentation cannot be enabled" in str(error), error
        print("skipped: this server was not built for active defragmentation")
        return False


def counted(client, section, name):
    lines = client.call("INFO", section).decode().splitlines()
    return float(next(line.split(":")[1] for line in lines if line.startswith(name + ":")))


def create(client, which):
    pipeline(client, [("ANB.CREATE", key(i), expression(i), "FEATURES", D, "SEED", i % 3) for i in which])


@with_server()
def models_move(server, library):
    client = fresh(server)
    if not defragmentation(client):
        return
    client.call("CONFIG", "SET", "activedefrag", "no")
    create(client, range(MODELS))
    rows = packed_rows(rows_of(random.Random(1), 20))
    pipeline(client, [("ANB.TRAINB", key(i), rows) for i in range(MODELS)])
    pipeline(client, [("DEL", key(i)) for i in range(0, MODELS, 2)])
    left = range(1, MODELS, 2)
    before = pipeline(client, [("ANB.SAVE", key(i)) for i in left])
    digests = pipeline(client, [("DEBUG", "DIGEST-VALUE", key(i)) for i in left])
    scattered = counted(client, "memory", "allocator_frag_ratio")
    client.call("CONFIG", "SET", "activedefrag", "yes")
    until(lambda: counted(client, "memory", "allocator_frag_ratio") < 1 + (scattered - 1) / 2)
    assert int(information(client)["defrag_moves"]) > MODELS / 10, information(client)
    assert counted(client, "stats", "active_defrag_key_hits") > MODELS / 10
    assert pipeline(client, [("ANB.SAVE", key(i)) for i in left]) == before
    assert pipeline(client, [("DEBUG", "DIGEST-VALUE", key(i)) for i in left]) == digests
    for i in list(left)[::97]:
        model = library.load(before[i // 2])
        for x, y in rows_of(random.Random(i), 5):
            assert float(client.call("ANB.TRAIN", key(i), y, *x)) == model.train(x, y)
    print("    %s pieces moved, fragmentation from %.2f to %.2f" % (
        information(client)["defrag_moves"], scattered, counted(client, "memory", "allocator_frag_ratio")))
    client.call("FLUSHALL")  # every ring is whole: each model finds its neighbours and leaves
    assert information(client)["models"] == "0" and information(client)["plans"] == "0"


class Load(threading.Thread):
    """Trains its models in turn, and compares every answer with the library's."""

    def __init__(self, server, library, share):
        super().__init__(daemon=True)
        self.client, self.stop, self.error, self.batches = server.client(), threading.Event(), None, 0
        self.models = {i: library.model(D, expression(i)) for i in share}

    def run(self):
        rng = random.Random(7)
        try:
            while not self.stop.is_set():
                for i, model in self.models.items():
                    rows = rows_of(rng, 3)
                    reply = unpack(self.client.call("ANB.TRAINB", key(i), packed_rows(rows)))
                    assert reply == [model.train(x, y) for x, y in rows], key(i)
                    self.batches += 1
        except Exception as error:
            self.error = error


def under_load(server, library):
    client = fresh(server)
    if not defragmentation(client):
        return
    kept, churned = range(200), range(1000, 9000)
    pipeline(client, [("ANB.CREATE", key(i), expression(i), "FEATURES", D) for i in kept])
    loads = [Load(server, library, kept[j::4]) for j in range(4)]
    for load in loads:
        load.start()
    for turn in range(6):
        moved = int(information(client)["defrag_moves"])
        create(client, churned)
        pipeline(client, [("UNLINK", key(i)) for i in churned if i % 3 != turn % 3])
        until(lambda: int(information(client)["defrag_moves"]) > moved + 100)
        pipeline(client, [("UNLINK", key(i)) for i in churned])
    for load in loads:
        load.stop.set()
        load.join()
        assert load.error is None, load.error
        for i, model in load.models.items():
            assert client.call("ANB.SAVE", key(i)) == model.blob(), key(i)
    state = information(client)
    print("    %s pieces moved under %d batches, %s of them at the worker" % (
        state["defrag_moves"], sum(load.batches for load in loads), state["commands_queued"]))


@with_server()
def models_that_learn_move(server, library):
    under_load(server, library)


@with_server(settings=WORKER)
def models_with_a_batch_at_the_worker_move(server, library):
    under_load(server, library)


TESTS = [models_move, models_that_learn_move, models_with_a_batch_at_the_worker_move]

if __name__ == "__main__":
    main(TESTS)
