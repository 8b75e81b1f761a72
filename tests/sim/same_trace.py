"""The same seed gives the same trace, byte for byte, in two processes."""
import subprocess
import sys

program = sys.argv[1]
for seed in sys.argv[2:]:
    traces = [subprocess.run([program, "--seed", seed, "--trace"], capture_output=True, check=True, timeout=300).stdout
              for _ in range(2)]
    if len(traces[0]) < 10_000:
        sys.exit(f"seed {seed}: the trace is empty or nearly so")
    if traces[0] != traces[1]:
        sys.exit(f"seed {seed}: two processes gave different traces")
print("the same")
