"""What the measurements were made on."""
import os
import re
import subprocess


def text_of(path, default=''):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()
    except OSError:
        return default


def first(pattern, text, default='unknown'):
    found = re.search(pattern, text, re.M)
    return found.group(1).strip() if found else default


def mount_of(place):
    """(device, mount point, type, options) of the file system that holds `place`."""
    out = subprocess.run(['findmnt', '-n', '-o', 'SOURCE,TARGET,FSTYPE,OPTIONS', '-T', place], check=False,
                         stdout=subprocess.PIPE, text=True).stdout.split()
    return out[:4] if len(out) >= 4 else ['unknown'] * 4


def describe(place):
    cpu, memory = text_of('/proc/cpuinfo'), text_of('/proc/meminfo')
    device, _, kind, flags = mount_of(place)
    queue = f'/sys/block/{os.path.basename(os.path.realpath(device))}/queue'
    return {
        'cpu': first(r'^model name\s*: (.*)$', cpu),
        'cpus': os.cpu_count(),
        'sha_ni': 'sha_ni' in cpu,
        'memory_bytes': int(first(r'^MemTotal:\s*(\d+)', memory, '0')) * 1024,
        'kernel': os.uname().release,
        'system': first(r'^PRETTY_NAME="(.*)"', text_of('/etc/os-release')),
        'disk': device,
        'disk_scheduler': first(r'\[(.*)\]', text_of(queue + '/scheduler')),
        'disk_rotational': text_of(queue + '/rotational', 'unknown'),
        'file_system': kind,
        'mount_options': flags,
    }


def disk_speed(place, size=2 << 30):
    """Bytes a second of dd with O_DIRECT, writing then reading one file: what the disk itself can do today."""
    path, speeds = os.path.join(place, 'disk-speed'), {}
    try:
        for what, words in (('write', ['if=/dev/zero', 'of=' + path, 'oflag=direct']),
                            ('read', ['if=' + path, 'of=/dev/null', 'iflag=direct'])):
            out = subprocess.run(['dd', 'bs=16M', f'count={size >> 24}', *words], check=True, text=True,
                                 env={**os.environ, 'LC_ALL': 'C'}, stderr=subprocess.PIPE).stderr
            speeds[what] = round(size / float(first(r', ([0-9.e-]+) s,', out)))
    finally:
        if os.path.exists(path):
            os.unlink(path)
    return speeds
