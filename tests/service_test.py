#!/usr/bin/env python3
"""The service as its clients meet it: service_test.py PROGRAM CLOCK FOLDER [KILLS]

Trains a model, serves it on a free port of this machine, and checks answers, refusals, tokens, sequences and what is
left after the process was killed. CLOCK is a library whose clock on the wall stands still.
"""
import functools
import http.client
import os
import pathlib
import random
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time

from serving import CLOCK, FOLDER, PATIENCE, PROGRAM, ROW, Serving, check, passes, stream, train, until

KILLS = int(sys.argv[4]) if len(sys.argv) > 4 else 5

def answers(model):
    s = Serving(model)
    status, health = s.ask("GET", "/healthz")
    check("health", status == 200 and health["status"] == "ok" and health["samples"] == 2000)
    status, by_order = s.post("/predict", {"x": ROW})
    check("a prediction by an array", status == 200 and isinstance(by_order["prediction"], float))
    status, by_name = s.post("/predict", {"x": {f"x{i}": v for i, v in enumerate(ROW)}})
    check("the same by names", by_name["prediction"] == by_order["prediction"])
    status, many = s.post("/predict", {"rows": [{"x": ROW}] * 3})
    check("many rows", [a["prediction"] for a in many["answers"]] == [by_order["prediction"]] * 3)
    status, ranged = s.post("/predict", {"x": ROW, "interval": 0.9})
    check("an interval", ranged["low"] < ranged["prediction"] < ranged["high"])
    status, kept = s.post("/predict", {"x": ROW, "id": 41})
    status, labelled = s.post("/label", {"id": 41, "y": 10.5})
    check("a label that comes later is scored by what was said", labelled["prediction"] == kept["prediction"])
    check("a label comes once", s.post("/label", {"id": 41, "y": 10.5})[0] == 422)
    status, kept = s.post("/predict", {"x": ROW, "id": 42, "interval": 0.9})
    status, asked = s.post("/predict", {"x": ROW, "interval": 0.9})
    check("a kept row is answered as any other", kept == asked and kept["low"] < kept["high"])
    status, kept = s.post("/predict", {"x": ROW, "id": "order-7"})
    check("a row that is named by a text", status == 200 and s.post("/label", {"id": "order-7", "y": 10.5})[1][
        "prediction"] == kept["prediction"] and s.post("/label", {"id": "order-7", "y": 10.5})[0] == 422)
    s.post("/predict", {"x": ROW, "id": "44"})
    check("a text that is a whole number is that number", s.post("/label", {"id": 44, "y": 10.5})[0] == 200)
    numbered = {"id": 43, "y": 1, "seq": {"source": "late", "n": 1}}
    check("a label of no row", s.post("/label", numbered)[0] == 422)
    check("adds no source", s.ask("GET", "/healthz")[1]["sources"] == {})
    s.post("/predict", {"x": ROW, "id": 43})
    check("a numbered label", s.post("/label", numbered)[0] == 200)
    check("is learned once", s.post("/label", numbered)[1] == {"repeated": True, "last": 1})
    check("its source is known", s.ask("GET", "/healthz")[1]["sources"] == {"late": 1})
    status, learned = s.post("/learn", {"x": ROW, "y": 10.5})
    check("learning", status == 200 and learned["samples"] == 2005)
    check("metrics", "anabranch_samples_total 2005" in s.ask("GET", "/metrics")[1])
    check("the report", "<svg" in s.ask("GET", "/")[1])
    check("it ends in order", s.end() == 0)
    again = Serving(model)
    check("what was learned is saved", again.ask("GET", "/healthz")[1]["samples"] == 2005)
    again.end()


