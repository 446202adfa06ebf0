"""Runs the libFuzzer targets of a build directory for a short time each. Called by run_tests.py.

Each starts from the kept inputs (tests/fuzz/corpus/<target>, tests/bad/<target>) and from what earlier runs in this build
directory found. An input that shows a fault is left in <build>/fuzz/<target>/found.
"""
import concurrent.futures
import glob
import os
import re
import subprocess
import time

# An input may take this long and a target this much memory: every decoder is bounded by what it is given.
INPUT_TIMEOUT_S = 25
MEMORY_LIMIT_MIB = 2048
INPUT_SIZE_MAX = 70000
SHOWN_LINES = 40


def targets(source):
    with open(os.path.join(source, 'tests', 'fuzz', 'targets.inc'), encoding='ascii') as lines:
        return re.findall(r'^ASL_FUZZ_TARGET\((\w+)\)', lines.read(), re.MULTILINE)


def run_target(build, source, target, seconds):
    """(passed, inputs tried, what to show of a failure, seconds)"""
    place = os.path.join(build, 'fuzz', target)
    found = os.path.join(place, 'found', '')
    corpus = os.path.join(place, 'corpus')
    os.makedirs(found, exist_ok=True)
    os.makedirs(corpus, exist_ok=True)
    kept = [path for path in (os.path.join(source, 'tests', 'fuzz', 'corpus', target),
                              os.path.join(source, 'tests', 'bad', target)) if os.path.isdir(path)]
    command = [os.path.join(build, 'tests', 'fuzz', 'fuzz-' + target), f'-max_total_time={seconds}',
               f'-timeout={INPUT_TIMEOUT_S}', f'-rss_limit_mb={MEMORY_LIMIT_MIB}', f'-max_len={INPUT_SIZE_MAX}',
               f'-artifact_prefix={found}', '-print_final_stats=1', corpus] + kept
    started = time.monotonic()
    run = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = run.stdout.decode('utf-8', 'replace')
    tried = re.search(r'stat::number_of_executed_units: (\d+)', output)
    passed = run.returncode == 0 and tried is not None
    text = ''
    if not passed:
        newest = max(glob.glob(os.path.join(found, '*')), key=os.path.getmtime, default='')
        told = [line for line in output.splitlines() if not re.match(r'#\d+\t', line)]
        text = '\n'.join(told[-SHOWN_LINES:])
        text += f'\nthe input: {newest or "none was left"}; once mended, keep it in tests/bad/{target}/'
    return passed, int(tried.group(1)) if tried else 0, text, time.monotonic() - started


def run(build, source, chosen, seconds, jobs):
    """Yields (target, (passed, inputs tried, text, seconds)), `jobs` targets at a time."""
    with concurrent.futures.ThreadPoolExecutor(max_workers=jobs) as pool:
        yield from zip(chosen, pool.map(lambda target: run_target(build, source, target, seconds), chosen))
