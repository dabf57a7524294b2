"""Adds up the closing lines of the test runners in a log: prints "PASSED FAILED SKIPPED"."""

import re
import sys

passed = failed = skipped = 0
text = re.sub(r"\x1b\[[0-9;]*m", "", open(sys.argv[1], encoding="utf-8", errors="replace").read())
for line in text.splitlines():
    line = line.strip()
    if line.startswith("Summary ["):  # nextest
        kinds = line.split("]", 1)[1]
    elif line.startswith("test result: "):  # cargo test
        kinds = line
    elif re.fullmatch(r"=*\s*(\d+ [a-z]+,? ?)+ in [0-9.]+s.*", line):  # pytest
        kinds = line
    else:
        continue
    for number, word in re.findall(r"(\d+) (passed|failed|errors?|timed out|skipped|ignored)", kinds):
        if word == "passed":
            passed += int(number)
        elif word in ("skipped", "ignored"):
            skipped += int(number)
        else:
            failed += int(number)
print(passed, failed, skipped)