def waiting(model, other):
    """A row that waits for its label is saved with the model; a label that is refused is told why."""
    s = Serving(model)
    check("a row is kept", s.post("/predict", {"x": ROW, "id": "order-8"})[0] == 200)
    check("which is not saved yet", s.ask("GET", "/healthz")[1]["unsaved"] == 1)
    check("it ends in order", s.end() == 0)
    s = Serving(model)
    check("the next service learns its label", s.post("/label", {"id": "order-8", "y": 10.5})[0] == 200)
    check("once", "learned already" in s.post("/label", {"id": "order-8", "y": 10.5})[1]["error"])
    check("that of no row", "no row is kept" in s.post("/label", {"id": "order-9", "y": 10.5})[1]["error"])
    s.post("/predict", {"x": ROW, "id": 1})
    s.post("/predict", {"rows": [{"x": ROW, "id": i} for i in range(2, 242)]})
    check("that of a row too many", "a larger capacity" in s.post("/label", {"id": 1, "y": 10.5})[1]["error"])
    for path, body in (("/predict", {"x": ROW, "id": -1}), ("/label", {"id": -1, "y": 1})):
        check("a negative id is refused", s.post(path, body)[0] == 400)
    s.end()
    s = Serving(other)
    status, refusal = s.post("/label", {"id": 1, "y": 10.5})
    check("a model that keeps no rows", status == 409 and "keeps no rows" in refusal["error"])
    s.end()


def ranked(model):
    """Quantiles, and the interval between a pair of them; every answer of one published version."""
    s = Serving(model)
    status, said = s.post("/predict", {"x": ROW, "quantiles": True})
    levels = said["quantiles"]
    check("a quantile a level, ascending", status == 200 and list(levels) == ["0.05", "0.1", "0.5", "0.9"]
          and sorted(levels.values()) == list(levels.values()) and len(set(levels.values())) == 4)
    check("the prediction is the median", said["prediction"] == levels["0.5"])
    check("none where none were asked for", "quantiles" not in s.post("/predict", {"x": ROW})[1])
    status, ranged = s.post("/predict", {"x": ROW, "interval": 0.8})
    check("0.1 and 0.9 hold 0.8", (ranged["low"], ranged["high"]) == (levels["0.1"], levels["0.9"]))
    status, refusal = s.post("/predict", {"x": ROW, "interval": 0.9})
    check("0.05 has no partner", status == 409 and "0.8" in refusal["error"])
    status, kept = s.post("/predict", {"x": ROW, "quantiles": True, "interval": 0.8, "id": 7})
    check("a kept row is answered the same", kept == said | ranged)
    check("and learned", s.post("/label", {"id": 7, "y": 10})[0] == 200)
    table = FOLDER / "row.csv"
    table.write_text(",".join(f"x{i}" for i in range(10)) + "\n" + ",".join(map(str, ROW)) + "\n")
    s.end()
    s = Serving(model)
    asked = s.post("/predict", {"x": ROW, "interval": 0.8})[1]
    out = subprocess.run([PROGRAM, "predict", "-m", model, "--interval", "0.8", str(table)], check=True,
                         capture_output=True, text=True).stdout
    check("the program says the same", [float(v) for v in out.splitlines()[1].split(",")]
          == [asked["prediction"], asked["low"], asked["high"]])
    s.end()


def durations(model):
    """A histogram a path: every request is counted once, however it was answered."""
    s = Serving(model)
    name = "anabranch_request_duration_seconds"
    for body in ({"x": ROW}, {"x": ROW}, {"x": "wrong"}, {"rows": [{"x": ROW}] * 200}):
        s.post("/predict", body)
    s.ask("GET", "/healthz")
    s.post("/nowhere", {})
    for earlier in range(2):
        lines = [line for line in s.ask("GET", "/metrics")[1].splitlines() if name in line]
        check("it says what it is", lines[1] == f"# TYPE {name} histogram")
        numbers = dict(line.rsplit(" ", 1) for line in lines[2:])
        for path, wanted in {"/predict": 4, "/learn": 0, "/label": 0, "/": 0, "/metrics": earlier, "/healthz": 1}.items():
            buckets = [int(v) for k, v in numbers.items() if k.startswith(f'{name}_bucket{{path="{path}",le="')]
            check(f"buckets of {path}", len(buckets) == 17 and buckets == sorted(buckets) and buckets[-1] == wanted
                  == int(numbers[f'{name}_count{{path="{path}"}}']) == int(numbers[f'{name}_bucket{{path="{path}",le="+Inf"}}']))
            check(f"sum of {path}", (float(numbers[f'{name}_sum{{path="{path}"}}']) > 0) == (wanted > 0))
    s.end()


