"""The Prometheus text, read by prometheus-client where that is installed.

    prometheus_test.py TRACE_PROGRAM
"""
import json
import subprocess
import sys

try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    print("skipped: the Python package prometheus-client is not installed")
    sys.exit(77)

text = subprocess.run([sys.argv[1]], check=True, capture_output=True, text=True).stdout
record = json.loads(text[text.index("# JSON ") + 7:])
names = record["expert_name"]
labels = [n if names.count(n) == 1 else f"{n}_{i}" for i, n in enumerate(names)]
seen = set()
for family in text_string_to_metric_families(text[:text.index("# JSON ")]):
    assert family.type in ("counter", "gauge") and family.documentation, family
    for sample in family.samples:
        name = sample.name.removeprefix("anabranch_")
        assert name.endswith("_total") == (family.type == "counter"), sample
        value = record[name.removesuffix("_total")]
        if "expert" in sample.labels:
            assert set(sample.labels) == {"expert"}
            value = value[labels.index(sample.labels["expert"])]
        assert sample.value == value, (sample, value)
        key = (sample.name, sample.labels.get("expert"))
        assert key not in seen, key
        seen.add(key)
assert len(seen) > 100, len(seen)
print(len(seen), "samples")
