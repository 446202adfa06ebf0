// Sorting more records than fit into memory: sorted runs in a temporary file, merged while reading.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl {

// What one sorter holds in memory before it writes a run. Several are alive at once during an import.
inline constexpr std::size_t kSorterMemoryBytes = 24 << 20;
// More runs than this are merged into one before adding goes on: each costs a buffer while reading.
inline constexpr std::size_t kSorterRunsMax = 128;
// A run's buffer while it is read; grows for longer records.
inline constexpr std::size_t kSorterReadBytes = 64 << 10;

// Records of a key and a value, given in any order, read back in ascending byte order of their keys; equal
// keys in the order in which they were added. Add, then sort() once, then read as often as wished.
// The temporary file has no name from the moment it exists, so that nothing is left behind by a crash and no
// sweep can take it. Not thread-safe; `io` must outlive it; readers must not outlive it.
class ExternalSorter {
 public:
  ExternalSorter(io::Io& io, std::string directory, std::size_t memory_bytes = kSorterMemoryBytes)
      : io_(&io), directory_(std::move(directory)), memory_bytes_(memory_bytes) {}

  // kNoSpace and kIo from the temporary file.
  Result<void> add(ByteSpan key, ByteSpan value);
  Result<void> sort();
  std::uint64_t size() const { return size_; }
  bool spilled() const { return static_cast<bool>(file_); }

  class Reader {
   public:
    // The next record; false after the last. kIo, kIntegrity if the temporary file is not what was written.
    Result<bool> next();
    // Of the record that next() moved to; valid until the next call.
    ByteSpan key() const;
    ByteSpan value() const;

    Reader(Reader&&) noexcept = default;
    Reader& operator=(Reader&&) noexcept = default;

   private:
    friend class ExternalSorter;
    struct Run {
      std::uint64_t at = 0;  // file position of what is not in the buffer yet
      std::uint64_t end = 0;
      Bytes buffer;
      std::size_t position = 0;  // of the record shown
      std::size_t filled = 0;
      std::size_t memory_next = 0;  // of the run in memory: position in the sorter's order
      bool in_memory = false;
      ByteSpan key;
      ByteSpan value;
    };
    explicit Reader(const ExternalSorter& sorter) : sorter_(&sorter) {}
    Result<bool> advance(Run& run);
    Result<void> fill(Run& run, std::size_t needed);
    bool after(std::size_t a, std::size_t b) const;

    const ExternalSorter* sorter_;
    std::vector<Run> runs_;
    std::vector<std::size_t> heap_;  // of runs that have a record, the smallest first
    bool started_ = false;
  };
  Reader read() const;

 private:
  struct RunPlace {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };

  void sort_memory();
  Result<void> spill();
  Result<void> merge_runs();
  Result<io::File> make_file() const;

  io::Io* io_;
  std::string directory_;
  std::size_t memory_bytes_;
  std::uint64_t size_ = 0;
  Bytes arena_;                       // records: u32 key size, u32 value size, key, value
  std::vector<std::uint64_t> order_;  // where they begin
  io::File file_;
  std::uint64_t file_end_ = 0;
  std::vector<RunPlace> runs_;
};

}  // namespace asl