def refusals(model):
    s = Serving(model, "--max-body", "2000")
    for body in (b"{", b"[]", b"", {"x": ROW[:3]}, {"x": "a"}, {"x": ROW[:9] + ["a"]}, {"x": {"x0": "a"}}, {}):
        status, answer = s.post("/predict", body)
        check(f"{body} is refused by a word", status == 400 and answer["error"])
    for body in ({"x": ROW}, {"x": ROW, "y": "a"}, {"x": ROW, "y": 1, "w": -1}, {"x": ROW, "y": None},
                 {"x": ROW, "y": 1, "seq": {"source": "", "n": 1}}, {"x": ROW, "y": 1, "seq": {"source": "a", "n": 0}}):
        check(f"{body} is not learned", s.post("/learn", body)[0] == 400)
    check("no interval of that coverage", s.post("/predict", {"x": ROW, "interval": .5})[0] == 409)
    check("no quantiles", s.post("/predict", {"x": ROW, "quantiles": True})[0] == 409)
    for more in ({"interval": "wide"}, {"id": ""}, {"id": 1.5}, {"id": [1]}):
        check(f"{more} is refused by a word", s.post("/predict", {"x": ROW} | more)[0] == 400)
    check("why an empty id is", "a text that is not empty" in str(s.post("/predict", {"x": ROW, "id": ""})[1]))
    check("a body that is too large", s.post("/learn", b"x" * 3000)[0] == 413)
    asking = s.connect()
    asking.putrequest("POST", "/learn")
    for name, value in (("Expect", "100-continue"), ("Content-Length", "3000")):
        asking.putheader(name, value)
    asking.endheaders()
    check("is refused before it is sent, where a client asks", asking.getresponse().status == 413)
    check("an unknown place", s.post("/nowhere", {})[0] == 404 and s.ask("GET", "/nowhere")[0] == 404)
    check("another method", s.ask("DELETE", "/predict")[0] == 405)
    s.connection.request("HEAD", "/healthz")
    head = s.connection.getresponse()
    check("the head alone", head.status == 200 and int(head.headers["Content-Length"]) > 100 and not head.read())
    check("nothing was learned", s.ask("GET", "/healthz")[1]["samples"] == 2005)
    s.end()


def cells():
    """Cells that are no cells are refused; names that are no columns are told once and counted."""
    table = FOLDER / "shops.csv"
    table.write_text("shop,size,price\n" + "".join(f"{'ab'[i % 2]},{i % 7},{i % 7 + i % 2}\n" for i in range(200)))
    model = train("shops.anb", "scale(rls)", str(table))
    s = Serving(model, stderr=subprocess.PIPE)
    for cell, words in (([1], "column 1 (shop): it is a list or an object"), ({"a": 1}, "column 1 (shop): it is a list")):
        status, answer = s.post("/predict", {"x": {"shop": cell, "size": 1}})
        check(f"{cell} is no cell", status == 400 and words in answer["error"])
    before = s.ask("GET", "/healthz")[1]["samples"]
    status, answer = s.post("/learn", {"x": {"shop": "a", "size": "a" + 30 * "ä"}, "y": 1})
    check("a cell that is cut in a character is refused", status == 400 and "is not a number" in answer["error"])
    check("and not learned", s.ask("GET", "/healthz")[1]["samples"] == before)
    status, answer = s.post("/predict", {"x": {"shop": "a", "size": "1,000"}})
    check("a column is named once", status == 400 and answer["error"].startswith("x: column 2 (size): \"1,000\" is not"))
    check("names are known", s.post("/predict", {"x": {"shop": "a", "size": 1, "price": 3}})[0] == 200
          and s.ask("GET", "/healthz")[1]["unknown_names"] == 0)
    for _ in range(2):
        check("a misspelt name is passed over", s.post("/predict", {"x": {"shop": "a", "sise": 1}})[0] == 200)
    check("and counted", s.ask("GET", "/healthz")[1]["unknown_names"] == 2)
    row = {"x": {"shop": "a", "size": 1}}
    s.post("/predict", {**row, "interval": None, "id": None})
    s.post("/predict", {"rows": [row]})
    check("keys are known", s.ask("GET", "/healthz")[1]["unknown_keys"] == 0)
    for body in ({**row, "y": 1, "weight": 2}, {"rows": [{**row, "y": 1, "weight": 2}], "interval": 0.9}):
        check("an unknown key is passed over", s.post("/learn", body)[0] == 200)
    check("and counted as well", s.ask("GET", "/healthz")[1]["unknown_keys"] == 3)
    s.end()
    told = s.process.stderr.read()
    check("and told once", told.count("sise") == 1 and "which is no column of the model" in told
          and told.count("weight") == 1 and "which no request takes" in told)


