#include "transfer/external_sorter.h"

#include <algorithm>
#include <cerrno>
#include <compare>
#include <cstring>
#include <unistd.h>
#include <utility>

namespace asl {
namespace {

constexpr std::size_t kPrefixSize = 8;  // two u32
// Names of temporary files that are tried: as many sorters may be opening theirs at the same moment.
constexpr unsigned kNameTries = 1000;
// Runs are written in pieces of this.
constexpr std::size_t kWriteBytes = 1 << 20;

struct RecordView {
  ByteSpan key;
  ByteSpan value;
  std::size_t size = 0;
};

RecordView view_at(const std::byte* at) {
  const std::size_t key_size = load_le<std::uint32_t>(at);
  const std::size_t value_size = load_le<std::uint32_t>(at + 4);
  return {{at + kPrefixSize, key_size},
          {at + kPrefixSize + key_size, value_size},
          kPrefixSize + key_size + value_size};
}

std::strong_ordering compare(ByteSpan a, ByteSpan b) {
  const std::size_t common = std::min(a.size(), b.size());
  const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  if (order != 0) return order <=> 0;
  return a.size() <=> b.size();
}

void append(Bytes& to, ByteSpan from) {
  to.insert(to.end(), from.begin(), from.end());
}

void append_record(Bytes& to, ByteSpan key, ByteSpan value) {
  std::byte prefix[kPrefixSize];
  store_le(prefix, static_cast<std::uint32_t>(key.size()));
  store_le(prefix + 4, static_cast<std::uint32_t>(value.size()));
  append(to, prefix);
  append(to, key);
  append(to, value);
}

}  // namespace

Result<void> ExternalSorter::add(ByteSpan key, ByteSpan value) {
  const std::size_t needed = kPrefixSize + key.size() + value.size() + sizeof(std::uint64_t);
  const std::size_t held = arena_.size() + order_.size() * sizeof(std::uint64_t);
  if (held + needed > memory_bytes_ && !order_.empty()) ASL_TRY(spill());
  order_.push_back(arena_.size());
  append_record(arena_, key, value);
  ++size_;
  return {};
}

void ExternalSorter::sort_memory() {
  std::stable_sort(order_.begin(), order_.end(), [this](std::uint64_t a, std::uint64_t b) {
    return compare(view_at(arena_.data() + a).key, view_at(arena_.data() + b).key) < 0;
  });
}

Result<void> ExternalSorter::sort() {
  sort_memory();
  return {};
}

Result<io::File> ExternalSorter::make_file() const {
  for (unsigned n = 0;; ++n) {
    const std::string path =
        directory_ + "/sort-" + std::to_string(getpid()) + "-" + std::to_string(n) + ".tmp";
    auto file = io_->open(path, {.write = true, .create_new = true});
    if (!file && file.error().sys_errno == EEXIST && n < kNameTries) continue;
    if (!file) return file;
    ASL_TRY(io_->remove(path));
    return file;
  }
}

Result<void> ExternalSorter::spill() {
  sort_memory();
  if (!file_) {
    ASL_ASSIGN(file_, make_file());
  }
  const std::uint64_t begin = file_end_;
  Bytes out;
  for (const std::uint64_t at : order_) {
    append(out, {arena_.data() + at, view_at(arena_.data() + at).size});
    if (out.size() < kWriteBytes) continue;
    ASL_TRY(io_->write(file_, out, file_end_));
    file_end_ += out.size();
    out.clear();
  }
  ASL_TRY(io_->write(file_, out, file_end_));
  file_end_ += out.size();
  runs_.push_back({begin, file_end_});
  arena_.clear();
  order_.clear();
  if (runs_.size() >= kSorterRunsMax) return merge_runs();
  return {};
}

Result<void> ExternalSorter::merge_runs() {
  ASL_ASSIGN(io::File merged, make_file());
  std::uint64_t end = 0;
  Bytes out;
  Reader reader = read();
  while (true) {
    ASL_ASSIGN(const bool more, reader.next());
    if (more) append_record(out, reader.key(), reader.value());
    if (!out.empty() && (!more || out.size() >= kWriteBytes)) {
      ASL_TRY(io_->write(merged, out, end));
      end += out.size();
      out.clear();
    }
    if (!more) break;
  }
  file_ = std::move(merged);
  file_end_ = end;
  runs_.assign(1, {0, end});
  return {};
}

ExternalSorter::Reader ExternalSorter::read() const {
  Reader reader(*this);
  for (const RunPlace& place : runs_) {
    Reader::Run run;
    run.at = place.begin;
    run.end = place.end;
    reader.runs_.push_back(std::move(run));
  }
  // What was added last stands last: equal keys keep their order.
  Reader::Run memory;
  memory.in_memory = true;
  reader.runs_.push_back(std::move(memory));
  return reader;
}

ByteSpan ExternalSorter::Reader::key() const {
  return runs_[heap_.front()].key;
}
ByteSpan ExternalSorter::Reader::value() const {
  return runs_[heap_.front()].value;
}

bool ExternalSorter::Reader::after(std::size_t a, std::size_t b) const {
  const auto order = compare(runs_[a].key, runs_[b].key);
  return order != 0 ? order > 0 : a > b;
}

Result<bool> ExternalSorter::Reader::next() {
  const auto later = [this](std::size_t a, std::size_t b) { return after(a, b); };
  if (!started_) {
    started_ = true;
    for (std::size_t k = 0; k < runs_.size(); ++k) {
      ASL_ASSIGN(const bool some, advance(runs_[k]));
      if (some) heap_.push_back(k);
    }
    std::make_heap(heap_.begin(), heap_.end(), later);
    return !heap_.empty();
  }
  if (heap_.empty()) return false;
  std::pop_heap(heap_.begin(), heap_.end(), later);
  ASL_ASSIGN(const bool more, advance(runs_[heap_.back()]));
  if (more)
    std::push_heap(heap_.begin(), heap_.end(), later);
  else
    heap_.pop_back();
  return !heap_.empty();
}

Result<bool> ExternalSorter::Reader::advance(Run& run) {
  const std::byte* at = nullptr;
  if (run.in_memory) {
    if (run.memory_next == sorter_->order_.size()) return false;
    at = sorter_->arena_.data() + sorter_->order_[run.memory_next++];
  } else {
    run.position += run.key.data() == nullptr ? 0 : kPrefixSize + run.key.size() + run.value.size();
    if (run.position == run.filled && run.at == run.end) return false;
    ASL_TRY(fill(run, kPrefixSize));
    ASL_TRY(fill(run, view_at(run.buffer.data() + run.position).size));
    at = run.buffer.data() + run.position;
  }
  const RecordView record = view_at(at);
  run.key = record.key;
  run.value = record.value;
  return true;
}

// Brings `needed` bytes from the run's position on into its buffer.
Result<void> ExternalSorter::Reader::fill(Run& run, std::size_t needed) {
  const std::size_t left = run.filled - run.position;
  if (left >= needed) return {};
  if (left > 0) std::memmove(run.buffer.data(), run.buffer.data() + run.position, left);
  run.position = 0;
  run.filled = left;
  if (run.buffer.size() < std::max(needed, kSorterReadBytes))
    run.buffer.resize(std::max(needed, kSorterReadBytes));
  const std::size_t room = run.buffer.size() - left;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(room, run.end - run.at));
  ASL_ASSIGN(const std::size_t got,
             sorter_->io_->read(sorter_->file_, MutableByteSpan(run.buffer).subspan(left, wanted), run.at));
  if (got != wanted || left + got < needed)
    return fail(
        integrity_error("a temporary file is shorter than it was written", sorter_->directory_, run.at));
  run.at += got;
  run.filled += got;
  return {};
}

}  // namespace asl
