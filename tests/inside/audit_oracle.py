"""The rule audit by its formulas alone, against what the library said: each step to 1e-12.

    audit_oracle.py TRACE_PROGRAM EXPRESSION PERIOD STEPS
"""
import math
import subprocess
import sys


def ratio(a, b):
    return a / b if b else 0.0


def sigmoid(v):
    return 1 / (1 + math.exp(-v)) if v > -700 else 0.0


def ramp(v, offset, slope=12.0):
    a, b = sigmoid(slope * (v - (offset + 0.05))), sigmoid(slope * (v - (offset - 0.05)))
    return min(a, b), max(a, b)


def no(a):
    return 1 - a[1], 1 - a[0]


def both(*terms):
    return tuple(min(1, max(0, 1 - sum(1 - t[i] for t in terms))) for i in (0, 1))


class Audit:
    def __init__(self):
        self.losses, self.norms = [], []

    def metrics(self, k, samples, weights):
        n = len(samples)
        confidence = math.fsum(max(p) for _, _, p in samples) / n
        entropy = math.fsum(-sum(q * math.log(q) for q in p if q > 1e-15) for _, _, p in samples) / n / math.log(k)
        firsts = [0] * k
        for _, _, p in samples:
            firsts[p.index(max(p))] += 1
        imbalance = math.sqrt(math.fsum((f / n - 1 / k) ** 2 for f in firsts) / k) / 0.5
        loss = math.sqrt(math.fsum((y - f) ** 2 for y, f, _ in samples) / n)
        norm = math.sqrt(math.fsum(w * w for w in weights))
        self.losses.append(loss)
        self.norms.append(norm)
        last = self.losses[-10:]
        trend = growth = 0.0
        if len(self.losses) >= 11:
            trend = math.fsum(b - a for a, b in zip(last, last[1:])) / 9
            growth = ratio(norm - self.norms[-11], norm)
        change = ratio(10 * abs(trend), math.fsum(last) / len(last))
        return [confidence, entropy, imbalance, loss, trend, change, float(trend < 0), norm, growth]

    def rules(self, m):
        confidence, entropy, imbalance, _, _, change, falling, _, growth = m
        sure = ramp(confidence, 0.35)
        low_entropy = ramp(1 - entropy, 0.4)
        uneven = ramp(imbalance, 0.2)
        growing = ramp(0.5 + growth, 0.5)
        stable = ramp(1 - change, 0.5)
        falls = ramp(falling, 0.4)
        return [(0.85, both(sure, low_entropy)), (0.75, both(uneven, growing)), (0.80, both(sure, stable)),
                (0.70, both(falls, low_entropy)), (0.65, both(no(low_entropy), no(sure))),
                (0.75, both(low_entropy, no(uneven)))]


def main():
    program, expression, period, steps = sys.argv[1:]
    text = subprocess.run([program, expression, period, steps], check=True, capture_output=True, text=True).stdout
    audit, worst, lines = Audit(), 0.0, 0
    for line in text.splitlines():
        field = [float(f) for f in line.split()]
        k, n = int(field[0]), int(field[1])
        at = 2
        samples = []
        for _ in range(n):
            samples.append((field[at], field[at + 1], field[at + 2:at + 2 + k]))
            at += 2 + k
        weights = field[at + 1:at + 1 + int(field[at])]
        at += 1 + len(weights)
        wanted = audit.metrics(k, samples, weights)
        for weight, (low, high) in audit.rules(wanted):
            assert low <= high
            wanted += [low, high, weight * (low + high) / 2]
        ours = field[at:at + 9] + field[at + 11:]  # without idle and regret, of which no rule is made (check_audit has them)
        assert len(ours) == len(wanted), (len(ours), len(wanted))
        for i, (a, b) in enumerate(zip(ours, wanted)):
            worst = max(worst, abs(a - b) / max(1, abs(b)))
            assert abs(a - b) <= 1e-12 * max(1, abs(b)), f"step {lines}, value {i}: {a!r}, not {b!r}"
        lines += 1
    assert lines == int(steps), lines
    print(f"{expression}: {lines} steps, largest deviation {worst:.2g}")


main()