def no_file_grows():
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))


def written_by_another(model):
    """A file that another program wrote meanwhile is overwritten, which is told once, and kept beside."""
    s = Serving(model, "--save-every", "1", stderr=subprocess.PIPE)
    subprocess.run([PROGRAM, "train", "-m", model, "-o", model, str(FOLDER / "stream.csv")], check=True, capture_output=True)
    written = pathlib.Path(model).read_bytes()
    s.post("/learn", {"x": ROW, "y": 1})
    while s.ask("GET", "/healthz")[1]["saves"] == 0:
        time.sleep(.1)
    s.post("/learn", {"x": ROW, "y": 1})
    s.end()
    told = s.process.stderr.read()
    check(f"who overwrites says so: {told}", told.count("another program has written this file") == 1)
    check("the other model is kept", f"kept as {model}.other" in told and pathlib.Path(model + ".other").read_bytes() == written)
    s = Serving(model, stderr=subprocess.PIPE)
    s.post("/learn", {"x": ROW, "y": 1})
    s.end()
    check("nobody else wrote it", "another program" not in s.process.stderr.read())
    s = Serving(model, "--save-every", "1", stderr=subprocess.PIPE, preexec_fn=no_file_grows)
    subprocess.run([PROGRAM, "train", "-m", model, "-o", model, str(FOLDER / "stream.csv")], check=True, capture_output=True)
    s.post("/learn", {"x": ROW, "y": 1})
    until("saving fails", lambda: s.ask("GET", "/healthz")[1]["failed_saves"] > 1)
    s.end()
    check("once where saving fails as well", s.process.stderr.read().count("another program has written this file") == 1)


def saving_in_time(model):
    """The file is saved in its time where the clock on the wall is set back, and failing to save is told, not the
    end."""
    s = Serving(model, "--save-every", "1", env={**os.environ, "LD_PRELOAD": CLOCK})
    s.post("/learn", {"x": ROW, "y": 1})
    while s.ask("GET", "/healthz")[1]["saves"] == 0:
        time.sleep(.1)
    s.end()
    for ignored in (False, True):  # set in both cases: the tests may run below nohup themselves
        hangup = signal.SIG_IGN if ignored else signal.SIG_DFL
        s = Serving(model, "--save-every", "0", preexec_fn=functools.partial(signal.signal, signal.SIGHUP, hangup))
        samples = s.post("/learn", {"x": ROW, "y": 1})[1]["samples"]
        if ignored:
            s.process.send_signal(signal.SIGHUP)
            check("without a terminal it goes on", s.post("/predict", {"x": ROW})[0] == 200)
        else:
            s.process.send_signal(signal.SIGHUP)  # the end of a terminal may send it twice
        check("it ends in order", s.end(signal.SIGTERM if ignored else signal.SIGHUP) == 0)
        s = Serving(model)
        check("and saves", s.ask("GET", "/healthz")[1]["samples"] == samples)
        s.end()
    before = pathlib.Path(model).read_bytes()
    limited = {"stderr": subprocess.PIPE, "preexec_fn": no_file_grows}
    s = Serving(model, "--save-every", "1", **limited)
    s.process.stderr.close()
    s.post("/learn", {"x": ROW, "y": 1})
    while s.ask("GET", "/healthz")[1]["failed_saves"] < 2:
        time.sleep(.1)
    check("where nobody reads messages it goes on", s.end() == 1)
    s = Serving(model, "--save-every", "1", **limited)
    s.post("/learn", {"x": ROW, "y": 1})
    while s.ask("GET", "/healthz")[1]["failed_saves"] == 0:
        time.sleep(.1)
    numbers = dict(line.rsplit(" ", 1) for line in s.ask("GET", "/metrics")[1].splitlines() if line[0] != "#")
    check("/metrics has it", numbers["anabranch_saves_total"] == "0" and numbers["anabranch_unsaved"] == "1"
          and int(numbers["anabranch_failed_saves_total"]) > 0 and numbers["anabranch_requests_total"] == "1")
    check("it goes on", s.post("/predict", {"x": ROW})[0] == 200)
    ended, told = s.end(), s.process.stderr.read()
    check("its end says so", ended == 1 and "File too large" in told and "1 samples, labels and kept rows are lost" in told)
    check("the old file is as it was", pathlib.Path(model).read_bytes() == before)


