// Where things of one domain lie that no other class owns (blocks, segments and log files have their own).
#pragma once

#include <cstdint>
#include <string>

#include <asl/engine/error.h>
#include <asl/engine/host_root.h>
#include <asl/engine/io.h>

namespace asl {

// The space that lets forgetting and gc run on a full disk: enough for a log group, block metadata and cache
// writes, on top of one copy of the largest live segment.
inline constexpr std::uint64_t kReserveBaseBytes = 16ULL << 20;
inline constexpr std::uint64_t kReserveParts = 8;

class DomainLayout {
 public:
  explicit DomainLayout(std::string directory) : directory_(std::move(directory)) {}

  const std::string& directory() const { return directory_; }
  std::string layout_file() const { return directory_ + "/layout"; }
  std::string domain_json() const { return directory_ + "/domain.json"; }
  std::string store() const { return directory_ + "/store"; }
  std::string tmp() const { return directory_ + "/store/tmp"; }
  std::string lost() const { return directory_ + "/store/lost"; }
  std::string cache() const { return directory_ + "/store/cache"; }
  std::string index_cache() const { return directory_ + "/store/cache/index"; }
  std::string lock_file() const { return directory_ + "/store/lock"; }
  std::string reserve_file() const { return directory_ + "/store/reserve"; }
  // When which block was read whole (maintain/scrub_history.h).
  std::string scrub_history() const { return directory_ + "/store/cache/scrub"; }
  std::string damaged_file() const { return directory_ + "/store/damaged"; }
  // Which snapshots shall be pinned (pin/pin_ranges.h); not there where none ever was.
  std::string pins_file() const { return directory_ + "/store/pins"; }
  // There while a writer is: a writer that finds it sweeps what a dead one left.
  std::string session_marker() const { return directory_ + "/store/tmp/session"; }
  std::string snapshot_file(std::uint64_t id) const;

  // Every directory of an empty domain, the 256 block directories included. Those right below
  // `directory` are durable with the layout file.
  Result<void> create_directories(io::Io& io) const;
  // The layout line, which makes a directory a domain: written when everything else is there. Durable on
  // return, except for the entry of `directory` in its parent.
  Result<void> write_layout_file(io::Io& io) const;
  // Makes the directories of an existing domain that somebody removed; what they held is lost. For a writer.
  Result<void> make_missing_directories(io::Io& io) const;
  // Writes the reserve file anew with at least `bytes`, or with as many eighths of them as a nearly full disk
  // still has besides one for others; none at all is no error (gc then makes room).
  Result<void> fill_reserve(io::Io& io, std::uint64_t bytes) const;

 private:
  std::string directory_;
};

// Checks a layout line: true if the store must be opened read-only (a newer minor version); kUnsupported for
// another major version, kIntegrity for anything else.
Result<bool> check_layout_file(io::Io& io, const std::string& path);

}  // namespace asl
