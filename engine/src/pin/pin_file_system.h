// What pins need of a file system.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <asl/engine/error.h>

namespace asl {

// A file-system snapshot that is there, whosever it is.
struct HeldPin {
  std::string name;
  // Kept from being removed by somebody else, as far as the file system knows such a thing. One that is not
  // was left by a crash between making and holding it.
  bool held = true;

  bool operator==(const HeldPin&) const = default;
};

struct PinSizes {
  std::map<std::string, std::uint64_t> alone_bytes;  // by name
  std::optional<std::uint64_t> held_back_bytes;      // by all snapshots together
};

// The file system, or the part of one with snapshots of its own, that a domain lies on. Used by one thread.
// Errors have a hint where a next step is known.
class PinFileSystem {
 public:
  virtual ~PinFileSystem() = default;
  virtual std::string describe() const = 0;
  // Every snapshot of this place, in any order; those of others too.
  virtual Result<std::vector<HeldPin>> list() = 0;
  // Both durable on return. Everything that was written before the call is in the snapshot.
  virtual Result<void> make(const std::string& name) = 0;
  virtual Result<void> hold(const std::string& name) = 0;
  // Gives up our hold, if any, and removes it. Nothing else is ever taken away to be able to.
  virtual Result<void> remove(const HeldPin& pin) = 0;
  // Of `names`, as far as it is told.
  virtual Result<PinSizes> sizes(std::span<const std::string> names) = 0;
};

}  // namespace asl
