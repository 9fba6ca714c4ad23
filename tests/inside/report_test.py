"""Diagnostics as files, and the page made of them: its numbers are the records'.

    report_test.py PROGRAM [chromium]

With `chromium` the page is opened in a headless browser as well, where one is installed: no error on its console, the
same numbers in the page that its script has seen, nothing wider than the window at 1400 and 390 pixels, and values
that the pointer and the arrow keys tell.
"""
import csv
import html
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
        self.values, self.outside, self.places, self.links = {}, [], set(), set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        a = dict(attributes)
        if "data-m" in a:
            self.values[a["data-m"]] = a["data-v"]
        for key in ("src", "href"):
            if key in a and a[key].startswith("#"):
                self.links.add(a[key][1:])
            elif key in a and not a[key].startswith("data:"):
                self.outside.append(a[key])
        self.places.add(a.get("id"))


def records(path):
    with open(path) as file:
        lines = [json.loads(line) for line in file]
    assert "summary" in lines[-1] and all("samples" in r for r in lines[:-1])
    return lines[:-1], lines[-1]["summary"]


def same_numbers(text, last):
    page = Page(text)
    assert not page.outside and page.links <= page.places, (page.outside, page.links - page.places)
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


# Asks the page in its own window: how wide it is, its figures, and what each chart says at its end, its start and under
# a pointer. The window is a frame, since a browser's own has a least width.
PROBE = """<script>
{
  const said = {width: document.documentElement.scrollWidth, window: window.innerWidth, texts: []};
  for (const chart of document.querySelectorAll(".chart[data-x]")) {
    const plot = chart.querySelector(".plot"), value = chart.querySelector("b[data-k]"), box = plot.getBoundingClientRect();
    const key = k => plot.dispatchEvent(new KeyboardEvent("keydown", {key: k, bubbles: true}));
    const texts = [value.textContent];
    key("Home"); texts.push(chart.querySelector(".xs em").textContent);
    key("End"); texts.push(value.textContent);
    key("ArrowLeft"); key("Escape"); texts.push(value.textContent);
    plot.dispatchEvent(new PointerEvent("pointermove", {clientX: box.left + box.width / 2, pointerType: "mouse"}));
    texts.push(chart.querySelector(".cursor").style.display);
    plot.dispatchEvent(new PointerEvent("pointerleave", {pointerType: "mouse"}));
    texts.push(chart.querySelector(".cursor").style.display, String(plot.tabIndex));
    said.texts.push(texts);
  }
  said.page = document.documentElement.outerHTML;
  parent.document.body.dataset.said = JSON.stringify(said);
}
</script></body>"""


def in_browser(name, page, last, width, profile):
    framed = page + ".framed.html"
    with open(page) as file, open(framed, "w") as out:
        inner = html.escape(file.read().replace("</body>", PROBE))
        out.write(f'<!doctype html><link rel="icon" href="data:,"><body><iframe width="{width}" height="900" srcdoc="{inner}"></iframe>')
    out = subprocess.run([name, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
                          "--disable-quic", "--no-first-run", "--disable-component-update", "--disable-sync",
                          "--user-data-dir=" + profile, "--enable-logging=stderr", "--window-size=1500,1000",
                          "--virtual-time-budget=2000", "--dump-dom", "file://" + framed], capture_output=True, text=True,
                         timeout=240)
    complaints = [line for line in out.stderr.splitlines() if "CONSOLE" in line]
    assert out.returncode == 0 and not complaints, (out.returncode, complaints)
    said = json.loads(html.unescape(re.search(r'data-said="(.*?)"', out.stdout).group(1)))
    same_numbers(said["page"], last)
    assert said["page"].count("<path class=\"line") >= 5
    assert said["width"] <= said["window"] == width, (said["width"], said["window"])
    assert len(said["texts"]) >= 6
    for before, start, end, after, shown, hidden, reached in said["texts"]:
        assert start and before == after and (end or not before), said["texts"]
        assert shown == "block" and hidden == "none" and reached == "0", said["texts"]


