"""Runs commands and measures them: wall time from a cold cache to everything on the disk, processor time, memory."""
import dataclasses
import os
import shlex
import subprocess
import time


@dataclasses.dataclass
class Command:
    """One command line. `cwd` and `env` are shown with it, so that what is printed can be typed."""
    argv: list
    cwd: str = None
    env: dict = dataclasses.field(default_factory=dict)

    def text(self):
        words = [f'{name}={shlex.quote(value)}' for name, value in self.env.items()]
        # A pipeline is shown as it is written.
        words += [self.argv[2]] if self.argv[:2] == ['sh', '-c'] else [shlex.quote(word) for word in self.argv]
        line = ' '.join(words)
        return f'cd {shlex.quote(self.cwd)} && {line}' if self.cwd else line


@dataclasses.dataclass
class Usage:
    user_s: float
    system_s: float
    rss_max_bytes: int  # of the largest single process


@dataclasses.dataclass
class Sample:
    seconds: float
    user_s: float
    system_s: float
    rss_max_bytes: int  # of the largest single process
    sync_s: float       # the part of `seconds` that the final sync took


class CommandFailed(Exception):
    pass


class Runner:
    """Owns the log file of everything that runs, and knows whether the cache can be made cold."""

    def __init__(self, log_path, home):
        self.log_path = log_path
        self.home = home  # where programs keep their own caches: inside the work directory, not the user's
        self.is_root = os.geteuid() == 0

    def environment(self, extra):
        keep = {name: os.environ[name] for name in ('PATH', 'TMPDIR', 'LANG') if name in os.environ}
        return {**keep, 'HOME': self.home, 'LC_ALL': 'C.UTF-8', **extra}

    def cold(self, place):
        """Writes back everything and empties the kernel's caches. Without root, only the first."""
        subprocess.run(['sync', '-f', place], check=True)
        if self.is_root:
            with open('/proc/sys/vm/drop_caches', 'w', encoding='ascii') as control:
                control.write('3\n')

    def run(self, command):
        """Runs one command; returns (seconds, Usage). A non-zero exit raises CommandFailed."""
        # A process that is started from here begins with this program's own size as its largest, says wait4; `time`
        # is small.
        memory = self.log_path + '.memory'
        argv = ['/usr/bin/time', '-q', '-f', '%M', '-o', memory, *command.argv]
        with open(self.log_path, 'ab') as log:
            log.write(f'\n$ {command.text()}\n'.encode())
            log.flush()
            began = log.tell()
            started = time.monotonic()
            process = subprocess.Popen(argv, cwd=command.cwd, env=self.environment(command.env),
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise CommandFailed(f'exit {process.returncode}: {command.text()}\n{self.tail(began)}')
        with open(memory, encoding='ascii') as file:
            peak_kib = int(file.read().split()[-1])
        return seconds, Usage(usage.ru_utime, usage.ru_stime, peak_kib * 1024)

    def tail(self, since):
        with open(self.log_path, 'rb') as log:
            log.seek(since)
            lines = log.read().decode('utf-8', 'replace').replace('\r', '\n').splitlines()
        return '\n'.join('    ' + line for line in lines[-15:])

    def output(self, command):
        """What a command prints; not measured."""
        done = subprocess.run(command.argv, cwd=command.cwd, env=self.environment(command.env), check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode != 0:
            raise CommandFailed(f'exit {done.returncode}: {command.text()}\n{done.stderr.decode("utf-8", "replace")}')
        return done.stdout.decode('utf-8', 'replace')

    def timed(self, commands, place, writes):
        """Measures commands that run one after the other on a cold cache, and, where they write, until what
        they wrote to the file system of `place` is on the disk."""
        self.cold(place)
        sample = Sample(0, 0, 0, 0, 0)
        for command in commands:
            seconds, usage = self.run(command)
            sample.seconds += seconds
            sample.user_s += usage.user_s
            sample.system_s += usage.system_s
            sample.rss_max_bytes = max(sample.rss_max_bytes, usage.rss_max_bytes)
        if writes:
            sample.sync_s, _ = self.run(Command(['sync', '-f', place]))
            sample.seconds += sample.sync_s
        return sample


def tree_facts(top):
    """What a copy must have as its source has it: numbers of entries, and bytes of regular files."""
    entries = size = files = 0
    for folder, folders, names in os.walk(top):
        entries += len(folders) + len(names)
        for name in names:
            info = os.lstat(os.path.join(folder, name))
            if info.st_mode & 0o170000 == 0o100000:
                files += 1
                size += info.st_size
    return {'entries': entries, 'files': files, 'bytes': size}


def disk_usage(top):
    """Lengths of all regular files below `top`."""
    return tree_facts(top)['bytes'] if os.path.isdir(top) else os.path.getsize(top)
