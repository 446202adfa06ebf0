// Writes the inputs that fuzzing starts from, out of a small store that it makes:
//   make_corpus DIRECTORY    one folder for each target
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/ingest.h>
#include <asl/engine/log_record.h>
#include <asl/engine/partial.h>
#include <asl/engine/snapshot.h>
#include <asl/engine/source_errors.h>
#include <asl/engine/tar.h>
#include <asl/engine/tree.h>

#include "block/codec.h"
#include "format/block_meta.h"
#include "index/cache_entry.h"
#include "index/segment_reader.h"
#include "index/segment_store.h"
#include "ingest/stat_cache.h"
#include "store_fixture.h"
#include "transfer/acl_text.h"

namespace asl {
namespace {

using test::random_bytes;
using test::value_of;
using test::fs::path;

class Corpus {
 public:
  explicit Corpus(std::string directory) : directory_(std::move(directory)) {}
  void add(const std::string& target, ByteSpan bytes) {
    test::fs::create_directories(directory_ + "/" + target);
    const Digest name = sha256(bytes);
    test::write_text(directory_ + "/" + target + "/" + to_hex(ByteSpan(name).first(8)),
                     std::string(as_text(bytes)));
  }
  void add(const std::string& target, std::string_view text) { add(target, as_bytes(text)); }
  // With the bytes that say how.
  void add(const std::string& target, std::initializer_list<std::uint8_t> choices, ByteSpan bytes) {
    Bytes all;
    for (const std::uint8_t choice : choices) all.push_back(static_cast<std::byte>(choice));
    all.insert(all.end(), bytes.begin(), bytes.end());
    add(target, all);
  }

