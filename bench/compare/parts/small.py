"""What is small: a million artifacts of 4 KiB beside RocksDB, and how soon a mount of many snapshots answers."""
import hashlib
import os
import shlex
import shutil

from .measure import Command, Sample, disk_usage

ROWS = {
    'artifacts': 'put a million artifacts of 4 KiB',
    'mount-ready': 'mount a store of 10,000 snapshots',
}
ARTIFACTS = 1_000_000
ARTIFACT_BYTES = 4096
ROCKSDB = 'RocksDB'
READY_SECONDS_MAX = 0.1


def make_stream(path):
    """Netstrings of made-up bytes, the same every time."""
    batch = 1000
    with open(path + '.part', 'wb') as out:
        for number in range(ARTIFACTS // batch):
            data = hashlib.shake_128(number.to_bytes(8, 'little')).digest(batch * ARTIFACT_BYTES)
            for at in range(0, len(data), ARTIFACT_BYTES):
                out.write(b'%d:%s,' % (ARTIFACT_BYTES, data[at:at + ARTIFACT_BYTES]))
    os.rename(path + '.part', path)


def artifact_rounds(suite, rocksdb_put):
    stream = os.path.join(suite.work, 'artifacts.netstrings')
    if not os.path.exists(stream):
        make_stream(stream)
    place = os.path.join(suite.work, 'peer')
    store, source = os.path.join(place, 'store'), shlex.quote(stream)
    work = {
        'asl': ([Command(['asl', 'init', store])],
                Command(['sh', '-c', f'asl put --batch < {source} > /dev/null'], env={'ASL_ROOT': store})),
        ROCKSDB: ([], Command(['sh', '-c', f'{shlex.quote(rocksdb_put)} {shlex.quote(store)} < {source}'])),
    }
    if not os.access(rocksdb_put, os.X_OK):
        del work[ROCKSDB]
    for number in range(1, suite.options.runs + 1):
        suite.log(f'artifacts, round {number} of {suite.options.runs}')
        for name, (preparation, command) in work.items():
            shutil.rmtree(place, ignore_errors=True)
            os.makedirs(place)
            for step in preparation:
                suite.runner.run(step)
            suite.step('artifacts', name, [command])
            if (stored := disk_usage(store)) < ARTIFACTS * ARTIFACT_BYTES:
                suite.problem(f'{name}: stored only {stored} bytes of {ARTIFACTS} artifacts')
    shutil.rmtree(place, ignore_errors=True)
    return f'{ARTIFACTS:,} artifacts of {ARTIFACT_BYTES} bytes'


def mount_rounds(suite, root):
    """`asl mount` returns when the mount answers; a listing then shows that it does. The store is cold, the program's
    own pages are not: how long the disk takes for those says nothing of the store."""
    point = os.path.join(suite.work, 'ready')
    os.makedirs(point, exist_ok=True)
    environment = {'ASL_ROOT': root}
    mount = Command(['asl', 'mount', point], env=environment)
    snapshots = 0
    for _ in range(suite.options.runs):
        suite.runner.cold(suite.work)
        suite.runner.run(Command(['asl', 'mount', '--help']))
        try:
            seconds, usage = suite.runner.run(mount)
            domain = next(name for name in os.listdir(point) if not name.startswith('.'))
            snapshots = len(os.listdir(os.path.join(point, domain, 'snapshots')))
        finally:
            suite.runner.run(Command(['asl', 'umount', point], env=environment))
        suite.keep('mount-ready', 'asl', Sample(seconds, usage.user_s, usage.system_s, usage.rss_max_bytes, 0), [mount])
    os.rmdir(point)
    return f'{snapshots:,} snapshots'
