# What the pages say of the tree is so.

bats_require_minimum_version 1.5.0

@test "every test that doc/threat-model.md names is there" {
  cd "${ASL_SOURCE_DIR:-$BATS_TEST_DIRNAME/../..}"
  run -0 /usr/bin/python3 - <<'PY'
import glob, os, re
page = open('doc/threat-model.md').read()
named = re.findall(r'`([a-z_]+\.(?:cc|bats)): ([^`]+)`', page)
assert len(named) > 50, len(named)
files = {os.path.basename(path): path for path in glob.glob('tests/*/*') if path.endswith(('.cc', '.bats'))}
for file, name in named:
    text = open(files[file]).read()
    if file.endswith('.bats'):
        assert f'@test "{name}" {{' in text, (file, name)
    else:
        assert re.search(r'^TEST(_F)?\(\w+, ' + re.escape(name) + r'\) \{', text, re.M), (file, name)
# Nothing in the tables names its tests in another way.
for line in page.splitlines():
    if line.startswith('|') and line.count('|') == 4 and not line.startswith(('| threat', '| ---')):
        assert re.search(r'`[a-z_]+\.(cc|bats): ', line), line
PY
}
