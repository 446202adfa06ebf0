#!/usr/bin/python3
"""Runs the tests of a build directory and counts test cases. Called by tools/test.

Compiled tests run under `meson test`; their cases are read from what GoogleTest prints, so that a program
that dies halfway still tells which case it died in. Command-line tests (tests/**/*.bats) are read as TAP. A fuzz
target counts as one case.
A case that was announced and never finished has failed.
"""
import argparse
import concurrent.futures
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time

import fuzzing

# A unit test may take this many times meson's default of 30 s before it is stopped: machines are slow at times.
TIMEOUT_FACTOR = 10
TIMEOUT_FACTOR_SLOW = 40
BATS_TIMEOUT_S = 900
BATS_TIMEOUT_LONG_S = 4 * 3600
# Of a failed case's output, this much is shown.
OUTPUT_LINES_MAX = 60


@dataclasses.dataclass
class Case:
    suite: str
    name: str
    result: str  # passed, failed or skipped
    text: str = ''  # a failure's output, or the reason for a skip


# ---- compiled tests ----

def parse_gtest(suite, output):
    """The cases that a GoogleTest program's output tells of."""
    cases, running, lines = [], None, []
    for line in output.splitlines():
        if 'Global test environment tear-down' in line:
            break
        start = re.search(r'\[ RUN      \] (\S+)', line)
        end = re.search(r'\[ +(OK|FAILED|SKIPPED) +\] (\S+?),?(?: where .*)?(?: \(\d+ ms\))?$', line)
        if start:
            if running:
                cases.append(Case(suite, running, 'failed', '\n'.join(lines) + '\n(it never finished)'))
            running, lines = start.group(1), []
        elif end and running and end.group(2) == running:
            result = {'OK': 'passed', 'FAILED': 'failed', 'SKIPPED': 'skipped'}[end.group(1)]
            text = '\n'.join(lines)
            cases.append(Case(suite, running, result, skip_reason(text) if result == 'skipped' else text))
            running, lines = None, []
        else:
            lines.append(line)
    if running:
        cases.append(Case(suite, running, 'failed', '\n'.join(lines) + '\n(it never finished)'))
    return cases


def skip_reason(text):
    lines = [line for line in text.splitlines() if line.strip() and not re.search(r'\.(cc|h):\d+: Skipped$', line)]
    return ' '.join(lines) or 'no reason given'


def meson_cases(entry, names_gtest):
    """The cases of one line of meson's testlog.json."""
    suite, result = entry['name'].split(' / ')[-1], entry['result']
    output = (entry.get('stdout') or '') + '\n' + (entry.get('stderr') or '')
    good = result in ('OK', 'EXPECTEDFAIL')
    if suite not in names_gtest:
        if result == 'SKIP':
            return [Case(suite, suite, 'skipped', skip_reason(output))]
        return [Case(suite, suite, 'passed' if good else 'failed', '' if good else f'{result}\n{output}')]
    cases = parse_gtest(suite, entry.get('stdout') or '')
    announced = re.search(r'\[==========\] Running (\d+) tests?', output)
    if announced and len(cases) < int(announced.group(1)):
        missing = int(announced.group(1)) - len(cases)
        said = f'{result} (exit {entry.get("returncode")}): {missing} announced cases did not run'
        cases.append(Case(suite, '(the program as a whole)', 'failed', said))
    elif not good and result != 'SKIP' and all(case.result != 'failed' for case in cases):
        said = f'{result} (exit {entry.get("returncode")})\n{output}'
        cases.append(Case(suite, '(the program as a whole)', 'failed', said))
    # A sanitizer writes its report to standard error, away from the case.
    for case in cases:
        if case.result == 'failed' and (entry.get('stderr') or '').strip():
            case.text += '\n' + entry['stderr']
            break
    return cases