def typed(folder):
    """A table with categories, times, missing cells, a bad line and wrong targets: every panel of the page."""
    data, diag, page = (os.path.join(folder, n) for n in ("t.csv", "typed.jsonl", "typed.html"))
    run("generate", "sensors", "--rows", "3000", "-o", data)
    with open(data) as file:
        lines = file.read().splitlines()
    lines[1000] += ",1,2"
    lines[2000] = lines[2000].replace("m", "<b>&", 1)
    with open(data, "w") as file:
        file.write("\n".join(lines) + "\n")
    run("eval", data, "-l", "interval(scale(moe(rls, mlp(hidden=4), router=softmax)))", "--on-bad-row", "skip", "--diag", diag,
        "--importance", "5", "--explain", "3")
    run("report", diag, "-o", page)
    kept, summary = records(diag)
    with open(page) as file:
        text = file.read()
    same_numbers(text, kept[-1])
    explained(summary)
    counted(summary, kept, lines)
    shown = [c for c in summary["categories"] if c["column"] == "machine"]
    assert len(shown) == 1 and {"<b>&"} & {t["name"][:4] for t in shown[0]["top"]} and "<b>&" not in text and "&#60;b&#62;&#38;" in text
    names = summary["superposition"][0]["features"]
    assert len(names) == len(summary["superposition"][0]["norm"]) and "machine=effect" in names and "when=hour-sine" in names
    importance = [sum(column) for column in zip(*(record["feature_importance"] for record in kept))]
    assert len(importance) == len(summary["features"]) and importance[summary["features"].index("machine")] == max(importance)
    for part in ("Predictions against the truth", "Calibration of the intervals", "Importance over time", "Where cells were missing",
                 "Why the last rows", "Rows that could not be read", "the row has 10 cells", "machine=effect", "by the hour of the week"):
        assert part in text, part
    return page, kept[-1]


def explained(summary):
    assert [r["row"] for r in summary["lately"]] == [3000, 2999, 2998]
    for r in summary["lately"]:
        adds = sum(c["adds"] for c in r["columns"]) + r["rest"]
        assert math.isclose(r["base"] + adds, r["now"], rel_tol=1e-9) and r["low"] < r["prediction"] < r["high"]
        assert {c["name"] for c in r["columns"]} <= set(summary["features"]) and all(c["cell"] for c in r["columns"])


def counted(summary, kept, lines):
    """Errors, missing cells and bad rows against what the records and the table say."""
    errors = sorted(r["error"] for r in kept)
    said = summary["residuals"]
    assert said["n"] == len(errors) == 2999
    for q, value in zip((.05, .25, .5, .75, .95), said["quantiles"]):
        assert abs(value - errors[int(q * len(errors))]) <= .07 * max(abs(value), .1), (q, value)
    inside = sum(abs(e) <= said["most"] for e in errors)
    assert math.isclose(sum(said["counts"]), inside, rel_tol=.01), (sum(said["counts"]), inside)
    rows = [line.split(",") for i, line in enumerate(lines[1:], 1) if i != 1000]
    for column in summary["missing"]["columns"]:
        at = lines[0].split(",").index(column["column"])
        where = [i for i, row in enumerate(lines[1:], 1) if i != 1000 and row.split(",")[at] == ""]
        assert column["cells"] == len(where) == sum(column["parts"]), column
        assert (column["first"], column["last"]) == (where[0], where[-1]), column
    assert summary["missing"]["rows"] == len(rows) and len(summary["missing"]["columns"]) >= 3
    rejected = summary["rejected"]
    assert (rejected["bad"], rejected["refused"], rejected["rows"][0]["line"]) == (1, 0, 1001), rejected


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
    for bad in ("", "{\"samples\":", "{\"samples\":1}\n{\"samples\":\n", "[1]\n", "{\"a\":1}\n"):
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

    typed(folder)
    if "chromium" in sys.argv:
        run("report", diag, "-o", page)
        if not browser():
            print("skipped: no Chromium here; the page was not opened in a browser")
            sys.exit(77)
        for opened, last in ((page, kept[-1]), typed(folder)):
            for width in (1400, 390):
                in_browser(browser(), opened, last, width, os.path.join(folder, "profile"))
        print("opened in", browser(), "at 1400 and 390 pixels")
    print("records, page, top and CSV agree")


with tempfile.TemporaryDirectory() as folder:
    main(folder)
