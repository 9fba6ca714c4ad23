#!/usr/bin/env python3
"""The streams and peers of the benchmarks: streams_test.py BENCH ACCURACY

BENCH is the folder with more_streams.py and peers.py, ACCURACY the program that reads what they write.
"""
import csv
import importlib.util
import math
import pathlib
import subprocess
import sys
import tempfile
import unittest

BENCH, ACCURACY = pathlib.Path(sys.argv[1]), sys.argv[2]
sys.path.insert(0, str(BENCH))
import more_streams  # noqa: E402
import synthetic  # noqa: E402


def run(script, *words):
    done = subprocess.run([sys.executable, BENCH / script, *map(str, words)], capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def read(path):
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


def lines_of(table):
    with open(table, newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


class Folder(unittest.TestCase):
    def setUp(self):
        room = tempfile.TemporaryDirectory()
        self.addCleanup(room.cleanup)
        self.folder = pathlib.Path(room.name)

    def stream(self, name, rows):
        with open(self.folder / f"{name}.csv", "w") as file:
            file.write("a,b,y\n" + "".join(f"{a},{b},{y}\n" for a, b, y in rows))


class Streams(Folder):
    def test_synthetic_streams_are_numbers_with_the_target_last(self):
        code, out, _ = run("more_streams.py", self.folder, "--only", "syn_missing", "syn_levels")
        self.assertEqual((code, out), (0, "syn_missing\t6000\t5\nsyn_levels\t6000\t3\n"))
        header, rows = read(self.folder / "syn_missing.csv")
        self.assertEqual(header, ["a", "b", "c", "d", "e", "target"])
        self.assertTrue(all(math.isfinite(float(cell)) for row in rows for cell in row if cell))
        self.assertTrue(all(row[-1] for row in rows) and any(not cell for row in rows for cell in row))

    def test_every_synthetic_stream_is_the_same_twice_and_has_as_many_cells_as_names(self):
        for name in synthetic.STREAMS:
            header, rows = synthetic.rows_of(name)
            self.assertEqual({len(row) for row in rows}, {len(header)}, name)
            self.assertEqual(rows[:50], synthetic.rows_of(name)[1][:50], name)
            self.assertGreater(len({row[-1] for row in rows}), 3, name)

    def test_the_table_names_each_stream_once_and_leaves_no_target_out(self):
        names = [line[0] for line in more_streams.TABLE] + list(synthetic.STREAMS)
        self.assertEqual(len(names), len(set(names)))
        for name, _, target, _, left_out in more_streams.TABLE:
            self.assertNotIn(target, left_out.split(","), name)

    def test_a_stream_that_is_not_there_is_named(self):
        code, _, error = run("more_streams.py", self.folder, "--only", "syn_nothing")
        self.assertEqual(code, 1)
        self.assertIn("no stream syn_nothing; there are airfare, ", error)

    @unittest.skipIf(importlib.util.find_spec("pandas"), "pandas is here")
    def test_what_needs_a_package_is_left_out_by_name(self):
        code, out, _ = run("more_streams.py", self.folder, "--only", "boston", "syn_levels")
        self.assertEqual(code, 0)
        self.assertRegex(out, r"^skipped: boston: .*\nsyn_levels\t")

    @unittest.skipUnless(importlib.util.find_spec("pandas"), "pandas is not installed")
    def test_a_table_is_ordered_and_made_numbers(self):
        package = self.folder / "shop"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "sales.csv").write_text(
            "rownames,when,kind,size,paid,y\n1,2020-03-01,tea,1,5,7\n2,2020-01-01,,2,6,8\n3,2020-01-02,ale,,7,\n4,2020-01-03,ale,4,8,9\n"
        )
        sys.path.insert(0, str(self.folder))
        self.addCleanup(sys.path.remove, str(self.folder))
        header, rows = more_streams.real("shop:sales.csv", "y", "when", "pa*")
        self.assertEqual(header, ["kind", "size", "days", "month", "weekday", "y"])
        cells = [[more_streams.cell(value) for value in row] for row in rows]
        self.assertEqual(cells, [["", "2", "0", "1", "2", "8"], ["0", "4", "2", "1", "4", "9"], ["1", "1", "60", "3", "6", "7"]])


class Refitted(Folder):
    def compare(self, table):
        table_path = self.folder / "table.tsv"
        table_path.write_text("stream\trows\tevery\tmodel\tsetting\trmse_second_half\tseconds\tus\n" + table)
        return run("refitted.py", "compare", self.folder, table_path, ACCURACY, "last")

    def test_streams_without_a_reference_are_named(self):
        self.stream("one", [(i, 1, i % 4) for i in range(40)])
        self.stream("two", [(i, 1, i % 4) for i in range(40)])
        code, out, error = self.compare("other\t40\t20\tridge\talpha=1\t1\t.1\t1\n")
        self.assertEqual((code, out), (1, ""))
        self.assertRegex(error, r"no reference in .*table\.tsv for one, two; to fit them:\n.* fit .*--only one two\n$")
        code, out, error = self.compare("two\t40\t20\tridge\talpha=1\t1\t.1\t1\n")
        self.assertEqual((code, [line.split("\t")[0] for line in out.splitlines()]), (1, ["stream", "two", "geometric mean"]))
        self.assertIn(" for one; to fit", error)
        code, _, error = self.compare("".join(f"{name}\t40\t20\tridge\talpha=1\t1\t.1\t1\n" for name in ("one", "two")))
        self.assertEqual((code, error), (0, ""))

    def test_a_folder_without_streams_is_told(self):
        for script, *words in (
            ("refitted.py", "fit", self.folder, self.folder / "t.tsv"),
            ("refitted.py", "compare", self.folder, self.folder / "t.tsv", ACCURACY, "last"),
            ("peers.py", self.folder, self.folder / "t.tsv"),
            ("quantiles.py", ACCURACY, self.folder),
        ):
            code, out, error = run(script, *words)
            self.assertEqual((code, out, error), (1, "", f"{self.folder}: no file NAME.csv\n"), script)
        self.assertFalse((self.folder / "t.tsv").exists())
        self.stream("one", [(i, 1, i % 4) for i in range(40)])
        code, _, error = run("peers.py", self.folder, self.folder / "t.tsv", "--only", "on")
        self.assertEqual((code, error), (1, f"{self.folder}: no stream on; there are one\n"))


class Peers(Folder):
    def peers(self, *words):
        return run("peers.py", self.folder, self.folder / "peers.tsv", *words)

    def test_a_line_a_stream_and_learner_that_accuracy_reads(self):
        self.stream("small", [(i % 5, i % 3, i % 5 + 2) for i in range(40)])
        code, out, error = self.peers("--learners", "ref_last", "ref_mean")
        self.assertEqual((code, out, error), (0, "small ref_last ref_mean\n", ""))
        last, mean = lines_of(self.folder / "peers.tsv")
        self.assertEqual([last[k] for k in ("stream", "learner", "kind", "n")], ["small", "ref_last", "online", "40"])
        self.assertAlmostEqual(float(last["rmse"]), math.sqrt((2**2 + 32 * 1 + 7 * 16) / 40), places=5)
        self.assertGreater(float(mean["r2"]), float(last["r2"]))
        done = subprocess.run(
            [ACCURACY, "--data", self.folder, "--peers", self.folder / "peers.tsv", "--seeds", "1", "--format", "csv", "mean"],
            capture_output=True, text=True, check=True,
        )
        (row,) = csv.DictReader(done.stdout.splitlines())
        self.assertEqual((row["peer"], row["peer_rmse"][:6]), ("ref_mean", mean["rmse"][:6]))

    def test_a_run_goes_on_where_it_was_stopped(self):
        self.stream("one", [(i, 1, i % 4) for i in range(20)])
        self.peers("--learners", "ref_last")
        before = (self.folder / "peers.tsv").read_text()
        self.stream("two", [(i, 1, i % 4) for i in range(20)])
        self.assertEqual(self.peers("--learners", "ref_last")[1], "two ref_last\n")
        after = (self.folder / "peers.tsv").read_text()
        self.assertTrue(after.startswith(before) and after.count("\n") == 3)

    def test_what_takes_too_long_does_not_count(self):
        self.stream("long", [(i, 1, i % 4) for i in range(500)])
        self.peers("--learners", "ref_mean", "--seconds", "0")
        (line,) = lines_of(self.folder / "peers.tsv")
        self.assertEqual(line["kind"], "slow")
        self.assertLess(int(line["n"]), 500)

    def test_each_library_learns_a_plane_with_a_missing_cell(self):
        self.stream("plane", [("" if i % 7 == 3 else i % 11, i % 5, 3 * (i % 5) + 20) for i in range(400)])
        for learner in ("river_bayeslin", "vw_default", "moa_fimtdd_ts"):
            code, out, error = self.peers("--learners", learner)
            self.assertEqual((code, error), (0, ""))
            if "skipped" in out:
                print(out.splitlines()[-1])
        mean = self.peers("--learners", "ref_mean") and lines_of(self.folder / "peers.tsv")[-1]
        for line in lines_of(self.folder / "peers.tsv")[:-1]:
            self.assertLess(float(line["rmse_second_half"]), 0.7 * float(mean["rmse_second_half"]), line["learner"])


if __name__ == "__main__":
    result = unittest.main(argv=sys.argv[:1], exit=False, verbosity=0).result
    for test, why in result.skipped:
        print(f"skipped: {test.id()}: {why}")
    failed = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - failed - len(result.skipped)} passed, {failed} failed")
    sys.exit(failed > 0)
