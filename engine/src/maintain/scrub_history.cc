#include "maintain/scrub_history.h"

#include <array>
#include <sys/stat.h>
#include <utility>
#include <vector>

#include <asl/engine/hash.h>

namespace asl {
namespace {

constexpr std::size_t kRecordBytes = 64;
constexpr std::size_t kTimeAt = 32;
constexpr std::size_t kChangeAt = 40;
constexpr std::size_t kFlagsAt = 48;
constexpr std::size_t kSumAt = 56;
constexpr std::uint32_t kDamagedFlag = 1;
// A million checks; a file beyond this is not ours.
constexpr std::uint64_t kFileBytesMax = 64ULL << 20;
// Superseded records that are not worth writing the file anew for.
constexpr std::size_t kSpareRecords = 1024;

using Record = std::array<std::byte, kRecordBytes>;

Record encode(const BlockId& id, const BlockCheck& check) {
  Record record{};
  std::copy(id.begin(), id.end(), record.begin());
  store_le(&record[kTimeAt], static_cast<std::uint64_t>(check.time_s));
  store_le(&record[kChangeAt], check.change_ns);
  store_le(&record[kFlagsAt], check.damaged ? kDamagedFlag : 0U);
  store_le(&record[kSumAt], xxh3(ByteSpan(record).first(kSumAt)));
  return record;
}

}  // namespace

std::uint64_t change_time_of(const struct stat& status) {
  constexpr std::uint64_t kNanoseconds = 1'000'000'000;
  return static_cast<std::uint64_t>(status.st_ctim.tv_sec) * kNanoseconds +
         static_cast<std::uint64_t>(status.st_ctim.tv_nsec);
}

ScrubHistory ScrubHistory::load(io::Io& io, std::string path) {
  ScrubHistory history(io, std::move(path));
  const auto bytes = io::read_file(io, history.path_, kFileBytesMax);
  if (!bytes) return history;
  for (std::size_t at = 0; at + kRecordBytes <= bytes->size(); at += kRecordBytes) {
    const ByteSpan record = ByteSpan(*bytes).subspan(at, kRecordBytes);
    ++history.records_;
    if (load_le<std::uint64_t>(&record[kSumAt]) != xxh3(record.first(kSumAt))) continue;
    BlockId id;
    std::copy(record.begin(), record.begin() + kTimeAt, id.begin());
    // Later records are later checks, whatever their times say: clocks go backwards.
    history.checks_[id] = {
        .time_s = static_cast<std::int64_t>(load_le<std::uint64_t>(&record[kTimeAt])),
        .change_ns = load_le<std::uint64_t>(&record[kChangeAt]),
        .damaged = (load_le<std::uint32_t>(&record[kFlagsAt]) & kDamagedFlag) != 0,
    };
  }
  return history;
}

std::optional<BlockCheck> ScrubHistory::find(const BlockId& id, std::uint64_t change_ns) const {
  const auto found = checks_.find(id);
  if (found == checks_.end() || found->second.change_ns != change_ns) return std::nullopt;
  return found->second;
}

void ScrubHistory::note(const BlockId& id, const BlockCheck& check) {
  checks_[id] = check;
  append(encode(id, check));
}

void ScrubHistory::append(ByteSpan record) {
  auto file = io_->open(path_, {.write = true});
  if (!file) file = io_->open(path_, {.write = true, .create_new = true});
  if (!file) return;
  const auto status = io_->status(*file);
  if (!status) return;
  // What a torn append left is written over.
  const std::uint64_t end = static_cast<std::uint64_t>(status->st_size) / kRecordBytes * kRecordBytes;
  if (end + kRecordBytes > kFileBytesMax) return;
  if (io_->write(*file, record, end)) ++records_;
}

void ScrubHistory::compact() {
  if (records_ <= 2 * checks_.size() + kSpareRecords) return;
  Bytes bytes;
  for (const auto& [id, check] : checks_) {
    const Record record = encode(id, check);
    bytes.insert(bytes.end(), record.begin(), record.end());
  }
  if (io::replace_file(*io_, path_, bytes)) records_ = checks_.size();
}

}  // namespace asl