def full_disk(table):
    """What was learned since the last save goes on elsewhere where the file cannot be written at the end, for nobody else
    to read; the next service goes on with it."""
    place = FOLDER / "elsewhere"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    (FOLDER / "full.anb").unlink(missing_ok=True)  # a link where a run before ended here
    model = train("full.anb", "pending(scale(rls))", table)
    whole = pathlib.Path(model).read_bytes()
    s = Serving(model, "--save-every", "1", stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(place)})
    os.remove(model)
    os.symlink("/dev/full", model)
    s.post("/learn", {"x": ROW, "y": 1})
    until("saving fails", lambda: s.ask("GET", "/healthz")[1]["failed_saves"] > 1)
    check("meanwhile it is tried again, and not saved elsewhere", not list(place.iterdir()))
    samples = s.post("/learn", {"x": ROW, "y": 1})[1]["samples"]
    s.post("/predict", {"x": ROW, "id": "late"})
    ended, told = s.end(), s.process.stderr.read()
    folder, = place.iterdir()
    check("its end says why, where and what to do", ended == 1 and f"{model}: cannot write: No space left on device" in told and
          f"{model}: what was learned is saved in its place to {folder}/model.anb; move it there" in told and "lost" not in told)
    check("for nobody else to read", folder.stat().st_mode & 0o777 == 0o700)
    os.replace(folder / "model.anb", model)
    s = Serving(model)
    check("every sample is in it", s.ask("GET", "/healthz")[1]["samples"] == samples)
    check("and the row that waits", s.post("/label", {"id": "late", "y": 1})[0] == 200)
    s.end()
    pathlib.Path(model).write_bytes(whole)
    s = Serving(model, stderr=subprocess.PIPE, env={**os.environ, "TMPDIR": str(place / "none")})
    s.post("/learn", {"x": ROW, "y": 1})
    os.remove(model)
    os.symlink("/dev/full", model)
    ended, told = s.end(), s.process.stderr.read()
    check("where there is no place it says what is lost", ended == 1 and f"below {place}/none: No such file" in told and
          "1 samples, labels and kept rows are lost" in told)
    os.remove(model)


def wrong_lines(model):
    """What is wrong on the command line ends it before anything listens: status 2 and what is wrong."""
    (FOLDER / "long").write_text("x" * 5000)
    for line, words in ((["--port", "99999"], "--port takes"), (["--token-file", str(FOLDER / "long")], "longer than"),
                        (["--token-file", "missing"], "No such file"), (["--token-file", "/dev/null"], "no token")):
        done = subprocess.run([PROGRAM, "serve", *line, model], capture_output=True, text=True, timeout=PATIENCE)
        check(f"{line}: {done.stderr}", done.returncode == 2 and words in done.stderr and not done.stdout)
    s = Serving(model)
    done = subprocess.run([PROGRAM, "serve", "--port", str(s.port), model], capture_output=True, text=True, timeout=PATIENCE)
    check("a port that is taken", done.returncode == 1 and "Address already in use" in done.stderr)
    s.end()


def tokens(model):
    secret = FOLDER / "token"
    secret.write_text(" sesame \t\r\n")  # a header's value comes without blanks around it
    s = Serving(model, "--token-file", str(secret))
    check("no token", s.post("/predict", {"x": ROW})[0] == 401)
    for wrong in ("Bearer sesam", "Bearer sesame2", "Bearer ", "sesame"):
        check("a wrong token", s.post("/predict", {"x": ROW}, headers={"Authorization": wrong})[0] == 401)
    check("the token", s.post("/predict", {"x": ROW}, headers={"Authorization": "Bearer sesame"})[0] == 200)
    check("health is open", s.ask("GET", "/healthz")[0] == 200)
    s.end()


