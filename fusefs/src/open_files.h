// The contents of files that are being read, so that a request needs no look into the index.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "open_file.h"

namespace asl::fusefs {

// Least recently used go first. The kernel neither opens nor closes files here: a request names the node.
// Thread-safe.
class OpenFiles {
 public:
  explicit OpenFiles(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  using Open = std::function<Reply<std::shared_ptr<const OpenFile>>()>;
  // What is held for the node, else what `open` gives. What was handed out stays valid.
  Reply<std::shared_ptr<const OpenFile>> get(std::uint64_t node, const Open& open);
  // A commit may have moved or withdrawn what is held: the next request opens it again.
  void clear();

 private:
  struct Slot {
    std::uint64_t node = 0;
    std::shared_ptr<const OpenFile> file;
    std::size_t bytes = 0;
  };
  using Slots = std::list<Slot>;

  const std::size_t bytes_max_;
  std::mutex mutex_;  // guards the rest
  Slots recent_;      // most recent first
  std::unordered_map<std::uint64_t, Slots::iterator> slots_;
  std::size_t bytes_ = 0;
  std::uint64_t cleared_ = 0;
};

}  // namespace asl::fusefs
