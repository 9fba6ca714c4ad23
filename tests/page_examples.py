#!/usr/bin/env python3
"""The examples in C of the public headers' comments, the README and the manual compile without a warning and run.

    page_examples.py SOURCE LIBRARY WORK_FOLDER CC...

An example of a page is a block marked c. One of a header is an indented block of a comment that calls a function of the
library in a statement; comments in it begin with //. An example without a main stands in a function that has declared
what the text around the examples speaks of: a model of eight features, a row, a target (see BEFORE). That it runs means
that it ends with status 0.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

BEFORE = """
static int write(void *context, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, context) == size ? 0 : ANB_E_IO;
}
typedef struct Mine { AnbObserver base; unsigned calls; } Mine;
static void count(AnbObserver *self, StreamingLearner *model, const double *x, double y, double before)
{
    (void)model, (void)x, (void)y, (void)before;
    ((Mine *)self)->calls++;
}
%(type)s
int main(void)
{
    AnbError error = {0};
    StreamingLearner *model = %(model)s;
    double x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, y = 9;
    Mine mine = {.base = {.observe = count}};
    if (!model)
        return fprintf(stderr, "%%s\\n", error.message), 1;
    for (int i = 0; i < 200; i++)
        anb_train_one(model, x, y + i %% 3, 1);
    if (anb_counters(model)->trained != 200)
        return fprintf(stderr, "not learned\\n"), 1;
    (void)write, (void)mine;
    {
%(body)s
    }
    return 0;
}
"""
MODEL = 'anb_parse(8, "scale(moe(linear, rls, mean))", NULL, &error)'
# An example inside a type's own function: a type of a caller's that answers what its child, a knn, is asked.
A_TYPE = """
static double ask(const AnbNode *self, const void *state, const AnbRow *row, double *scratch)
{
    double said = anb_child_predict(self, 0, state, row, scratch);
    {
%(body)s
    }
    return said;
}
static void learn(const AnbNode *self, void *state, const AnbRow *row, double y, double weight, double *scratch)
{
    anb_child_update(self, 0, state, row, y, weight, scratch);
}
static const StreamingLearnerType asker = {.name = "asker", .brief = "asks its child", .min_children = 1, .max_children = 1,
                                           .predict = ask, .update = learn};
"""
ITS_MODEL = "anb_new(8, &(AnbExpert){&asker, .n_children = 1, .children = (AnbExpert[]){{.type = &anb_knn}}}, NULL, &error)"


def c_name(path, line):
    return re.sub(r"\W", "_", f"{path.stem}_{line}")


def from_page(path):
    text = path.read_text()
    for block in re.finditer(r"^```c\n(.*?)^```$", text, re.S | re.M):
        yield text[:block.start()].count("\n") + 2, block.group(1)


def from_header(path):
    text = path.read_text()
    for block in re.finditer(r"(?:^ \*     .*\n(?:^ \*\n(?=^ \*     ))?)+", text, re.M):
        code = "".join(line[7:] or "\n" for line in block.group(0).splitlines(True))
        if re.search(r"\banb_\w+\(.*;", code, re.S) and not re.match(r"\s", code):
            yield text[:block.start()].count("\n") + 1, code


def program(source, code):
    headers = sorted((source / "include" / "anabranch").glob("*.h"))
    head = "".join(f"#include <anabranch/{path.name}>\n" for path in headers) + "#include <stdio.h>\n#include <stdlib.h>\n"
    if re.search(r"^int main\(", code, re.M):
        return code
    if re.search(r"\bself\b", code):
        return head + BEFORE % {"type": A_TYPE % {"body": code}, "model": ITS_MODEL, "body": "anb_predict(model, x);"}
    return head + BEFORE % {"type": "", "model": MODEL, "body": code}


def try_example(source, library, work, cc, path, line, code):
    """What is wrong with the example, or an empty text."""
    name = c_name(path, line)
    file, binary = work / f"{name}.c", work / name
    file.write_text(program(source, code))
    flags = ["-std=c11", "-D_POSIX_C_SOURCE=200809L", "-Wall", "-Wextra", "-Werror", "-Wno-unused-variable",
             "-Wno-unused-but-set-variable", "-I", source / "include"]
    done = subprocess.run([*cc, *flags, file, "-o", binary, library, f"-Wl,-rpath,{library.parent}"],
                          capture_output=True, text=True)
    if done.returncode:
        return done.stderr
    done = subprocess.run([binary], capture_output=True, text=True, timeout=60, cwd=work, env=os.environ | {"LC_ALL": "C"})
    return f"status {done.returncode}: {done.stderr}" if done.returncode else ""


def main():
    source, library, work, cc = *map(pathlib.Path, sys.argv[1:4]), sys.argv[4:]
    work.mkdir(parents=True, exist_ok=True)
    pages = [source / "README.md", *sorted((source / "docs").glob("**/*.md"))]
    found = [(path, *example) for path in pages for example in from_page(path)]
    found += [(path, *example) for path in sorted((source / "include" / "anabranch").glob("*.h")) for example in from_header(path)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = list(pool.map(lambda e: try_example(source, library, work, cc, *e), found))
    failed = 0
    for (path, line, _), problem in zip(found, problems):
        if problem:
            failed += 1
            print(f"{path.relative_to(source)}:{line}: {problem}")
    print(f"100%: Checks: {len(found)}, Failures: {failed}, Errors: 0")
    return 1 if failed or not found else 0


sys.exit(main())
