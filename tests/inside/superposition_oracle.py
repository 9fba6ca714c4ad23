"""The superposition analysis by its formulas alone, against what the library said of random matrices: to 1e-12.

    superposition_oracle.py TRACE_PROGRAM
"""
import math
import subprocess
import sys


def dot(a, b):
    return math.fsum(p * q for p, q in zip(a, b))


def expected(w, experts):
    n = len(w)
    norm = [math.sqrt(dot(r, r)) for r in w]
    unit = [[v / m for v in r] if m else r for r, m in zip(w, norm)]
    inside = [[0.0 if i == j else dot(unit[i], w[j]) for j in range(n)] for i in range(n)]
    shared = [math.fsum(dot(unit[i], w[j]) ** 2 for j in range(n)) for i in range(n)]
    total = [math.fsum(dot(x[i], x[i]) for x in experts) for i in range(n)]
    return {
        "norm": norm,
        "dimensionality": [m * m / d if m else 0.0 for m, d in zip(norm, shared)],
        "specialization": [m * m / t if t else 0.0 for m, t in zip(norm, total)],
        "polysemanticity": [math.sqrt(dot(r, r)) for r in inside],
        "interference": [v for r in inside for v in r],
        "gram": [dot(a, b) for a in w for b in w],
    }


def close(name, ours, wanted):
    size = max([1e-300] + [abs(v) for v in wanted])
    assert len(ours) == len(wanted), name
    for a, b in zip(ours, wanted):
        assert math.isfinite(a) and abs(a - b) <= 1e-12 * size, f"{name}: {a!r}, not {b!r}"


def check(program, seed, scale):
    said = {}
    for line in subprocess.run([program, seed, scale], check=True, capture_output=True, text=True).stdout.splitlines():
        name, *fields = line.split()
        said.setdefault(name, []).append([float(f) for f in fields])
    e, n, _ = (int(v) for v in said["shape"][0])
    experts = [said["w"][i * n:(i + 1) * n] for i in range(e)]
    wanted = [expected(w, experts) for w in experts]
    presence, usage = said["presence"][0], said["usage"][0]
    for i, want in enumerate(wanted):
        for name, values in want.items():
            close(name, said[name][i], values)
        inside = want["interference"]
        close("net", said["net"][i], [math.fsum(p * inside[a * n + b] ** 2 for b, p in enumerate(presence)) for a in range(n)])
        order = sorted((p, a) for a, (p, m) in enumerate(zip(want["polysemanticity"], want["norm"])) if m > 0)
        assert said["monosemantic"][i] == [a for _, a in order[:4]]
    by_usage = [math.fsum(u * w["dimensionality"][a] for u, w in zip(usage, wanted)) for a in range(n)]
    by_share = [math.fsum(w["specialization"][a] * w["dimensionality"][a] for w in wanted) for a in range(n)]
    close("global_by_usage", said["global_by_usage"][0], by_usage)
    close("global", said["global"][0], by_share)
    assert said["represented"][0][0] == sum(v > 0.05 for v in by_share)
    assert by_share[7] == 0 and said["dimensionality"][0][2] == 0


for seed in range(1, 41):
    check(sys.argv[1], str(seed), "1")
check(sys.argv[1], "7", "1e100")
check(sys.argv[1], "7", "1e-100")
print("42 sets of matrices")
