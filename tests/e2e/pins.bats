# Snapshot pins on real file systems: a ZFS pool in a file, a btrfs in another. Needs root.

load store_support

setup_file() {
  [ "$(id -u)" -eq 0 ] || return 0
  command -v zpool >/dev/null || return 0
  zpool list >/dev/null 2>&1 && return 0
  # ZFS by FUSE, where the kernel has none. It is ready when zpool is answered, or it is not there any more.
  command -v zfs-fuse >/dev/null && [ -c /dev/fuse ] || return 0
  zfs-fuse --no-daemon --no-kstat-mount >"$BATS_FILE_TMPDIR/zfs-fuse.log" 2>&1 3>&- 4>&- &
  echo $! >"$BATS_FILE_TMPDIR/zfs-fuse.pid"
  until zpool list >/dev/null 2>&1; do kill -0 "$(cat "$BATS_FILE_TMPDIR/zfs-fuse.pid")" || return 0; done
}

teardown_file() {
  [ -e "$BATS_FILE_TMPDIR/zfs-fuse.pid" ] || return 0
  kill "$(cat "$BATS_FILE_TMPDIR/zfs-fuse.pid")" 2>/dev/null || true
}

setup() {
  : "${ASL_BIN:?the program to test}"
  [ "$(id -u)" -eq 0 ] || skip "needs root: file systems are made and mounted"
  cd "$BATS_TEST_TMPDIR"
  cleanup=()
  mkdir src
  head -c 3000000 /dev/urandom >src/first
}

teardown() {
  local command
  for command in "${cleanup[@]}"; do $command; done
}

# zfs-fuse lets go of what was mounted a moment after it was unmounted.
destroy_pool() {
  local tries=0
  until zpool destroy -f "$1" 2>/dev/null; do [ $((++tries)) -lt 100 ] || return 1; done
}

# A place of its own for a root, at ./root.
on_zfs() {
  zpool list >/dev/null 2>&1 || skip "no ZFS here: neither the kernel's nor zfs-fuse"
  pool=aslpins$$x$BATS_TEST_NUMBER
  truncate -s 200M pool.img
  zpool create -f -o cachefile=none -m "$BATS_TEST_TMPDIR/pool" "$pool" "$BATS_TEST_TMPDIR/pool.img" >/dev/null 2>&1 ||
    skip "no ZFS pool can be made on a file here"
  cleanup+=("destroy_pool $pool")
  zfs create -o mountpoint="$BATS_TEST_TMPDIR/root" "$pool/root"
  kind=zfs
}

on_btrfs() {
  command -v mkfs.btrfs >/dev/null || skip "mkfs.btrfs is not installed"
  truncate -s 300M btrfs.img
  mkfs.btrfs -q btrfs.img 2>/dev/null
  mkdir fs
  mount -o loop btrfs.img fs || skip "no btrfs on a loop device can be mounted here"
  cleanup+=("umount -l $BATS_TEST_TMPDIR/fs")
  btrfs -q subvolume create fs/root 2>/dev/null || btrfs subvolume create fs/root >/dev/null
  ln -s fs/root root
  kind=btrfs
}

make_root() { # NAME
  export ASL_ROOT=$BATS_TEST_TMPDIR/$1
  asl init >/dev/null
  printf 'store:\n  pin: true\n' >"$1/host/config.yaml"
}

# The file-system snapshots that are there, sorted.
pins() {
  if [ "$kind" = zfs ]; then
    zfs list -H -o name -t snapshot -r -d 1 "$pool/root" | sed 's/.*@//' | sort
  else
    find root/.asl-pins -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort
  fi
}

holds() { zfs get -H -o value userrefs "$pool/root@$1"; }

# What a crash, or an administrator, does behind the store's back.
make_pin() {
  if [ "$kind" = zfs ]; then zfs snapshot "$pool/root@$1"; else btrfs subvolume snapshot -r root/. "root/.asl-pins/$1" >/dev/null; fi
}
destroy_pin() {
  if [ "$kind" = zfs ]; then
    zfs release asl "$pool/root@$1"
    zfs destroy "$pool/root@$1"
  else
    btrfs subvolume delete "root/.asl-pins/$1" >/dev/null
  fi
}

