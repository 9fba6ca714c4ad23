"""The toy model of superposition, trained from scratch: its loss and the use of its experts, for three seeds.

    superposition_toy.py PROGRAM
"""
import json
import subprocess
import sys
import tempfile

for seed in "123":
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder, seed], check=True, capture_output=True)
        with open(folder + "/superposition.json") as file:
            said = json.load(file)
        with open(folder + "/superposition.svg") as file:
            assert file.read().count("expert ") >= 10
    print(f"seed {seed}: loss {said['loss_first']:.4f} to {said['loss_last']:.4f}, usage {min(said['usage']):.3f} to "
          f"{max(said['usage']):.3f}, {said['represented']} features represented")
    assert said["loss_first"] > 0.25 and said["loss_last"] <= 0.05, said
    assert all(0.07 <= u <= 0.13 for u in said["usage"]), said["usage"]
