"""The programs that are compared, and how each is told to do the same work without compression.

A peer lives for one round: it gets an empty directory, and `repository` is where it may put what it stores.
"""
import os
import shlex
import shutil

from .measure import Command

PASSWORD = 'bench'


class Peer:
    name = ''
    program = ''        # looked for in PATH; empty: part of every system
    repository = None   # what it stores lies here, if its size means anything

    def __init__(self, work):
        self.work = work
        os.makedirs(work)
        self.repository = os.path.join(work, 'repository')

    @classmethod
    def installed(cls):
        return not cls.program or shutil.which(cls.program) is not None

    # Each returns a list of commands, or None where the peer has nothing to compare.
    def version(self): return None
    def init(self): return []
    def ingest(self, source): return None
    def again(self, source): return None
    def restore(self, source, target): return None
    def scrub(self): return None


class Asl(Peer):
    name = 'asl'
    program = 'asl'

    def command(self, *words): return Command(['asl', *words], env={'ASL_ROOT': self.repository})
    def version(self): return Command(['asl', '--version'])
    def init(self): return [self.command('init', self.repository)]
    def ingest(self, source): return [self.command('ingest', source)]
    def again(self, source): return self.ingest(source)
    def restore(self, source, target): return [self.command('restore', 'latest', '--to', target)]
    def scrub(self): return [self.command('verify', '--data')]


class Cp(Peer):
    name = 'cp -a && sync'

    def version(self): return Command(['cp', '--version'])
    def ingest(self, source): return [Command(['cp', '-a', source, self.repository])]
    # What restores are measured against: as many files written from as many files read.
    def restore(self, source, target): return [Command(['cp', '-a', source, target])]


class Tar(Peer):
    name = 'tar | cat'

    def version(self): return Command(['tar', '--version'])

    # Through a pipe: GNU tar does not read the files when it sees that it writes to /dev/null.
    def ingest(self, source):
        return [Command(['sh', '-c', f'tar -C {shlex.quote(source)} -cf - . | cat > /dev/null'])]


class Sha256sum(Peer):
    name = 'sha256sum'

    def version(self): return Command(['sha256sum', '--version'])

    def ingest(self, source):
        return [Command(['sh', '-c', f'find {shlex.quote(source)} -type f -print0 | xargs -0 sha256sum > /dev/null'])]


class Restic(Peer):
    name = 'restic'
    program = 'restic'

    def command(self, *words):
        return Command(['restic', '--quiet', '--repo', self.repository, '--compression', 'off', '--cache-dir',
                        os.path.join(self.work, 'cache'), *words], env={'RESTIC_PASSWORD': PASSWORD})

    def version(self): return Command(['restic', 'version'])
    def init(self): return [self.command('init')]
    def ingest(self, source): return [self.command('backup', source)]
    def again(self, source): return self.ingest(source)
    def restore(self, source, target): return [self.command('restore', 'latest', '--target', target)]


class Kopia(Peer):
    name = 'kopia'
    program = 'kopia'

    def command(self, *words):
        return Command(['kopia', '--config-file', os.path.join(self.work, 'config'), '--log-dir',
                        os.path.join(self.work, 'log'), *words],
                       env={'KOPIA_PASSWORD': PASSWORD, 'KOPIA_CHECK_FOR_UPDATES': 'false'})

    def version(self): return Command(['kopia', '--version'])

    def init(self):
        return [self.command('repository', 'create', 'filesystem', '--path', self.repository, '--cache-directory',
                             os.path.join(self.work, 'cache')),
                self.command('policy', 'set', '--global', '--compression', 'none')]

    def ingest(self, source): return [self.command('snapshot', 'create', '--no-progress', source)]
    def again(self, source): return self.ingest(source)
    def restore(self, source, target): return [self.command('snapshot', 'restore', source, target)]


class Rustic(Peer):
    name = 'rustic'
    program = 'rustic'

    def command(self, *words):
        return Command(['rustic', '--repository', self.repository, '--password', PASSWORD, '--cache-dir',
                        os.path.join(self.work, 'cache'), '--no-progress', '--log-level', 'warn', *words])

    def version(self): return Command(['rustic', '--version'])
    def init(self): return [self.command('init', '--set-compression', '0')]
    def ingest(self, source): return [self.command('backup', source)]
    def again(self, source): return self.ingest(source)
    def restore(self, source, target): return [self.command('restore', 'latest', target)]


class Borg(Peer):
    name = 'borg'
    program = 'borg'

    def __init__(self, work):
        super().__init__(work)
        self.archives = 0

    def command(self, *words, cwd=None):
        return Command(['borg', *words], cwd=cwd,
                       env={'BORG_BASE_DIR': self.work, 'BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK': 'yes'})

    def version(self): return Command(['borg', '--version'])
    def init(self): return [self.command('init', '--encryption', 'none', self.repository)]

    def ingest(self, source):
        self.archives += 1
        return [self.command('create', '--compression', 'none', f'{self.repository}::{self.archives}', source)]

    def again(self, source): return self.ingest(source)

    def restore(self, source, target):
        os.makedirs(target)
        return [self.command('extract', f'{self.repository}::{self.archives}', cwd=target)]


class Casync(Peer):
    name = 'casync'
    program = 'casync'

    def version(self): return Command(['casync', '--version'])

    # It always compresses (zstd): it has no way not to.
    def ingest(self, source):
        return [Command(['casync', 'make', '--store=' + self.repository, os.path.join(self.work, 'index.caidx'),
                         source])]


class Mksquashfs(Peer):
    name = 'mksquashfs'
    program = 'mksquashfs'

    def version(self): return Command(['sh', '-c', 'mksquashfs -version | head -n 1'])

    def ingest(self, source):
        return [Command(['mksquashfs', source, self.repository, '-noI', '-noD', '-noF', '-noX', '-no-progress',
                         '-quiet'])]


TREE_PEERS = [Asl, Cp, Tar, Sha256sum, Borg, Restic, Kopia, Rustic, Casync, Mksquashfs]


class Dd(Peer):
    """Reads the allocated ranges of an image and writes them to a file, both without the page cache."""
    name = 'dd direct in and out'
    BLOCK = '16M'

    def version(self): return Command(['dd', '--version'])

    def ingest(self, source):
        script = os.path.join(self.work, 'dd.sh')
        with open(script, 'w', encoding='ascii') as lines:
            lines.write('set -e\n')
            for offset, length in allocated_ranges(source):
                lines.write(f'dd status=none conv=notrunc bs={self.BLOCK} iflag=direct,skip_bytes,count_bytes '
                            f'oflag=direct,seek_bytes skip={offset} seek={offset} count={length} '
                            f'if={shlex.quote(source)} of={shlex.quote(self.repository)}\n')
        return [Command(['sh', script])]


class CpImage(Cp):
    def ingest(self, source): return [Command(['cp', '-a', '--sparse=always', source, self.repository])]


IMAGE_PEERS = [Asl, Dd, CpImage, Borg, Restic]


def allocated_ranges(path):
    """(offset, length) of what is not a hole, in order."""
    with open(path, 'rb') as image:
        descriptor, end = image.fileno(), os.fstat(image.fileno()).st_size
        ranges, offset = [], 0
        while offset < end:
            try:
                data = os.lseek(descriptor, offset, os.SEEK_DATA)
            except OSError:  # ENXIO: a hole up to the end
                break
            offset = os.lseek(descriptor, data, os.SEEK_HOLE)
            ranges.append((data, offset - data))
    return ranges