 private:
  std::string directory_;
};

Bytes load(const std::string& file) {
  const auto io = io::make_plain_io();
  return value_of(io::read_file(*io, file, 1 << 26));
}

void make_source(const std::string& at) {
  test::fs::create_directories(at + "/docs/empty");
  test::write_text(at + "/docs/a.txt", "one\n");
  test::write_text(at + "/docs/b.bin", std::string(as_text(random_bytes(300, 1))));
  test::fs::create_symlink("docs/a.txt", at + "/link");
  test::fs::create_hard_link(at + "/docs/a.txt", at + "/docs/again");
  ::mkfifo((at + "/pipe").c_str(), 0600);
  test::write_text(at + "/sparse", "begin");
  test::fs::resize_file(at + "/sparse", 200'000);
  // Where the file system keeps no attributes the corpus is a little poorer.
  static_cast<void>(::setxattr((at + "/docs/b.bin").c_str(), "user.note", "x\0y", 3, 0));
}

// Trees, snapshots and error lists as a store has them.
void add_typed(const Domain& domain, Corpus& corpus) {
  io::Io& io = domain.io();
  const SegmentStore segments(io, domain.directory() + "/store");
  const auto pages = std::make_shared<PageCache>();
  for (const SegmentNumber number : value_of(segments.list()).segments) {
    const std::string file = segments.segment_path(number);
    corpus.add("segment", {0}, load(file));
    corpus.add("segment", {1}, load(file));
    const auto reader = value_of(SegmentReader::open(io, file, number, pages));
    SegmentCursor cursor(reader);
    RecordHandle handle;
    while (value_of(cursor.next(handle))) {
      corpus.add("reference", encode_reference(handle.record.ref));
      const std::string target = handle.record.type_tag == kTagTree       ? "tree"
                                 : handle.record.type_tag == kTagSnapshot ? "snapshot"
                                 : handle.record.type_tag == kTagErrors   ? "source_errors"
                                                                          : "";
      if (target.empty()) continue;
      const Bytes bytes = value_of(test::read_artifact(domain, handle.record.ref));
      corpus.add(target, bytes);
      corpus.add("cm", bytes);
    }
    corpus.add("bloom", {0, static_cast<std::uint8_t>(reader->record_count()), 0},
               load(segments.bloom_path(number)));
    corpus.add("bloom", {1, static_cast<std::uint8_t>(reader->record_count()), 0},
               load(segments.bloom_path(number)));
  }
}

void add_store_files(const Domain& domain, Corpus& corpus) {
  for (const std::string& file : test::files_ending(domain.directory() + "/store/blocks", ".meta"))
    corpus.add("block_meta", load(file));
  corpus.add("block_meta", value_of(encode_block_list({sha256(as_bytes("z")), sha256({})})));
  const Bytes log = load(domain.directory() + "/log/log-0000000000000001.aol");
  const Bytes head = load(domain.directory() + "/log/head");
  Bytes both = log;
  both.insert(both.end(), head.begin(), head.end());
  corpus.add("log", {0}, log);
  corpus.add("log", {1}, log);
  corpus.add("log", {2}, both);
  corpus.add("log", {5}, log);
  corpus.add("log_head", head);
}

void add_tar(const Domain& domain, std::uint64_t snapshot_id, Corpus& corpus) {
  const Snapshot snapshot = value_of(domain.snapshot(snapshot_id));
  for (const bool dense : {false, true}) {
    Bytes archive;
    ProgressCounters progress;
    TarExportOptions options;
    options.path = dense ? "docs" : "";
    const auto sink = [&](ByteSpan some) -> Result<void> {
      archive.insert(archive.end(), some.begin(), some.end());
      return {};
    };
    value_of(export_tar(domain, snapshot, options, sink, progress, {}));
    while (archive.size() > 1024 && all_zero(ByteSpan(archive).last(1536)))
      archive.resize(archive.size() - 512);
    corpus.add("tar", {0}, archive);
    corpus.add("tar", {1}, archive);
  }
}

template <typename Record>
void add_record(Corpus& corpus, const Record& record) {
  const Bytes payload = record.encode();
  corpus.add("log_record", {static_cast<std::uint8_t>(Record::kType)}, payload);
}

void add_records(Corpus& corpus) {
  const Reference ref = untyped_reference(sha256(as_bytes("a")));
  add_record(corpus, SegmentSealRecord{3, ref.digest});
  add_record(corpus, SnapshotAnchorRecord{1, ref});
  add_record(corpus, SnapshotForgetRecord{1});
  add_record(corpus, SnapshotLabelRecord{1, "ann"});
  add_record(corpus, SnapshotHoldRecord{1, true, "law"});
  add_record(corpus, GenesisRecord{{}, true, {}});
  add_record(corpus, TombstoneRecord{ref, TombstoneScope::kThis, TombstoneReason::kLegal});
  add_record(corpus, ArtifactUnpinRecord{ref});
  add_record(corpus, SegmentRetireRecord{{1, 2, 3}});
  add_record(corpus, CommitRecord{2, ref.digest, 64});
  for (const std::uint8_t type :
       std::initializer_list<std::uint8_t>{0x11, 0x20, 0x21, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37})
    corpus.add("log_record", {type}, Bytes(100, std::byte{1}));
}

void add_made(Corpus& corpus) {
  const Reference ref = untyped_reference(sha256(as_bytes("a")));
  const Partial partial{.length_bytes = 5000,
                        .pieces = {{0, 1000, ref}, {4000, 1000, ref}},
                        .gaps = {{1000, 512, GapStatus::kBad}, {1512, 2488, GapStatus::kNotTried}}};
  corpus.add("partial", value_of(encode_partial(partial)));
  corpus.add("cm", value_of(encode_partial(partial)));
  corpus.add("source_errors", value_of(encode_source_errors({{"/a/b", "read", 5}, {"/c", "stat", 13}})));
  const Reference leaf = typed_reference(kTagTree, {});
  const TreeFanOut fan_out{.leaves = {{"a", 1024, 2000, leaf}, {"m", 3, 3, leaf}}};
  corpus.add("tree", value_of(encode_fan_out(fan_out)));
  corpus.add("tree", value_of(encode_leaf({})));
  corpus.add("reference", to_text(ref));
  corpus.add("reference", to_text(typed_reference(kTagTree, {})));
  corpus.add("reference", "sha256:0123abcd");
  StatRow row;
  row.content = ref;
  corpus.add("stat_row", encode_stat_row(row));
  CacheEntries entries;
  CacheEntry many;
  many.segment = 4;
  many.record_number = 7;
  entries[0] = many;
  CacheEntry typed;
  typed.kind = EntryKind::kTyped;
  typed.segment = 9;
  typed.block_number = 1;
  typed.block_offset = 4096;
  typed.stored_length = 300;
  typed.raw_length = 300;
  typed.type_tag = kTagTree;
  entries[1] = typed;
  CacheEntry compressed;
  compressed.kind = EntryKind::kExtent;
  compressed.segment = 300;
  compressed.block_number = 2;
  compressed.block_offset = 70'000;
  compressed.stored_length = 100;
  compressed.raw_length = 200;
  compressed.codec = Codec::kZstd;
  entries[2] = compressed;
  corpus.add("cache_entry", encode_entries(entries));
  constexpr std::size_t kRawSize = 3000;
  const Bytes raw(kRawSize, std::byte{7});
  Compressor compressor;
  corpus.add("codec", {kRawSize & 0xFF, kRawSize >> 8}, value_of(compressor.compress(raw)));
  corpus.add("damage_list", to_hex(ref.digest) + " " + to_hex(ref.digest) + " 4096\nsegment 7\n");
  for (const char* text : {"segment-7.idx", "bloom-7.bf", "asl-layout 1.0\n", "asl-layout 1.9\n"})
    corpus.add("names", text);
  corpus.add("names", std::string(40, 'a'));
}

void add_words(Corpus& corpus) {
  corpus.add("cutter", {1, 2, 7, 255, 16, 2, 200, 8, 3, 255, 255, 1, 77, 3, 2, 255, 255}, {});
  corpus.add("cutter", {9, 0, 3, 255, 255, 3, 255, 40, 6, 0, 2, 7, 0, 3}, {});
  corpus.add("acl", encode_acl({{AclTag::kOwner, 6, 0},
                                {AclTag::kUser, 4, 1001},
                                {AclTag::kOwningGroup, 4, 0},
                                {AclTag::kMask, 4, 0},
                                {AclTag::kOther, 0, 0}}));
  corpus.add("acl", "user::rw-,user:7:r--:1001,group::r--,mask::r--,other::---");
  corpus.add("acl", "u::rw-\ng:5:r-x\t# a comment\ng::r--\nm::rwx\no::---\n");
  using namespace std::string_view_literals;
  for (const auto text : {"*.o\0a/b.o"sv, "/a/**/b\0a/x/y/b"sv, "[!a-c]?\\*\0dz*"sv, "!keep/\0keep"sv})
    corpus.add("pattern", text);
  corpus.add(
      "config",
      "# a comment\nhost:\n  name: archive-1   # trailing\nstore:\n  note: \"a \\\"b\\\"\"\nplain: yes\n");
  for (const char* text :
       {"1.5G", "2 MiB", "5%", "0.1%", "30d", "4096", "\xc3\xa9\t\x1b[31m\xe2\x80\xae", "\xff\xfe"})
    corpus.add("text", text);
  for (const char* text : {"12:hello world!,", "0:,", "9223372036854775807:", "01:a,"})
    corpus.add("netstring", text);
}

void write_corpus(const std::string& directory) {
  Corpus corpus(directory);
  const test::TempDirectory place;
  const auto io = io::make_plain_io();
  HostRoot root = value_of(HostRoot::init(*io, place / "root"));
  const auto domain = test::open_domain(*io, value_of(root.create_local_domain("local")).directory);
  make_source(place / "source");
  IngestOptions options;
  options.sources = {place / "source"};
  options.label = "first";
  options.tags = {"x", "y"};
  ProgressCounters progress;
  const IngestReport report = value_of(ingest(*domain, options, progress, {}));
  value_of(domain->refresh());
  add_typed(*domain, corpus);
  add_store_files(*domain, corpus);
  add_tar(*domain, report.snapshot_id, corpus);
  add_records(corpus);
  add_made(corpus);
  add_words(corpus);
}

}  // namespace
}  // namespace asl

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: make_corpus DIRECTORY\n", stderr);
    return 2;
  }
  try {
    asl::write_corpus(argv[1]);
  } catch (const std::exception& failed) {
    std::fprintf(stderr, "make_corpus: %s\n", failed.what());
    return 1;
  }
  return 0;
}
