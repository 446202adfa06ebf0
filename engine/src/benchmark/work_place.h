// Where a benchmark works: a directory of its own, gone when it ends.
#pragma once

#include <memory>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/io.h>

namespace asl {

class WorkPlace {
 public:
  // Makes `<parent>/bench-<random>`, locked, after removing those that no process holds any more.
  static Result<WorkPlace> make(io::Io& io, const std::string& parent);
  WorkPlace(WorkPlace&&) = default;
  WorkPlace& operator=(WorkPlace&&) = delete;
  // Removes it and everything in it. What cannot be removed stays for the next benchmark to try.
  ~WorkPlace();

  std::string path(const std::string& name) const { return directory_ + "/" + name; }
  // kNoSpace unless so much is free on its file system.
  Result<void> require_free(std::uint64_t bytes) const;

 private:
  WorkPlace(std::string directory, std::unique_ptr<io::Lock> lock)
      : directory_(std::move(directory)), lock_(std::move(lock)) {}

  std::string directory_;
  std::unique_ptr<io::Lock> lock_;  // null in one that was moved from
};

}  // namespace asl
