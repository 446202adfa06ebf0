"""Reading what is stored as a file system: mounts of one tree and one large file, and the originals beside them.

A view is made once, from the same data for all, and mounted anew for each measurement.
"""
import os
import shlex
import shutil

from .measure import Command, Sample

ROWS = {
    'find': 'find on the mount, with all attributes',
    'read': 'read the mount (tar | cat)',
    'sequential': 'read one large file on the mount',
    'sequential-warm': 'read it again',
}
ORIGINAL = 'the original'
LARGE_BYTES = 1 << 30
TICKS = os.sysconf('SC_CLK_TCK')


class View:
    name = ''
    programs = ()
    root_only = False

    def __init__(self, work, sources):
        self.work = work
        self.sources = sources  # two directories: the tree, and one that holds the large file
        self.mount_point = os.path.join(work, 'mount')
        os.makedirs(self.mount_point, exist_ok=True)

    @classmethod
    def installed(cls, is_root):
        return all(shutil.which(program) for program in cls.programs) and (is_root or not cls.root_only)

    def make(self): return []
    def mount(self): return []
    def unmount(self): return []
    def places(self): return [os.path.join(self.mount_point, os.path.basename(source)) for source in self.sources]


class Original(View):
    name = ORIGINAL

    def places(self): return self.sources


class AslView(View):
    name = 'asl'
    programs = ('asl',)

    def command(self, *words): return Command(['asl', *words], env={'ASL_ROOT': os.path.join(self.work, 'store')})

    def make(self):
        return [self.command('init', os.path.join(self.work, 'store')), self.command('ingest', *self.sources)]

    def mount(self): return [self.command('mount', self.mount_point, 'latest')]
    def unmount(self): return [self.command('umount', self.mount_point)]


class Squashfuse(View):
    name = 'squashfuse_ll'
    programs = ('squashfuse_ll', 'mksquashfs', 'fusermount3')

    def image(self): return os.path.join(self.work, 'image.sqfs')

    # Not compressed, as asl's blocks are not.
    def make(self):
        return [Command(['mksquashfs', *self.sources, self.image(), '-noI', '-noD', '-noF', '-noX', '-no-progress',
                         '-quiet'])] if not os.path.exists(self.image()) else []

    def mount(self): return [Command(['squashfuse_ll', self.image(), self.mount_point])]
    def unmount(self): return [Command(['fusermount3', '-u', self.mount_point])]


class KernelSquashfs(Squashfuse):
    name = 'squashfs (kernel)'
    programs = ('mksquashfs',)
    root_only = True

    def mount(self): return [Command(['mount', '-o', 'loop,ro', self.image(), self.mount_point])]
    def unmount(self): return [Command(['umount', self.mount_point])]


VIEWS = [AslView, Squashfuse, KernelSquashfs, Original]


def make_large_file(tree, folder):
    """The largest files of the tree, one after the other."""
    files = []
    for top, _, names in os.walk(tree):
        for path in (os.path.join(top, name) for name in names):
            if os.path.isfile(path) and not os.path.islink(path):
                files.append((-os.lstat(path).st_size, path))
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, 'large'), 'wb') as out:
        for _, path in sorted(files):
            with open(path, 'rb') as source:
                shutil.copyfileobj(source, out, 1 << 20)
            if out.tell() >= LARGE_BYTES:
                return
    raise ValueError(f'{tree} holds less than {LARGE_BYTES >> 20} MiB')


def commands_of(row, view):
    tree, large = (shlex.quote(place) for place in view.places())
    script = {
        'find': f"find {tree} -printf '%p %y %m %U %G %s %T@ %l\\n' | cat > /dev/null",
        'read': f'tar -C {tree} -cf - . | cat > /dev/null',
        'sequential': f'cat {large}/large > /dev/null',
        'sequential-warm': f'cat {large}/large > /dev/null',
    }[row]
    return Command(['sh', '-c', script])


def daemon_of(mount_point):
    """Process id of the daemon behind a mount; None for the kernel's own."""
    for entry in os.listdir('/proc'):
        if not entry.isdigit() or int(entry) == os.getpid():
            continue
        try:
            with open(f'/proc/{entry}/cmdline', 'rb') as file:
                words = file.read().split(b'\0')
        except OSError:
            continue
        if mount_point.encode() in words:
            return int(entry)
    return None


def daemon_usage(pid):
    """(user seconds, system seconds, largest resident bytes) of a process so far."""
    with open(f'/proc/{pid}/stat', encoding='ascii', errors='replace') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    with open(f'/proc/{pid}/status', encoding='ascii', errors='replace') as file:
        peak = next((line.split()[1] for line in file if line.startswith('VmHWM:')), '0')
    return int(fields[11]) / TICKS, int(fields[12]) / TICKS, int(peak) * 1024


def measure(runner, view, row, place):
    """One sample. The time is that of the reading program; processor time and memory are the daemon's too."""
    for command in view.mount():
        runner.run(command)
    try:
        command = commands_of(row, view)
        runner.cold(place)
        if row == 'sequential-warm':
            runner.run(command)
        daemon = daemon_of(view.mount_point) if view.mount() else None
        before = daemon_usage(daemon) if daemon else (0, 0, 0)
        seconds, usage = runner.run(command)
        after = daemon_usage(daemon) if daemon else (0, 0, 0)
        return Sample(seconds, usage.user_s + after[0] - before[0], usage.system_s + after[1] - before[1],
                      after[2] if daemon else usage.rss_max_bytes, 0)
    finally:
        for command in view.unmount():
            runner.run(command)
