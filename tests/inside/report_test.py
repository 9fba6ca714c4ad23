"""Diagnostics as files, and the page made of them: its numbers are the records'.

    report_test.py PROGRAM [chromium]

With `chromium` the page is opened in a headless browser as well, where one is installed: no error on its console, and the
same numbers in the page that its script has seen.
"""
import csv
import html.parser
import json
import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

PROGRAM = sys.argv[1]
LEARNER = "scale(moe(mean, linear, rls(lambda=0.99), mlp(hidden=6), last, top_k=3, utilization_threshold=0.02))"


def run(*args, **kw):
    return subprocess.run([PROGRAM, *args], check=True, capture_output=True, text=True, **kw).stdout


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.values, self.outside = {}, []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if "data-m" in a:
            self.values[a["data-m"]] = a["data-v"]
        for key in ("src", "href"):
            if key in a and not a[key].startswith("data:"):
                self.outside.append(a[key])


def records(path):
    with open(path) as file:
        lines = [json.loads(line) for line in file]
    assert "summary" in lines[-1] and all("samples" in r for r in lines[:-1])
    return lines[:-1], lines[-1]["summary"]


def same_numbers(text, last):
    page = Page(text)
    assert not page.outside, page.outside
    assert len(page.values) > 40
    for key, said in page.values.items():
        name, index = key.rsplit(".", 1)
        value = last[name]
        value = value[int(index)] if isinstance(value, list) else value
        assert (said == "" and value is None) or float(said) == value, (key, said, value)


def same_series(text, kept):
    data = json.loads(re.search(r"const D=(\{.*?\});\n</script>", text, re.S).group(1))
    by_samples = {r["samples"]: r for r in kept}
    assert len(data["x"]) <= 800
    for i, x in enumerate(data["x"]):
        record = by_samples[x]
        for key in ("rmse", "mean_rmse", "last_rmse", "gate_entropy", "disagreement"):
            assert math.isclose(data[key][i], record[key], rel_tol=1e-4, abs_tol=1e-300), (key, i)
        for k, share in enumerate(record["expert_share"]):
            assert math.isclose(data[f"expert_share.{k}"][i], share, rel_tol=1e-4, abs_tol=1e-300)
    return data


def browser():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if shutil.which(name):
            return name
    return None


def in_browser(name, page, last, width):
    out = subprocess.run([name, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                          "--enable-logging=stderr", f"--window-size={width},1000", "--virtual-time-budget=2000",
                          "--dump-dom", "file://" + page], capture_output=True, text=True, timeout=240)
    complaints = [line for line in out.stderr.splitlines() if "CONSOLE" in line]
    assert out.returncode == 0 and not complaints, (out.returncode, complaints)
    same_numbers(out.stdout, last)
    assert out.stdout.count("<path class=\"line") >= 5


def main(folder):
    data, diag, page = (os.path.join(folder, n) for n in ("s.csv", "run.jsonl", "run.html"))
    run("generate", "friedman", "--rows", "2500", "--drift", "gra", "-o", data)
    run("eval", data, "-l", LEARNER, "--diag", diag)
    run("report", diag, "-o", page)
    kept, summary = records(diag)
    assert len(kept) == 2500 and summary["learner"].startswith("scale(moe(") and len(summary["superposition"]) == 1
    n = len(summary["features"])
    assert len(summary["superposition"][0]["gram"]) == n and len(summary["coactivation"]) == 5
    for r in kept:
        assert all(0 <= low <= high <= 1 for low, high, _ in r["rules"].values())
        assert math.isclose(sum(r["expert_share"]), 1, rel_tol=1e-9) and math.isclose(sum(r["expert_load"]), 3, rel_tol=1e-9)
    with open(page) as file:
        text = file.read()
    assert len(text) < 2_000_000
    same_numbers(text, kept[-1])
    same_series(text, kept)
    top = run("top", diag)
    assert "rls_2" in top and "routing_stability" in top and f"{kept[-1]['samples']:,}" in top

    table = os.path.join(folder, "run.csv")
    run("eval", data, "-l", LEARNER, "--diag", table, "--diag-every", "500")
    with open(table) as file:
        rows = list(csv.DictReader(file))
    assert [int(r["samples"]) for r in rows] == [500, 1000, 1500, 2000, 2500]
    for r, record in zip(rows, kept[499::500]):
        assert float(r["rmse"]) == record["rmse"] and float(r["expert_load.rls_2"]) == record["expert_load"][2]
        assert float(r["rule.routing_stability.severity"]) == record["rules"]["routing_stability"][2]

    plain = os.path.join(folder, "plain.jsonl")
    run("eval", data, "-l", "scale(linear)", "--diag", plain, "--diag-every", "7")
    run("report", plain, "-o", page)
    with open(page) as file:
        assert "Rule audit" not in file.read()
    for bad in ("", "{\"samples\":1}\n{\"samples\":", "[1]\n", "{\"a\":1}\n"):
        with open(plain, "w") as file:
            file.write(bad)
        failed = subprocess.run([PROGRAM, "report", plain, "-o", page], capture_output=True, text=True)
        assert failed.returncode == 1 and failed.stderr.startswith("anabranch: "), (bad, failed)

    rules = os.path.join(folder, "rules")
    for text, status in (("0.9 :: stable_loss -> low\n", 2), ("low = ramp(gate_margin, 0.2, slope=-12)\n"
                                                             "torn = 0.9 :: low & ~stable_loss\n", 0)):
        with open(rules, "w") as file:
            file.write(text)
        done = subprocess.run([PROGRAM, "eval", data, "-l", LEARNER, "--diag", plain, "--diag-every", "100", "--rules", rules],
                              capture_output=True, text=True)
        assert done.returncode == status and ("byte 22" in done.stderr) == (status == 2), (text, done)
    assert list(records(plain)[0][-1]["rules"]) == ["torn"]

    if "chromium" in sys.argv:
        run("report", diag, "-o", page)
        if not browser():
            print("skipped: no Chromium here; the page was not opened in a browser")
            sys.exit(77)
        for width in (1400, 390):
            in_browser(browser(), page, kept[-1], width)
        print("opened in", browser(), "at 1400 and 390 pixels")
    print("records, page, top and CSV agree")


with tempfile.TemporaryDirectory() as folder:
    main(folder)
