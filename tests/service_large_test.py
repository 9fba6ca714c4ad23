#!/usr/bin/env python3
"""Large requests of a service, and who asks beside them: service_large_test.py PROGRAM CLOCK FOLDER

The service has one thread that listens, so that a request which kept it would keep everybody else.
"""
import threading

from serving import ROW, Serving, check, passes, stream, train

ROWS, TRIES = 4000, 50


def sample(i):
    return {"x": ROW[i % 10:] + ROW[:i % 10], "y": i % 7}


class Large:
    """A request under way, of a client of its own."""

    def __init__(self, s, path, body):
        self.status = None
        self.thread = threading.Thread(target=self.ask, args=(s, path, body))
        self.thread.start()

    def ask(self, s, path, body):
        status, answer = 0, {}
        try:
            status, answer = s.post(path, body, connection=s.connect())
        except ConnectionError:  # the service ended before it had the whole request
            pass
        self.answer = {"answers": [], "row": 1, **answer}  # of a service that ends: no answers where no row was learned
        self.status = status

    def over(self):
        return self.status is not None


def others_are_answered(model):
    """One thread listens, learns nothing of a large request, and answers others between its rows: predictions and
    samples."""
    s = Serving(model, "--threads", "1", "--max-body", "10000000")
    body, between = {"rows": [sample(i) for i in range(ROWS)]}, []
    for _ in range(TRIES):
        large, seen, start = Large(s, "/learn", body), [], len(between)
        while not large.over():
            check("a prediction", s.post("/predict", {"x": ROW, "id": 5})[0] == 200)
            seen.append(s.ask("GET", "/healthz")[1]["samples"])
            between.append(s.post("/learn", {"x": ROW, "y": 1})[1]["samples"])
            between.append(s.post("/label", {"id": 5, "y": 1})[1]["samples"])
        check("the large request is answered", large.status == 200)
        told = [answer["samples"] for answer in large.answer["answers"]]
        if any(told[0] < n < told[-1] for n in between[start:]) and any(told[0] <= n < told[-1] for n in seen):
            break
    check("samples of others are learned between its rows", any(told[0] < n < told[-1] for n in between[start:]))
    check("others are answered meanwhile", any(told[0] <= n < told[-1] for n in seen))
    counted = sorted(told + [n for n in between[start:] if told[0] < n < told[-1]])
    check("each sample is counted, in the order of the rows", counted == list(range(told[0], told[-1] + 1))
          and told == sorted(told))
    for _ in range(TRIES):  # what was learned may be published amid them
        status, many = s.post("/predict", {"rows": [{"x": ROW}] * ROWS})
        one = s.post("/predict", {"x": ROW})[1]
        if status != 200 or many["answers"][-1] == one:
            break
    check("a large request of predictions", status == 200 and many["answers"][-1] == one and len(many["answers"]) == ROWS)
    check("what is wrong with large bodies is told as with small ones", s.post("/learn", b"[" * 9000)[0] == 400
          and s.post("/nowhere", b" " * 9000)[0] == 404)
    s.end()


def a_refused_row(model):
    """The rows before one that is refused are learned, those behind it are not."""
    rows = [sample(i) for i in range(ROWS)]
    rows[ROWS // 2] = {"x": ROW, "y": "a"}
    s = Serving(model, "--threads", "1", "--max-body", "10000000")
    before = s.ask("GET", "/healthz")[1]["samples"]
    status, answer = s.post("/learn", {"rows": rows})
    check("the number of the row, and the answers before it", status == 400 and answer["row"] == ROWS // 2 + 1
          and len(answer["answers"]) == ROWS // 2)
    check("whose rows are learned", s.ask("GET", "/healthz")[1]["samples"] == before + ROWS // 2)
    s.end()


def the_end_in_between(model):
    """A signal ends a large request before its next row. Its answer says how far it came, and so much is saved."""
    rows = [sample(i) for i in range(ROWS)]
    for _ in range(TRIES):
        s = Serving(model, "--threads", "1", "--max-body", "10000000")
        before = s.ask("GET", "/healthz")[1]["samples"]
        large, also = (Large(s, "/learn", {"rows": rows}) for _ in range(2))
        while not large.over() and not also.over() and s.ask("GET", "/healthz")[1]["samples"] == before:
            pass
        check("it ends in order", s.end() == 0)
        learned = 0
        for request in (large, also):
            request.thread.join()
            learned += len(request.answer["answers"])
            check("an answer that says where it ended", request.status == 200 or request.status in (0, 503)
                  and request.answer["row"] == len(request.answer["answers"]) + 1)
        again = Serving(model)
        check("what was learned is saved", again.ask("GET", "/healthz")[1]["samples"] == before + learned)
        again.end()
        if large.status == also.status == 503:
            break
    check("large requests end with the service", large.status == also.status == 503)


def main():
    model = train("large.anb", "pending(scale(rls))", stream())
    others_are_answered(model)
    a_refused_row(model)
    the_end_in_between(model)
    passes("large requests")


main()
