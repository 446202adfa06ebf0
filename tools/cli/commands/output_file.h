// A file that a command writes and that appears only when it is whole.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <asl/engine/error.h>

#include "output.h"

namespace asl::cli {

struct OutputFileOptions {
  bool overwrite = true;  // false: kRefused if there is something by that name, also at the end
  bool sync = true;       // false: the caller syncs, once for many files
};

// Regular files are written under another name beside "<path>" and renamed at the end; what exists and is
// none (a tape, a pipe) is written straight. Destroyed unfinished, it removes what it wrote.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path, const OutputFileOptions& options = {});
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Output& output() { return *output_; }
  // The next `length` bytes are zeros: a hole where the file can have one.
  Result<void> zeros(std::uint64_t length);
  // Durable under its name on return.
  Result<void> finish();

 private:
  OutputFile(std::string path, std::string written, int fd, const OutputFileOptions& options);
  Result<void> put_in_place();

  std::string path_;
  OutputFileOptions options_;
  std::string written_;  // where it is until finished; empty once it is, or where there is nothing to rename
  int fd_ = -1;
  bool ends_in_hole_ = false;
  std::unique_ptr<Output> output_;
};

}  // namespace asl::cli
