// A file that a command writes and that appears only when it is whole.
#pragma once

#include <memory>
#include <string>

#include <asl/engine/error.h>

#include "output.h"

namespace asl::cli {

// Regular files are written as "<path>.partial" and renamed at the end; what exists and is none (a tape, a
// pipe) is written straight. Destroyed unfinished, it removes what it wrote.
class OutputFile {
 public:
  static Result<OutputFile> create(const std::string& path);
  OutputFile(OutputFile&& other) noexcept;
  OutputFile& operator=(OutputFile&&) = delete;
  ~OutputFile();

  Output& output() { return *output_; }
  // Durable under its name on return.
  Result<void> finish();

 private:
  OutputFile(std::string path, std::string written, int fd);

  std::string path_;
  std::string written_;  // where it is until finished; empty once it is, or where there is nothing to rename
  int fd_ = -1;
  std::unique_ptr<Output> output_;
};

}  // namespace asl::cli
