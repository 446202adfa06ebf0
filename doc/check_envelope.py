#!/usr/bin/env python3
"""Checks signed objects from files alone, without ASL: recomputes each object's hash and verifies its signatures.

usage: check_envelope.py ENVELOPE... [KEY.pub...]

Needs an Ed25519 library: python3-nacl or python3-cryptography. Files that begin with "asl-public-key-v1" are public
keys; all others are envelopes, one a line. Exit status: 0, everything is canonical and every signature by a given key
verifies; 1, something is wrong; 2, usage. It checks what a signature covers, not what an object means.
"""
import base64
import hashlib
import json
import sys

TAGS = {  # doc/format-kinds.md
    'dam': 0x10, 'policy': 0x11, 'certificate': 0x12, 'root-set': 0x13, 'admission-request': 0x14,
    'admission-decision': 0x15, 'env-claim': 0x16, 'request': 0x17, 'response': 0x18, 'signature': 0x19,
    'certificate-request': 0x1b, 'policy-ratification': 0x1c, 'lease': 0x1d, 'domain-state': 0x1e, 'log-head': 0x1f,
    'program': 0x20, 'receipt': 0x21, 'statement': 0x22, 'snapshot-publish': 0x23, 'bundle': 0x24, 'trust-pin': 0x25,
    'session-record': 0x26, 'refusal': 0x2a, 'edge': 0x30}


def verify(key, message, signature):
    try:
        try:
            from nacl.signing import VerifyKey
            VerifyKey(key).verify(message, signature)
        except ImportError:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
            Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except Exception:
        return False
    return True


def canonical(data):
    """The value of canonical JSON; fails unless encoding it again gives the same bytes."""
    value = json.loads(data)
    again = json.dumps(value, sort_keys=True, separators=(',', ':'), ensure_ascii=False).encode()
    if again != data:
        raise ValueError('not canonical JSON')
    return value


def object_hash(kind, payload):
    head = b'\x01' + (0x00A50000 + TAGS[kind]).to_bytes(4, 'big') + len(payload).to_bytes(8, 'big')
    return hashlib.sha256(head + payload).hexdigest()


def check(line, keys):
    envelope = canonical(line)
    kind = envelope['payloadType'].removeprefix('application/vnd.asl.').removesuffix('.v1+json')
    payload = base64.b64decode(envelope['payload'], validate=True)
    canonical(payload)
    print(f'{kind} asl1:{object_hash(kind, payload)}')
    kind_type = envelope['payloadType'].encode()
    message = b'DSSEv1 %d %s %d %s' % (len(kind_type), kind_type, len(payload), payload)
    ids = [signature['keyid'] for signature in envelope['signatures']]
    if not ids or ids != sorted(set(ids)):
        raise ValueError('no signatures, or not sorted, or two by one key')
    for signature in envelope['signatures']:
        key = keys.get(signature['keyid'])
        good = key is not None and verify(key, message, base64.b64decode(signature['sig'], validate=True))
        print(f"  {signature['keyid']} {'good' if good else 'BAD' if key else 'unknown key'}")
        if key and not good:
            raise ValueError('bad signature')


def main():
    keys, envelopes = {}, []
    for path in sys.argv[1:]:
        data = open(path, 'rb').read()
        if data.startswith(b'asl-public-key-v1 ed25519 '):
            key = bytes.fromhex(data.split()[2].decode())
            keys[hashlib.sha256(b'asl-key/1\ned25519\n' + key).hexdigest()] = key
        else:
            envelopes += [(path, line) for line in data.removesuffix(b'\n').split(b'\n')]
    if not envelopes:
        print(__doc__, file=sys.stderr)
        return 2
    failed = 0
    for path, line in envelopes:
        try:
            check(line, keys)
        except (ValueError, KeyError, TypeError) as error:
            print(f'{path}: {error}', file=sys.stderr)
            failed = 1
    return failed


if __name__ == '__main__':
    sys.exit(main())
