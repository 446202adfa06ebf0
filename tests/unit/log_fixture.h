// A domain directory with a log in it, and an Io that fails or counts on demand. Shared by the log tests.
#pragma once

#include <cerrno>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <gtest/gtest.h>
#include <iterator>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/hash.h>
#include <asl/engine/log_record.h>
#include <asl/engine/log_state.h>

#include "io/plain_io.h"
#include "log/log_file.h"
#include "log/log_reader.h"
#include "log/log_writer.h"

namespace asl {

// Plain system calls without real syncs (no test here cuts the power), with failures at the next write, sync
// or truncate, and counters.
class ProbeIo final : public io::PlainIo {
 public:
  std::optional<std::size_t> write_fails_after;  // bytes written before the failure
  int write_errno = ENOSPC;
  bool data_sync_fails = false;
  int sync_errno = 0;  // 0: syncs work
  int syncs = 0;
  int directory_syncs = 0;
  std::vector<std::pair<std::uint64_t, std::size_t>> writes;  // offset, size

  // Run once, after the next read of the file.
  std::map<std::string, std::function<void()>> after_reads;

  Result<io::File> open(const std::string& file, const io::OpenOptions& options) override {
    Result<io::File> opened = PlainIo::open(file, options);
    if (opened) paths_[opened->fd()] = file;
    return opened;
  }
  Result<std::size_t> read(const io::File& file, MutableByteSpan into, std::uint64_t offset) override {
    Result<std::size_t> got = PlainIo::read(file, into, offset);
    if (const auto hook = after_reads.find(paths_[file.fd()]); hook != after_reads.end()) {
      hook->second();
      after_reads.erase(hook);
    }
    return got;
  }
  Result<void> write(const io::File& file, ByteSpan from, std::uint64_t offset) override {
    writes.emplace_back(offset, from.size());
    if (!write_fails_after) return PlainIo::write(file, from, offset);
    const std::size_t part = std::min(*write_fails_after, from.size());
    write_fails_after.reset();
    if (Result<void> written = PlainIo::write(file, from.first(part), offset); !written) return written;
    return fail(system_error(write_errno, "cannot write"));
  }
  Result<void> sync_data(const io::File&) override {
    if (std::exchange(data_sync_fails, false)) return fail(system_error(EIO, "cannot sync"));
    return {};
  }
  Result<void> sync(const io::File&) override {
    ++syncs;
    if (sync_errno != 0) return fail(system_error(sync_errno, "cannot sync"));
    return {};
  }
  Result<void> sync_directory(const std::string&) override {
    ++directory_syncs;
    return {};
  }

 private:
  std::map<int, std::string> paths_;
};

template <typename T>
T take(Result<T> result) {
  if (result) return std::move(*result);
  ADD_FAILURE() << result.error().to_string();
  throw std::runtime_error(result.error().to_string());
}

inline Digest digest_of(std::string_view text) {
  return sha256(as_bytes(text));
}
inline Reference reference_of(std::string_view text) {
  return untyped_reference(digest_of(text));
}

class LogTest : public testing::Test {
 protected:
  LogTest() {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    directory_ = testing::TempDir() + "asl-log-" + info->test_suite_name() + "-" + info->name();
    std::filesystem::remove_all(directory_);
    std::filesystem::create_directories(directory_);
    for (std::size_t i = 0; i < domain_.size(); ++i) domain_[i] = static_cast<std::byte>(i + 1);
  }
  ~LogTest() override { std::filesystem::remove_all(directory_); }

  LogFiles files() const { return LogFiles(directory_); }
  std::string path(std::uint64_t first_logseq = 1) const { return files().file_path(first_logseq); }

  static std::vector<NewRecord> anchor(std::uint64_t id) {
    return {new_record(SnapshotAnchorRecord{id, reference_of(std::to_string(id))})};
  }
  std::vector<NewRecord> genesis() const { return {new_record(GenesisRecord{domain_, true, {}})}; }

  LogWriter create(const LogWriterOptions& options = {}) {
    LogWriter writer = take(LogWriter::create(io_, files(), domain_, options));
    take(writer.append(genesis()));
    return writer;
  }
  // Genesis and snapshots 1 to `snapshots`, a group each; records 1-2, 3-4, ...
  void make_log(std::uint64_t snapshots, const LogWriterOptions& options = {}) {
    LogWriter writer = create(options);
    for (std::uint64_t id = 1; id <= snapshots; ++id) take(writer.append(anchor(id)));
  }

  struct Replayed {
    ReplayOutcome outcome;
    LogState state;
    std::vector<std::uint64_t> logseqs;
    std::size_t refused = 0;
  };
  Replayed replay(const ReplayOptions& options = {}) { return replay_with(io_, options); }
  Replayed replay_with(io::Io& io, const ReplayOptions& options = {}) {
    Replayed result;
    result.outcome = take(replay_log(io, files(), options, [&](const LogGroup& group) -> Result<void> {
      for (const LogRecord& record : group.records) result.logseqs.push_back(record.logseq);
      if (group.after_gap) {
        result.refused += result.state.apply_after_gap(group.records);
        return {};
      }
      return result.state.apply(group.records);
    }));
    return result;
  }
  Result<LogWriter> reopen(const LogWriterOptions& options = {}) {
    return LogWriter::open(io_, files(), replay().outcome, options);
  }

  static std::string load(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void save(const std::string& file, std::string_view bytes) {
    // Written in place: ext4 flushes a file that was truncated and written again, and that is slow.
    std::ofstream(file, std::ios::binary | std::ios::app).close();
    std::fstream out(file, std::ios::binary | std::ios::in | std::ios::out);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    std::filesystem::resize_file(file, bytes.size());
    ASSERT_TRUE(out.good());
  }
  static void flip(const std::string& file, std::size_t offset) {
    std::string bytes = load(file);
    ASSERT_LT(offset, bytes.size());
    bytes[offset] = static_cast<char>(bytes[offset] ^ 0x10);
    save(file, bytes);
  }
  void remove_head() const { std::filesystem::remove(files().head_path()); }

  std::string directory_;
  DomainId domain_{};
  ProbeIo io_;
};

}  // namespace asl
