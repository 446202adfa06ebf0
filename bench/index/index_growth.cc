// How the index grows: fills segments and the RocksDB cache with made-up references, and measures what that
// many cost. One JSON object a call; bench/index/run calls it for growing numbers and draws the curves.
//
//   index_growth build DIRECTORY REFERENCES   adds segments until it has so many, and brings the cache up to
//   date index_growth measure DIRECTORY            opens both and looks up
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/io.h>

#include "index/bloom.h"
#include "index/index.h"
#include "index/index_cache.h"
#include "index/segment_store.h"
#include "index/segment_writer.h"

namespace asl {
namespace {

using Clock = std::chrono::steady_clock;
using Json = nlohmann::json;

// A commit's worth, and eight of those merged, and so on: what a store that grew by itself is made of.
constexpr std::uint64_t kCommitReferences = 100'000;
constexpr std::uint64_t kSegmentReferencesMax = kCommitReferences * 512;
constexpr std::uint64_t kExtentsPerBlock = 800;  // of 300 KiB on average, in blocks of 256 MiB
constexpr std::size_t kLookups = 200'000;
constexpr std::uint64_t kAbsent = ~std::uint64_t{0};  // the segment that absent digests pretend to be of

template <typename T>
T value_of(Result<T> result) {
  if (result) {
    if constexpr (!std::is_void_v<T>) return std::move(*result);
  } else {
    std::cerr << result.error().to_string() << "\n";
    std::exit(1);
  }
  if constexpr (std::is_void_v<T>) return;
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15ULL;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

// Number `i` of the `count` digests of a segment, in ascending order, spread as digests are.
Digest digest_of(std::uint64_t segment, std::uint64_t i, std::uint64_t count) {
  const std::uint64_t step = ~std::uint64_t{0} / count;
  Digest digest;
  store_be(digest.data(), i * step + mix(segment << 32 ^ i) % step);
  for (std::size_t word = 1; word < 4; ++word)
    store_be(digest.data() + word * 8, mix((segment << 40 ^ i << 2 ^ word) * 0x2545F4914F6CDD1DULL));
  return digest;
}

class MadeUpRecords : public RecordSource {
 public:
  MadeUpRecords(std::uint64_t segment, std::uint64_t count) : segment_(segment), count_(count) {}
  Result<void> rewind() override {
    next_ = 0;
    return {};
  }
  Result<bool> next(ArtifactRecord& record, std::uint64_t& extent_count) override {
    if (next_ == count_) return false;
    current_ = next_++;
    given_ = false;
    record = {};
    record.ref = untyped_reference(digest_of(segment_, current_, count_));
    record.length = length();
    extent_count = 1;
    return true;
  }
  Result<std::size_t> next_extents(std::span<ExtentRecord> out) override {
    if (given_ || out.empty()) return 0;
    given_ = true;
    const std::uint64_t place = mix(current_ ^ segment_) % count_;
    out[0] = {.artifact_offset = 0,
              .raw_length = length(),
              .block_index = static_cast<std::uint32_t>(place / kExtentsPerBlock),
              .block_offset = static_cast<std::uint32_t>(place % kExtentsPerBlock * kPageSize),
              .stored_length = static_cast<std::uint32_t>(length()),
              .codec = Codec::kNone,
              .digest = digest_of(segment_, current_, count_)};
    return 1;
  }

 private:
  std::uint64_t length() const { return 1 + mix(current_) % (64 << 10); }
  std::uint64_t segment_, count_;
  std::uint64_t next_ = 0, current_ = 0;
  bool given_ = false;
};

// What was built so far: a line for each segment, "number references hash".
struct Built {
  struct Row {
    SegmentNumber number = 0;
    std::uint64_t count = 0;
    Digest hash{};
  };
  std::vector<Row> rows;

  std::uint64_t references() const {
    std::uint64_t sum = 0;
    for (const Row& row : rows) sum += row.count;
    return sum;
  }
  std::vector<LiveSegment> live() const {
    std::vector<LiveSegment> found;
    for (const Row& row : rows) found.push_back({row.number, row.hash, 2 * row.number});
    return found;
  }
  Watermark head() const {
    Watermark mark{.logseq = 2 * rows.size() + 1, .record_hash = {}};
    store_le(mark.record_hash.data(), mark.logseq);
    return mark;
  }
};

class Place {
 public:
  explicit Place(const std::string& directory) : directory_(directory), store_(*io_, directory + "/store") {
    for (const char* name : {"/store/index", "/store/tmp", "/store/cache"})
      std::filesystem::create_directories(directory + name);
    std::ifstream list(directory + "/segments");
    Built::Row row;
    for (std::string hash; list >> row.number >> row.count >> hash; built_.rows.push_back(row))
      row.hash = *digest_from_hex(hash);
  }

  const Built& built() const { return built_; }

  void add(std::uint64_t count) {
    const SegmentNumber number = built_.rows.size() + 1;
    BlockTable blocks;
    for (std::uint64_t k = 0; k <= count / kExtentsPerBlock; ++k)
      blocks.number_of(digest_of(number, k, 1 + count));
    MadeUpRecords records(number, count);
    const WrittenSegment written =
        value_of(write_segment(*io_, store_.segment_tmp_path(number), {}, records, blocks));
    value_of(store_.publish_segment(number));
    const auto reader = value_of(SegmentReader::open(*io_, store_.segment_path(number), number, pages_));
    value_of(write_bloom(store_, reader, written.hash));
    built_.rows.push_back({number, count, written.hash});
    std::ofstream(directory_ + "/segments", std::ios::app)
        << number << " " << count << " " << to_hex(written.hash) << "\n";
  }

  std::shared_ptr<const Index> open_index(IndexCache* cache) {
    return Index::open(store_, built_.live(), nullptr, cache, pages_);
  }
  std::unique_ptr<IndexCache> open_cache(const Index& index) {
    const CacheTarget target{.segments = index.segments(),
                             .head = built_.head(),
                             // The watermark of an earlier, shorter list is in the log too.
                             .log_has = [](const Watermark& mark) {
                               return load_le<std::uint64_t>(mark.record_hash.data()) == mark.logseq;
                             }};
    return value_of(IndexCache::open(directory_ + "/store/cache/index", target, nullptr));
  }
  std::uint64_t disk_bytes(const std::string& below, const std::string& ending) const {
    std::uint64_t sum = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_ + below))
      if (entry.is_regular_file() && entry.path().string().ends_with(ending)) sum += entry.file_size();
    return sum;
  }

