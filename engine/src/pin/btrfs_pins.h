// Pins on btrfs: read-only snapshots of a subvolume, in the directory .asl-pins at its top. Snapshots are
// subvolumes, which are empty directories in later snapshots, so pins are never inside pins.
#pragma once

#include <string>

#include <asl/engine/io.h>

#include "pin/pin_file_system.h"

namespace asl {

inline constexpr std::string_view kPinDirectory = ".asl-pins";

class BtrfsPins final : public PinFileSystem {
 public:
  // `top` is the subvolume's top directory; `io` must outlive the object.
  BtrfsPins(io::Io& io, std::string top) : io_(&io), top_(std::move(top)) {}

  std::string describe() const override { return "btrfs subvolume " + top_; }
  Result<std::vector<HeldPin>> list() override;
  Result<void> make(const std::string& name) override;
  // Nothing to do: a read-only snapshot is not removed by the way.
  Result<void> hold(const std::string&) override { return {}; }
  Result<void> remove(const HeldPin& pin) override;
  // btrfs tells sizes only where quotas are on, and only to root.
  Result<PinSizes> sizes(std::span<const std::string>) override { return PinSizes{}; }

 private:
  Result<io::File> pin_directory(bool create);
  std::string directory_path() const { return top_ + "/" + std::string(kPinDirectory); }

  io::Io* io_;
  const std::string top_;
};

}  // namespace asl