pins_follow_snapshots() {
  id=$(asl domain show --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["domain_id"][:12])')
  asl ingest src >/dev/null
  echo more >src/second
  run -0 --separate-stderr asl ingest src
  [ -z "$stderr" ]
  mapfile -t there < <(pins)
  [ ${#there[@]} -eq 2 ]
  [[ ${there[0]} =~ ^asl-$id-1-[0-9a-f]{12}$ ]]
  [[ ${there[1]} =~ ^asl-$id-2-[0-9a-f]{12}$ ]]
  if [ "$kind" = zfs ]; then [ "$(holds "${there[0]}")" = 1 ]; fi
  run -0 asl snapshots
  [[ $output == *pinned*pinned* ]]
  run -0 asl snapshots --json
  [ "$(field snapshots 0 pin name)" = "${there[0]}" ]
  [ "$(field snapshots 0 pin state)" = pinned ]
  run -0 asl snapshot show 2
  [[ $output == *"${there[1]}"* ]]
  run -0 asl domain show --json
  [ "$(field pins on)" = true ]
  [ "$(field pins list 1 name)" = "${there[1]}" ]
  # Without the setting it stays as it is, and the next snapshot is not pinned.
  rm root/host/config.yaml
  asl ingest src >/dev/null
  [ "$(pins)" = "$(printf '%s\n' "${there[@]}")" ]
  run -0 --separate-stderr asl snapshot forget 1
  [ -z "$stderr" ]
  [ "$(pins)" = "${there[1]}" ]
  asl ingest --pin src >/dev/null
  [ "$(pins | wc -l)" -eq 2 ]
  run -0 asl forget --keep-last 1
  [ "$(pins | wc -l)" -eq 1 ]
  [[ $(pins) == asl-$id-4-* ]]
}

@test "on ZFS snapshots that are sealed are pinned with a hold, and the pin goes with forget" {
  on_zfs
  make_root root
  pins_follow_snapshots
}

@test "on btrfs snapshots that are sealed are pinned, and the pin goes with forget" {
  on_btrfs
  make_root root
  pins_follow_snapshots
}

gc_tells_of_pins() {
  asl ingest src >/dev/null
  rm src/first
  echo small >src/small
  asl ingest src >/dev/null
  name=$(pins | head -n 1)
  run -0 asl gc --dry-run
  [[ $output == *"pins: on, 2 pinned"*"$name"*"snapshot 1"*"comes back only when the pins"* ]]
  run -0 asl gc --dry-run --json
  [ "$(field pins list 0 name)" = "$name" ]
  if [ "$kind" = zfs ]; then [ "$(field pins list 0 alone_bytes)" -ge 0 ] && [ "$(field pins held_back_bytes)" -ge 0 ]; fi
  # As after a crash between forget and release: the snapshot is forgotten, its pin is there again.
  asl snapshot forget 1 >/dev/null
  make_pin "$name"
  run -0 asl gc --dry-run
  [[ $output == *"1 forgotten"*"$name"*"forgotten: the pin goes"* ]]
  [[ $(pins) == *"$name"* ]]
  run -0 asl gc --json
  [ "$(field pins_removed 0)" = "$name" ]
  [[ $(pins) != *"$name"* ]]
  # As after a crash between seal and pin.
  name=$(pins)
  destroy_pin "$name"
  run -0 asl snapshots
  [[ $output == *"pin missing"* ]]
  run -0 asl gc
  [[ $output == *"pins: on, 1 pinned"* ]]
  [ "$(pins)" = "$name" ]
  if [ "$kind" = zfs ]; then [ "$(holds "$name")" = 1 ]; fi
  # A hold that is missing is made; names of others and of another past stay.
  if [ "$kind" = zfs ]; then zfs release asl "$pool/root@$name"; fi
  make_pin "${name%-2-*}-9-0123456789ab"
  make_pin daily
  run -0 asl gc
  [[ $output == *"-9-0123456789ab"*"this log does not have"* ]]
  [ "$(pins)" = "$(printf '%s\n' "$name" "${name%-2-*}-9-0123456789ab" daily | sort)" ]
  if [ "$kind" = zfs ]; then [ "$(holds "$name")" = 1 ] && [ "$(holds daily)" = 0 ]; fi
}

@test "on ZFS gc lists what pins hold, and settles what a crash left" {
  on_zfs
  make_root root
  gc_tells_of_pins
}

@test "on btrfs gc lists what pins hold, and settles what a crash left" {
  on_btrfs
  make_root root
  gc_tells_of_pins
}

# A pin is a whole store: it opens where it is, whatever becomes of the other.
store_in_pin_is_whole() { # DIRECTORY
  find root/domains/*/store/blocks -name '*.bin' -delete
  rm -f root/domains/*/log/*
  run -0 asl --root "$1" verify --data --artifacts
  [[ $output == *"no damage found"* ]]
  asl --root "$1" restore 1 --to back >/dev/null
  diff -r src back
}

@test "on ZFS the store inside a pin outlives the one outside" {
  on_zfs
  make_root root
  asl ingest src >/dev/null
  zfs clone -o mountpoint="$BATS_TEST_TMPDIR/clone" "$pool/root@$(pins)" "$pool/clone"
  store_in_pin_is_whole "$BATS_TEST_TMPDIR/clone"
  # It cannot go while it has a clone, and that is told.
  run zfs destroy "$pool/root@$(pins)"
  [ "$status" -ne 0 ]
}

@test "on btrfs the store inside a pin outlives the one outside" {
  on_btrfs
  make_root root
  asl ingest src >/dev/null
  [ -e root/domains/*/store/reserve ]
  [ ! -e root/.asl-pins/*/domains/*/store/reserve ]
  printf 'damage' | dd of="$(find root/domains/*/store/blocks -name '*.bin' -size +1000k)" bs=1 seek=5000 conv=notrunc status=none
  printf 'damage' | dd of="$(echo root/domains/*/log/log-*.aol)" bs=1 seek=5000 conv=notrunc status=none
  run -5 asl verify --data
  run -0 asl repair --data --from "root/.asl-pins/$(pins)"
  asl verify --data >/dev/null
  store_in_pin_is_whole "root/.asl-pins/$(pins)"
  run rm -rf "root/.asl-pins/$(pins)"
  [ "$status" -ne 0 ]
}

# What cannot be pinned is saved all the same.
refused_with_advice() { # TEXT
  run -0 --separate-stderr asl ingest src
  [[ $stderr == *"not"*"pinned"*"$1"*"try:"* || $stderr == *"nothing is pinned"*"$1"*"try:"* ]]
  run -0 --separate-stderr asl snapshots
  [[ $output == *"pin missing"* && $stderr == *"$1"* ]]
  run -0 --separate-stderr asl domain show
  [[ $output == *"pins "*"on, 1 missing"* ]]
  run -0 --separate-stderr asl gc --dry-run --json
  [[ $(field pins error) == *"$1"* ]]
  asl restore latest --to back >/dev/null
  diff -r src back
}

# The root moves into a place of its own, and what was missed is made up for.
made_up_for_by_moving() {
  mv root-below/* root/
  export ASL_ROOT=$BATS_TEST_TMPDIR/root
  run -0 asl gc
  [[ $output == *"1 pinned"* ]]
  [[ $(pins) == asl-*-1-* ]]
}

@test "on ZFS a root beside other things is not pinned until it has a data set of its own" {
  on_zfs
  ln -s pool/below root-below
  mkdir pool/below
  make_root root-below
  refused_with_advice "of this root's own"
  [ -z "$(zfs list -H -o name -t snapshot -r "$pool")" ]
  made_up_for_by_moving
}

@test "on btrfs a root beside other things is not pinned until it has a subvolume of its own" {
  on_btrfs
  ln -s fs/below root-below
  mkdir fs/below
  make_root root-below
  refused_with_advice "of this root's own"
  [ ! -e fs/.asl-pins ]
  made_up_for_by_moving
}

@test "on another file system nothing is pinned and it is said why" {
  [[ $(stat -f -c %T .) != btrfs && $(findmnt -n -o FSTYPE -T .) != *zfs* ]] || skip "this is btrfs or ZFS"
  kind=none
  make_root root
  refused_with_advice "neither"
  printf 'store:\n  pin: maybe\n' >root/host/config.yaml
  run -8 asl ingest src
  [[ $output == *"store.pin"*"true or false"* ]]
}

@test "a child data set inside the store is found, because a pin would miss it" {
  on_zfs
  make_root root
  log=$(echo "$BATS_TEST_TMPDIR"/root/domains/*/log)
  mv "$log" root/log.old
  zfs create -o mountpoint="$log" "$pool/root/log"
  mv root/log.old/* "$log"
  refused_with_advice "another file system"
}

@test "a pin that may be made and not removed is told, and root's gc removes it" {
  on_btrfs
  make_root root
  # Where another user may go, whoever owns the directories above.
  public=$(mktemp -d /tmp/asl-pins.XXXXXX)
  chmod 755 "$public"
  mkdir "$public/fs" "$public/src"
  mount --bind fs "$public/fs"
  cleanup=("umount -l $public/fs" "${cleanup[@]}" "rm -r $public")
  cp src/first "$public/src/"
  chown -R nobody: "$public/fs/root" "$public/src"
  export ASL_ROOT=$public/fs/root
  as_nobody=(setpriv --reuid=nobody --regid=nogroup --clear-groups)
  "${as_nobody[@]}" "$ASL_BIN" domain list >/dev/null 2>&1 || skip "another user cannot reach the program"
  run -0 --separate-stderr "${as_nobody[@]}" "$ASL_BIN" ingest "$public/src"
  [ -z "$stderr" ]
  [ "$(pins | wc -l)" -eq 1 ]
  run -0 --separate-stderr "${as_nobody[@]}" "$ASL_BIN" snapshot forget 1
  [[ $stderr == *"the pin of snapshot 1, which was forgotten, is still there"*"not permitted"*"try: run it as root"* ]]
  [ "$(pins | wc -l)" -eq 1 ]
  asl gc >/dev/null
  [ -z "$(pins)" ]
}

@test "where something else holds a pin, forget says so and it goes later" {
  on_zfs
  make_root root
  asl ingest src >/dev/null
  name=$(pins)
  zfs hold backup "$pool/root@$name"
  run -0 --separate-stderr asl snapshot forget 1
  [[ $stderr == *"still there"*"busy"* ]]
  [ "$(holds "$name")" = 1 ]
  zfs release backup "$pool/root@$name"
  asl gc >/dev/null
  [ -z "$(pins)" ]
}

@test "copies are pinned as the root they go to says" {
  on_zfs
  make_root root
  export ASL_ROOT=$BATS_TEST_TMPDIR/plain
  asl init >/dev/null
  asl ingest src >/dev/null
  echo more >src/more
  asl ingest src >/dev/null
  run -0 --separate-stderr asl copy root
  [ -z "$stderr" ]
  [ "$(pins | wc -l)" -eq 2 ]
  [ ! -e plain/domains/*/store/pins ]
}
