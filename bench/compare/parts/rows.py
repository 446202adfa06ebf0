"""The rows of the comparison: what is done with each peer, in which order, and what is checked on the way."""
import os
import shlex
import shutil
import statistics
import subprocess

from . import measure, peers, small, views
from .measure import Command, CommandFailed

TREE_ROWS = {
    'ingest': 'ingest a tree',
    'again': 'ingest it again, nothing changed',
    'restore': 'restore it',
    'scrub': 'check every stored byte',
}
IMAGE_ROWS = {
    'image': 'ingest a disk image',
    'after-image': 'ingest the tree after its image',
}
ROWS = {**TREE_ROWS, **IMAGE_ROWS, **views.ROWS, **small.ROWS}

# What a store must at least take of its source's bytes, and may at most grow when nothing changed: /usr holds
# a few per cent of equal files, and a second snapshot is small. Outside these, a peer did something else.
STORED_AT_LEAST = 0.7
GROWTH_AT_MOST = 0.05
COMPRESSES = {'casync'}
DD_READ = 'dd direct read of the blocks'


class Suite:
    """Runs the rounds and keeps the samples: samples[row][peer] is a list with one entry a round."""

    def __init__(self, runner, work, options, log):
        self.runner = runner
        self.work = work
        self.options = options
        self.log = log
        self.samples = {}
        self.commands = {}
        self.new_bytes = {}
        self.problems = []
        self.failed = set()

    # ---- one measured step ----

    def step(self, row, peer_name, commands, writes=True, wanted=None):
        """Measures where the row was asked for, else only runs."""
        if wanted is None:
            wanted = row in self.options.rows
        if not wanted:
            for command in commands:
                self.runner.run(command)
            return
        self.keep(row, peer_name, self.runner.timed(commands, self.work, writes), commands)

    def keep(self, row, peer_name, sample, commands):
        self.samples.setdefault(row, {}).setdefault(peer_name, []).append(sample)
        self.commands.setdefault(row, {})[peer_name] = [command.text() for command in commands]
        self.log(f'  {row:<15} {peer_name:<30} {sample.seconds:8.2f} s   {sample.rss_max_bytes >> 20:5} MiB')

    def problem(self, text):
        self.problems.append(text)
        self.log(f'  problem: {text}')

    def round(self, kind, peer_class, body):
        """One peer's life: an empty directory, the work, and nothing left. A peer that fails is out."""
        if (kind, peer_class.name) in self.failed:
            return
        place = os.path.join(self.work, 'peer')
        shutil.rmtree(place, ignore_errors=True)
        try:
            peer = peer_class(place)
            for command in peer.init():
                self.runner.run(command)
            body(peer)
        except CommandFailed as failure:
            self.failed.add((kind, peer_class.name))
            self.problem(f'{peer_class.name}: {failure}')
        finally:
            shutil.rmtree(place, ignore_errors=True)

    # ---- the tree ----

    def tree_rounds(self, source):
        facts = measure.tree_facts(source)
        for number in range(1, self.options.runs + 1):
            self.log(f'tree, round {number} of {self.options.runs}')
            for peer_class in self.chosen(peers.TREE_PEERS):
                last = number == self.options.runs
                self.round('tree', peer_class, lambda peer, last=last: self.tree_life(peer, source, facts, last))
        return facts

    def tree_life(self, peer, source, facts, last):
        later = [row for row in ('again', 'restore', 'scrub') if row in self.options.rows]
        reads_only = not later or all(self.offered(peer, row, source) is None for row in later)
        if 'ingest' not in self.options.rows and reads_only:
            return
        # A restore by cp copies from the source: it needs no first copy.
        if 'ingest' in self.options.rows or not isinstance(peer, peers.Cp):
            self.step('ingest', peer.name, peer.ingest(source))
            self.check_stored(peer, facts['bytes'])
        if 'again' in later and (commands := peer.again(source)):
            before = measure.disk_usage(peer.repository)
            self.step('again', peer.name, commands)
            grown = measure.disk_usage(peer.repository) - before
            if grown > GROWTH_AT_MOST * facts['bytes']:
                self.problem(f'{peer.name}: grew by {grown} bytes though nothing had changed')
        if 'scrub' in later and (commands := peer.scrub()):
            self.step('scrub', peer.name, commands, writes=False)
            self.step('scrub', DD_READ, [dd_read(peer.repository)], writes=False)
        if 'restore' in later:
            self.restore(peer, source, facts, last)

    @staticmethod
    def offered(peer, row, source):
        """Whether the peer does this row, without doing anything."""
        method = {'again': 'again', 'restore': 'restore', 'scrub': 'scrub'}[row]
        return None if getattr(type(peer), method) is getattr(peers.Peer, method) else True

    def restore(self, peer, source, facts, last):
        target = os.path.join(peer.work, 'restored')
        commands = peer.restore(source, target)
        if not commands:
            return
        self.step('restore', peer.name, commands)
        found = measure.tree_facts(target)
        if (found['files'], found['bytes']) != (facts['files'], facts['bytes']):
            self.problem(f'{peer.name}: restored {found["files"]} files, {found["bytes"]} bytes, '
                         f'not {facts["files"]} and {facts["bytes"]}')
        elif last and isinstance(peer, peers.Asl):
            self.compare_fully(source, target)

    def compare_fully(self, source, target):
        if not shutil.which('rsync'):
            return
        if not set(os.listdir(source)) <= set(os.listdir(target)):
            target += source  # restored below its full path
        words = ['rsync', '-aHAXS', '--numeric-ids', '--delete', '-n', '-i', '--checksum', source + '/', target + '/']
        if differences := self.runner.output(Command(words)):
            self.problem(f'asl: the restored tree differs:\n{differences[:2000]}')
        else:
            self.log('  rsync -aHAXS --checksum finds no difference between the source and what asl restored')

    def check_stored(self, peer, source_bytes):
        if peer.name in COMPRESSES or not os.path.lexists(peer.repository):
            return
        stored = measure.disk_usage(peer.repository)
        if stored < STORED_AT_LEAST * source_bytes:
            self.problem(f'{peer.name}: stored only {stored} of {source_bytes} bytes')

    # ---- the mount ----

    def view_rounds(self, source):
        place = os.path.join(self.work, 'views')
        shutil.rmtree(place, ignore_errors=True)
        large = os.path.join(place, 'large-file')
        chosen = []
        try:
            views.make_large_file(source, large)
            for view_class in views.VIEWS:
                wanted = not self.options.peers or view_class.name in self.options.peers
                if wanted and view_class.installed(self.runner.is_root):
                    view = view_class(place, [source, large])
                    for command in view.make():
                        self.runner.run(command)
                    chosen.append(view)
            for number in range(1, self.options.runs + 1):
                self.log(f'mount, round {number} of {self.options.runs}')
                for row in (row for row in views.ROWS if row in self.options.rows):
                    for view in chosen:
                        self.keep(row, view.name, views.measure(self.runner, view, row, self.work),
                                  [*view.mount(), views.commands_of(row, view)])
        except (CommandFailed, ValueError) as failure:
            self.problem(f'mount: {failure}')
        finally:
            shutil.rmtree(place, ignore_errors=True)

    # ---- the image ----

    def image_rounds(self, image):
        allocated = os.stat(image).st_blocks * 512
        for number in range(1, self.options.runs + 1):
            self.log(f'image, round {number} of {self.options.runs}')
            for peer_class in self.chosen(peers.IMAGE_PEERS):
                self.round('image', peer_class, lambda peer: self.image_life(peer, image, allocated))
        return {'bytes': os.path.getsize(image), 'allocated_bytes': allocated}

    def image_life(self, peer, image, allocated):
        self.step('image', peer.name, peer.ingest(image))
        stored = os.path.getsize(peer.repository) if os.path.isfile(peer.repository) else 0
        if not stored:
            self.check_stored(peer, allocated)

    def after_image(self, image, source):
        """How much a store grows by the tree when it holds its image. The sizes vary little: one round."""
        for peer_class in self.chosen([peers.Asl, peers.Restic]):
            self.round('after-image', peer_class, lambda peer: self.after_image_life(peer, image, source))

    def after_image_life(self, peer, image, source):
        self.step('image', peer.name, peer.ingest(image), wanted=False)
        before = size_without_cache(peer.repository)
        self.step('after-image', peer.name, peer.ingest(source))
        self.new_bytes[peer.name] = size_without_cache(peer.repository) - before
        self.log(f'  {"":<12} {peer.name:<30} {self.new_bytes[peer.name]:>14} new bytes')

    # ---- all ----

    def chosen(self, classes):
        wanted = [peer for peer in classes if not self.options.peers or peer.name in self.options.peers
                  or peer.program in self.options.peers]
        return [peer for peer in wanted if peer.installed()]

    def median(self, row, peer_name):
        found = self.samples.get(row, {}).get(peer_name)
        return statistics.median(sample.seconds for sample in found) if found else None


def dd_read(repository):
    """Reads every block with O_DIRECT, one after the other."""
    return Command(['sh', '-c', f'find {shlex.quote(repository)} -name "*.bin" '
                                '-exec dd status=none bs=16M iflag=direct if={} of=/dev/null \\;'])


def size_without_cache(repository):
    """Lengths of all files of a store, without what can be rebuilt."""
    total = 0
    for folder, folders, names in os.walk(repository):
        if 'cache' in folders:
            folders.remove('cache')
        total += sum(os.lstat(os.path.join(folder, name)).st_size for name in names)
    return total


def versions(runner):
    """The first line of what each program says of itself."""
    found = {}
    for peer in dict.fromkeys(peers.TREE_PEERS + peers.IMAGE_PEERS):
        if not peer.installed():
            continue
        command = peer.version(None)
        done = subprocess.run(command.argv, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, env=runner.environment({}))
        found[peer.name] = (done.stdout.decode('utf-8', 'replace').strip().splitlines() or ['unknown'])[0]
    return found