def beside_learning(model):
    """Readers on their own connections while one client learns."""
    s, wrong = Serving(model), []

    def read():
        connection = s.connect()
        for _ in range(300):
            status, answer = s.post("/predict", {"x": ROW}, connection=connection)
            if status != 200 or not isinstance(answer["prediction"], float):
                wrong.append(answer)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for i in range(300):
        s.post("/learn", {"x": ROW, "y": 10 + i % 3})
    for reader in readers:
        reader.join()
    check("every prediction beside learning is one", not wrong)
    s.end()


def killed(model):
    """After a kill the sequence says which samples were learned: the client goes on behind it, and none is lost or
    twice."""
    sent, chance = 0, random.Random(7)
    before = None
    for _ in range(KILLS):
        s = Serving(model, "--save-every", "1")
        health = s.ask("GET", "/healthz")[1]
        known = health["sources"].get("client", 0)
        before = before if before is not None else health["samples"] - known
        check("samples and sequence agree", health["samples"] - known == before and known <= sent + 1)  # one may have had no answer
        stop = threading.Timer(chance.uniform(.05, 1.6), s.process.kill)
        stop.start()
        sent = known
        try:
            while True:
                status, answer = s.post("/learn", {"x": ROW, "y": 10, "seq": {"source": "client", "n": sent + 1}})
                check("a sample of the sequence", status == 200 and "samples" in answer)
                sent += 1
        except (ConnectionError, http.client.HTTPException, OSError):
            pass
        stop.join()
        s.process.wait(PATIENCE)
    s = Serving(model)
    health = s.ask("GET", "/healthz")[1]
    check("the last snapshot agrees as well", health["samples"] - health["sources"].get("client", 0) == before)
    check("a repeated sample is not learned", "repeated" in s.post("/learn", {"x": ROW, "y": 1, "seq": {
        "source": "client", "n": health["sources"]["client"]}})[1] if health["sources"].get("client") else True)
    s.end()


def older_file():
    """Version 0.2.0 kept the positions of sources in a note: they are taken over, and saved as the model's own."""
    model = FOLDER / "older.anb"
    model.write_bytes((pathlib.Path(__file__).parent / "served-0.2.0.anb").read_bytes())
    for samples, known in ((205, 5), (206, 6)):
        s = Serving(str(model))
        health = s.ask("GET", "/healthz")[1]
        check("the sources of the file", health["sources"] == {"meter 7": known} and health["samples"] == samples)
        again = {"x": ROW, "y": 1, "seq": {"source": "meter 7", "n": known}}
        check("what it learned is not learned again", s.post("/learn", again)[1] == {"repeated": True, "last": known})
        again["seq"]["n"] = known + 1
        check("it goes on", "samples" in s.post("/learn", again)[1])
        s.end()


def unit():
    """Every unit owns the folder of the models, so all have one user: with one each, who starts takes the files from
    the others."""
    units = pathlib.Path(__file__).parent.parent / "packaging"
    lines = (units / "anabranch@.service").read_text().splitlines()
    check("they may listen where the program can", "RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX" in lines)
    check("the units share a user with their folder", {"StateDirectory=anabranch", "User=anabranch"} <= set(lines))
    check("where the disk is full a model goes where it stays after the end", {
        "ExecStartPre=+/usr/bin/install -d -m 1733 /run/anabranch-unsaved", "ReadWritePaths=-/run/anabranch-unsaved",
        "Environment=TMPDIR=/run/anabranch-unsaved"} <= set(lines))
    lines = (units / "anabranch@.socket").read_text().splitlines()
    check("its socket, as the manual says", {"ListenStream=/run/anabranch-%i.socket", "WantedBy=sockets.target"} <= set(lines))


def main():
    table = stream()
    model = train("model.anb", "pending(interval(scale(rls)))", table)
    answers(model)
    durations(model)
    refusals(model)
    cells()
    waiting(train("waiting.anb", "pending(scale(rls))", table), train("written.anb", "scale(rls)", table))
    ranked(train("ranked.anb", "pending(quantile(scale(rls), levels=[0.05, 0.1, 0.5, 0.9]))", table))
    written_by_another(train("written.anb", "scale(rls)", table))
    saving_in_time(train("timely.anb", "scale(rls)", table))
    full_disk(table)
    wrong_lines(model)
    tokens(model)
    beside_learning(model)
    killed(model)
    older_file()
    unit()
    passes("the service")


main()
