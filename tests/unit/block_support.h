// What the tests of blocks share: an Io that fails on demand, and a store to fill.
#pragma once

#include <cerrno>
#include <deque>
#include <fstream>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <asl/engine/block.h>
#include <asl/engine/hash.h>
#include <asl/engine/io.h>

#include "block/block_store.h"
#include "block/block_writer.h"
#include "support.h"

namespace asl::test {

// Plain I/O with faults. Queued transfers are done as they are queued.
class FaultIo : public io::Io {
 public:
  // Each is asked before the operation; what it returns other than 0 is the operation's errno.
  std::function<int(std::uint64_t offset)> on_queued_write = [](std::uint64_t) { return 0; };
  std::function<int(std::uint64_t offset, std::size_t length)> on_read = [](std::uint64_t, std::size_t) {
    return 0;
  };
  std::function<int(std::uint64_t length)> on_allocate = [](std::uint64_t) { return 0; };
  std::function<int()> on_sync = [] { return 0; };
  int reads = 0;  // of both kinds
  int opens = 0;
  std::vector<std::uint64_t> allocations;

  Result<io::File> open(const std::string& path, const io::OpenOptions& options) override {
    ++opens;
    return inner_->open(path, options);
  }
  Result<io::File> open_at(const io::File& directory, const std::string& name,
                           const io::OpenOptions& options) override {
    return inner_->open_at(directory, name, options);
  }
  Result<std::size_t> read(const io::File& file, MutableByteSpan into, std::uint64_t offset) override {
    ++reads;
    if (const int error = on_read(offset, into.size())) return fail(system_error(error, "cannot read"));
    return inner_->read(file, into, offset);
  }
  Result<void> write(const io::File& file, ByteSpan from, std::uint64_t offset) override {
    return inner_->write(file, from, offset);
  }
  Result<void> truncate(const io::File& file, std::uint64_t length) override {
    return inner_->truncate(file, length);
  }
  Result<void> allocate(const io::File& file, std::uint64_t length) override {
    allocations.push_back(length);
    if (const int error = on_allocate(length)) return fail(system_error(error, "cannot reserve space"));
    return inner_->allocate(file, length);
  }
  Result<void> sync_data(const io::File& file) override {
    if (const int error = on_sync()) return fail(system_error(error, "cannot sync"));
    return inner_->sync_data(file);
  }
  Result<void> sync(const io::File& file) override { return inner_->sync(file); }
  Result<struct stat> status(const io::File& file) override { return inner_->status(file); }
  Result<struct stat> status(const std::string& path) override { return inner_->status(path); }
  Result<std::vector<io::ListedEntry>> list(const std::string& path) override { return inner_->list(path); }
  Result<void> make_directory(const std::string& path) override { return inner_->make_directory(path); }
  Result<void> rename(const std::string& from, const std::string& to, bool replace) override {
    return inner_->rename(from, to, replace);
  }
  Result<void> link(const std::string& from, const std::string& to) override {
    return inner_->link(from, to);
  }
  Result<void> remove(const std::string& path) override { return inner_->remove(path); }
  Result<void> remove_directory(const std::string& path) override { return inner_->remove_directory(path); }
  Result<void> sync_directory(const std::string& path) override { return inner_->sync_directory(path); }
  Result<std::unique_ptr<io::Lock>> lock(const std::string& path, std::uint32_t wait_ms) override {
    return inner_->lock(path, wait_ms);
  }
  Result<std::unique_ptr<io::Queue>> make_queue(std::size_t capacity) override {
    return std::make_unique<FaultQueue>(*this, capacity);
  }

 protected:
  // Files belong to the inner Io, which closes them.
  void close(int) override {}

 private:
  class FaultQueue : public io::Queue {
   public:
    FaultQueue(FaultIo& io, std::size_t capacity) : io_(io), capacity_(capacity) {}
    std::size_t capacity() const override { return capacity_; }
    std::size_t in_flight() const override { return finished_.size(); }
    Result<void> read(const io::File& file, MutableByteSpan into, std::uint64_t offset,
                      std::uint64_t token) override {
      const auto got = io_.read(file, into, offset);
      finished_.push_back({token, got ? static_cast<std::int64_t>(*got) : -got.error().sys_errno});
      return {};
    }
    Result<void> write(const io::File& file, ByteSpan from, std::uint64_t offset,
                       std::uint64_t token) override {
      int error = io_.on_queued_write(offset);
      if (error == 0)
        if (const auto written = io_.write(file, from, offset); !written) error = written.error().sys_errno;
      finished_.push_back({token, error == 0 ? static_cast<std::int64_t>(from.size()) : -error});
      return {};
    }
    Result<void> submit() override { return {}; }
    Result<std::size_t> reap(std::span<io::Completion> out, bool) override {
      std::size_t count = 0;
      for (; count < out.size() && !finished_.empty(); ++count) {
        // Last in, first out: nobody may rely on an order.
        out[count] = finished_.back();
        finished_.pop_back();
      }
      return count;
    }

   private:
    FaultIo& io_;
    std::size_t capacity_;
    std::deque<io::Completion> finished_;
  };

  std::unique_ptr<io::Io> inner_ = io::make_plain_io();
};

// An empty store in a temporary directory.
struct TestStore {
  TempDirectory directory;
  FaultIo io;
  BlockStore store{io, directory.path()};
  std::unique_ptr<WriteLane> lane;

  TestStore() {
    value_of(store.create_directories());
    lane = value_of(WriteLane::create(io));
  }

  std::unique_ptr<BlockWriter> writer(std::uint64_t capacity_bytes = 16 << 20) {
    return value_of(
        BlockWriter::create(store, *lane, {.capacity_bytes = capacity_bytes, .needed_bytes = kPageSize}));
  }
  SealedBlock seal(const std::vector<Bytes>& extents) {
    const auto open = writer();
    for (const Bytes& extent : extents) value_of(open->append(extent, sha256(extent)));
    return value_of(open->seal());
  }
  Installed install(SealedBlock& block) {
    value_of(store.stage_meta(block));
    const Installed outcome = value_of(store.install(block));
    value_of(store.sync_directories({&block.id, 1}));
    return outcome;
  }
  SealedBlock add(const std::vector<Bytes>& extents) {
    SealedBlock block = seal(extents);
    EXPECT_EQ(install(block), Installed::kNew);
    return block;
  }
  std::size_t temp_files() { return value_of(io.list(store.temp_directory())).size(); }
};

inline Bytes read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file) << path;
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return bytes_of(text);
}

inline void flip_byte(const std::string& path, std::uint64_t offset) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  ASSERT_TRUE(file) << path;
  file.seekg(static_cast<std::streamoff>(offset));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(offset));
  file.put(static_cast<char>(byte ^ 1));
}

// The place of extent number `i` of an uncompressed block.
inline ExtentLocation location_of(const SealedBlock& block, std::size_t i) {
  const StoredExtent& extent = block.meta.extents[i];
  return {.block = block.id,
          .offset_bytes = extent.offset_bytes,
          .stored_length_bytes = extent.stored_length_bytes,
          .raw_length_bytes = extent.stored_length_bytes,
          .codec = Codec::kNone,
          .digest = extent.stored_digest};
}

}  // namespace asl::test
