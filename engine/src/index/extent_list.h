// The extents of one artifact while it is being read: in memory at first, in a file once they are many.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

#include "index/artifact_record.h"

namespace asl {

// Hands out the extents of one artifact in order, as often as needed.
class ExtentSource {
 public:
  virtual ~ExtentSource() = default;
  virtual Result<void> rewind() = 0;
  // Fills the front of `out`; 0 after the last extent.
  virtual Result<std::size_t> next(std::span<ExtentRecord> out) = 0;
  virtual std::uint64_t size() const = 0;
};

// Bytes of open extent lists kept in memory by all lists of a run together; beyond it the list that grows
// spills.
inline constexpr std::uint64_t kOpenExtentBytesMax = 64ULL << 20;

// What the open lists of one run share. Thread-safe.
class ExtentListBudget {
 public:
  // `spill_directory` is store/tmp of the store written to.
  ExtentListBudget(io::Io& io, std::string spill_directory, std::uint64_t bytes_max = kOpenExtentBytesMax)
      : io_(&io), directory_(std::move(spill_directory)), bytes_max_(bytes_max) {}

 private:
  friend class ExtentList;
  io::Io* io_;
  std::string directory_;
  std::uint64_t bytes_max_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<std::uint64_t> next_name_{0};
};

// A growing list. Once the budget is spent its front moves to a file in the spill directory, which is removed
// with the list (after a crash it is left in store/tmp, whose sweep takes it). Not thread-safe; movable
// before use as a source only.
class ExtentList : public ExtentSource {
 public:
  explicit ExtentList(ExtentListBudget& budget) : budget_(&budget) {}
  ~ExtentList() override;
  ExtentList(const ExtentList&) = delete;
  ExtentList& operator=(const ExtentList&) = delete;

  // The errors of writing the spill file: kNoSpace, kIo. Appending while it is read is a programming error.
  Result<void> append(const ExtentRecord& extent);
  bool spilled() const { return static_cast<bool>(file_); }

  std::uint64_t size() const override { return spilled_count_ + tail_.size(); }
  Result<void> rewind() override;
  Result<std::size_t> next(std::span<ExtentRecord> out) override;

 private:
  Result<void> spill();

  ExtentListBudget* budget_;
  std::vector<ExtentRecord> tail_;  // what is not in the file
  std::uint64_t charged_ = 0;       // bytes of the budget held by tail_
  io::File file_;
  std::string path_;
  std::uint64_t spilled_count_ = 0;
  std::uint64_t position_ = 0;
};

}  // namespace asl