 private:
  std::string directory_;
  std::unique_ptr<io::Io> io_ = io::make_plain_io();
  SegmentStore store_;
  std::shared_ptr<PageCache> pages_ = std::make_shared<PageCache>();
  Built built_;
};

// A number out of a file of /proc/self: "RssAnon:", "syscr:".
std::uint64_t own(const char* file, const std::string& field) {
  std::ifstream in(std::string("/proc/self/") + file);
  for (std::string word; in >> word;)
    if (word == field) {
      std::uint64_t value = 0;
      in >> value;
      return value;
    }
  return 0;
}
std::uint64_t anonymous_bytes() {
  return own("status", "RssAnon:") * 1024;
}

struct Lookups {
  std::vector<double> micros;
  std::uint64_t found = 0;
  std::uint64_t reads = 0;       // system calls that read
  std::uint64_t disk_bytes = 0;  // that came from the disk

  Json json() {
    std::ranges::sort(micros);
    const auto at = [&](double share) {
      return micros[static_cast<std::size_t>(share * static_cast<double>(micros.size() - 1))];
    };
    const auto count = static_cast<double>(micros.size());
    return {{"lookups", micros.size()},
            {"found", found},
            {"median_us", at(0.5)},
            {"p99_us", at(0.99)},
            {"reads_per_lookup", static_cast<double>(reads) / count},
            {"disk_bytes_per_lookup", static_cast<double>(disk_bytes) / count}};
  }
};

Lookups look_up(const Index& index, const Built& built, bool absent) {
  Lookups result;
  std::mt19937_64 random(absent ? 1 : 2);
  const std::uint64_t reads = own("io", "syscr:");
  const std::uint64_t disk = own("io", "read_bytes:");
  for (std::size_t k = 0; k < kLookups; ++k) {
    const Built::Row& row = built.rows[random() % built.rows.size()];
    const Digest digest =
        digest_of(absent ? kAbsent - row.number : row.number, random() % row.count, row.count);
    const auto began = Clock::now();
    const auto handle = value_of(index.find(untyped_reference(digest)));
    result.micros.push_back(1e6 * seconds_since(began));
    result.found += handle.has_value() ? 1 : 0;
  }
  result.reads = own("io", "syscr:") - reads;
  result.disk_bytes = own("io", "read_bytes:") - disk;
  return result;
}

int build(const std::string& directory, std::uint64_t references) {
  Place place(directory);
  const auto began = Clock::now();
  while (place.built().references() < references) {
    const std::uint64_t missing = references - place.built().references();
    std::uint64_t count = kCommitReferences;
    while (count < kSegmentReferencesMax && count * 8 <= missing) count *= 8;
    place.add(std::min({count, missing, kSegmentReferencesMax}));
  }
  const double segments_s = seconds_since(began);
  const auto filling = Clock::now();
  {
    const auto index = place.open_index(nullptr);
    value_of(place.open_cache(*index)->flush());
  }
  std::cout << Json{{"references", place.built().references()},
                    {"segments", place.built().rows.size()},
                    {"segments_s", segments_s},
                    {"cache_s", seconds_since(filling)},
                    {"resident_max_bytes", own("status", "VmHWM:") * 1024}}
            << "\n";
  return 0;
}

// RocksDB goes on merging what the building has written; its reads are none of the look-ups'. Returns
// seconds.
double wait_for_merges() {
  constexpr int kQuietLooks = 5;
  constexpr std::uint64_t kQuietBytes = 1 << 16;  // looking reads a few itself; a merge reads megabytes
  const auto began = Clock::now();
  std::uint64_t before = own("io", "rchar:");
  for (int quiet = 0; quiet < kQuietLooks;) {
    std::this_thread::sleep_for(std::chrono::seconds(2));
    const std::uint64_t now = own("io", "rchar:");
    quiet = now - before < kQuietBytes ? quiet + 1 : 0;
    before = now;
  }
  return seconds_since(began);
}

int measure(const std::string& directory) {
  Place place(directory);
  const std::uint64_t before = anonymous_bytes();
  const auto began = Clock::now();
  const auto cache = place.open_cache(*place.open_index(nullptr));
  const auto index = place.open_index(cache.get());
  const double open_s = seconds_since(began);
  const std::uint64_t opened = anonymous_bytes() - before;
  const double merging_s = wait_for_merges();
  Lookups absent = look_up(*index, place.built(), true);
  Lookups present = look_up(*index, place.built(), false);
  Lookups again = look_up(*index, place.built(), true);
  // What ingest holds; the index without the cache beside it has memory of its own.
  const std::uint64_t anonymous = anonymous_bytes() - before;
  const auto plain = place.open_index(nullptr);
  Lookups plain_absent = look_up(*plain, place.built(), true);
  Lookups plain_present = look_up(*plain, place.built(), false);
  std::cout << Json{{"references", place.built().references()},
                    {"segments", place.built().rows.size()},
                    {"open_s", open_s},
                    {"merging_s", merging_s},
                    {"anonymous_bytes_opened", opened},
                    {"anonymous_bytes", anonymous},
                    {"segment_bytes", place.disk_bytes("/store/index", ".idx")},
                    {"bloom_bytes", place.disk_bytes("/store/index", ".bf")},
                    {"cache_bytes", place.disk_bytes("/store/cache", "")},
                    {"absent", absent.json()},
                    {"present", present.json()},
                    {"absent_warm", again.json()},
                    {"without_cache", {{"absent", plain_absent.json()}, {"present", plain_present.json()}}}}
            << "\n";
  return 0;
}

}  // namespace
}  // namespace asl

int main(int count, char** words) {
  const std::vector<std::string> arguments(words + 1, words + count);
  if (arguments.size() == 3 && arguments[0] == "build")
    return asl::build(arguments[1], std::stoull(arguments[2]));
  if (arguments.size() == 2 && arguments[0] == "measure") return asl::measure(arguments[1]);
  std::cerr << "usage: index_growth build DIRECTORY REFERENCES | measure DIRECTORY\n";
  return 2;
}