def run_meson(options):
    described = json.loads(subprocess.run(['meson', 'introspect', options.build, '--tests'], check=True,
                                          stdout=subprocess.PIPE).stdout)
    names_gtest = {test['name'] for test in described if test['protocol'] == 'gtest'}
    if not described:
        return []
    environment = dict(os.environ, **test_environment(options))
    if options.filter:
        environment['GTEST_FILTER'] = f'*{options.filter}*'
    factor = TIMEOUT_FACTOR_SLOW if options.long or options.slow else TIMEOUT_FACTOR
    command = ['meson', 'test', '-C', options.build, '--no-rebuild', '--timeout-multiplier', str(factor),
               '--num-processes', str(options.jobs)]
    if not options.long:
        command += ['--no-suite', 'long']
    log = os.path.join(options.build, 'meson-logs', 'testlog.json')
    if os.path.exists(log):
        os.unlink(log)
    only = options.only.split()
    chosen = [test['name'] for test in described
              if (test['protocol'] == 'gtest' or options.filter in test['name']) and (not only or test['name'] in only)]
    subprocess.run(command + (chosen if options.filter or only else []), env=environment, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    if not os.path.exists(log):
        return [Case('meson test', 'meson test', 'failed', 'it ran nothing')]
    cases = []
    with open(log, encoding='utf-8', errors='replace') as lines:
        for line in lines:
            entry = json.loads(line)
            found = meson_cases(entry, names_gtest)
            if not options.filter or found:
                report_suite(entry['name'].split(' / ')[-1], found, entry.get('duration') or 0)
            cases += found
    return cases


# ---- command-line tests ----

def parse_tap(suite, output):
    cases, planned = [], 0
    for line in output.splitlines():
        plan = re.match(r'1\.\.(\d+)', line)
        point = re.match(r'(ok|not ok) \d+ (.*?)(?: # skip ?(.*))?$', line)
        if plan:
            planned = int(plan.group(1))
        elif point:
            result = 'skipped' if point.group(3) is not None else 'passed' if point.group(1) == 'ok' else 'failed'
            reason = (point.group(3) or '').strip('()') or 'no reason given'
            cases.append(Case(suite, point.group(2), result, reason if result == 'skipped' else ''))
        elif cases and cases[-1].result == 'failed':
            cases[-1].text += line + '\n'
    for _ in range(planned - len(cases)):
        cases.append(Case(suite, '(a case that never finished)', 'failed', output))
    return cases, planned


def run_bats_file(path, options):
    command = ['bats', '--formatter', 'tap', '--print-output-on-failure']
    if options.filter and options.filter not in path:
        command += ['--filter', re.sub(r'([^\w\s])', r'\\\1', options.filter)]
    suite, started = os.path.relpath(path, 'tests'), time.monotonic()
    process = subprocess.Popen(command + [path], env=dict(os.environ, **test_environment(options)),
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=BATS_TIMEOUT_LONG_S if options.long else BATS_TIMEOUT_S)
        late = ''
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        late = '(stopped: it took too long)'
    text = output.decode('utf-8', 'replace') + late
    cases, planned = parse_tap(suite, text)
    filtered_out = bool(options.filter) and planned == 0
    if process.returncode != 0 and not filtered_out and all(case.result != 'failed' for case in cases):
        cases.append(Case(suite, '(the file as a whole)', 'failed', text))
    return suite, cases, time.monotonic() - started


def run_bats(options):
    paths = sorted(os.path.join(folder, name) for folder, _, names in os.walk('tests') for name in names
                   if name.endswith('.bats'))
    cases = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for suite, found, seconds in pool.map(lambda path: run_bats_file(path, options), paths):
            if not options.filter or found:
                report_suite(suite, found, seconds)
            cases += found
    return cases


# ---- fuzz targets ----

def run_fuzzers(options):
    source = os.getcwd()
    chosen = [target for target in fuzzing.targets(source) if options.filter in 'fuzz ' + target]
    cases, total = [], 0
    found = fuzzing.run(os.path.abspath(options.fuzzers), source, chosen, options.fuzz_seconds, options.jobs)
    for target, (passed, tried, text, seconds) in found:
        cases.append(Case('fuzz', target, 'passed' if passed else 'failed', text))
        report_suite(f'fuzz {target}: {tried} inputs', cases[-1:], seconds)
        total += tried
    print(f'     fuzz: {total} inputs in {len(chosen)} targets, {options.fuzz_seconds} s each', flush=True)
    return cases


# ---- all ----

def test_environment(options):
    build = os.path.abspath(options.build)
    environment = {'ASL_BIN': os.path.join(build, 'tools', 'cli', 'asl'), 'ASL_BUILD_DIR': build,
                   'ASL_SOURCE_DIR': os.getcwd(), 'GTEST_COLOR': 'no'}
    if options.long:
        environment['ASL_LONG_TESTS'] = '1'
    return environment


def report_suite(suite, cases, seconds):
    counts = {result: sum(case.result == result for case in cases) for result in ('passed', 'failed', 'skipped')}
    said = ' '.join(f'{count} {result}' for result, count in counts.items() if count) or 'nothing ran'
    print(f'{"FAIL" if counts["failed"] else "ok  "} {suite:<40} {said}  ({seconds:.1f} s)', flush=True)
    # Here too: of a log that is cut short, the end with what they printed is what is lost.
    for case in cases:
        if case.result == 'failed':
            print(f'       {case.name}', flush=True)


def shorten(text):
    lines = text.rstrip().splitlines()
    if len(lines) > OUTPUT_LINES_MAX:
        half = OUTPUT_LINES_MAX // 2
        lines = lines[:half] + [f'... {len(lines) - 2 * half} lines left out ...'] + lines[-half:]
    return '\n'.join('    ' + line for line in lines)


def summarize(cases):
    by_result = {result: [case for case in cases if case.result == result]
                 for result in ('passed', 'failed', 'skipped')}
    if by_result['skipped']:
        print('\nSkipped:')
        for case in by_result['skipped']:
            print(f'  {case.suite}: {case.name}: {case.text}')
    if by_result['failed']:
        print('\nFailed:')
        for case in by_result['failed']:
            print(f'  {case.suite}: {case.name}\n{shorten(case.text)}')
    if not cases:
        print('\nno test ran')
    print()
    print(', '.join(f'{len(found)} {result}' for result, found in by_result.items()), flush=True)
    return 0 if by_result['passed'] and not by_result['failed'] else 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', required=True)
    parser.add_argument('--jobs', type=int, default=2)
    parser.add_argument('--filter', default='')
    parser.add_argument('--long', action='store_true')
    parser.add_argument('--slow', action='store_true', help='the build is a slow one (a sanitizer)')
    parser.add_argument('--unit', action='store_true')
    parser.add_argument('--only', default='', help='names of meson tests; all others are left out')
    parser.add_argument('--fuzzers', default='', help='the build directory that has the fuzz targets')
    parser.add_argument('--fuzz-seconds', type=int, default=10, help='for each target')
    parser.add_argument('--only-fuzz', action='store_true')
    options = parser.parse_args()
    sys.stdout.reconfigure(errors='replace')
    os.environ.pop('ASL_ROOT', None)  # the user's own store is not for tests
    cases = [] if options.only_fuzz else run_meson(options)
    if not options.unit and not options.only_fuzz:
        cases += run_bats(options)
    if options.fuzzers:
        cases += run_fuzzers(options)
    return summarize(cases)


if __name__ == '__main__':
    sys.exit(main())
