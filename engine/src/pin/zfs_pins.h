// Pins on ZFS: snapshots of a data set with a hold, through zfs(8), which is the interface that ZFS promises
// to keep (its library is private to it).
#pragma once

#include <string>
#include <string_view>

#include "io/program.h"
#include "pin/pin_file_system.h"

namespace asl {

inline constexpr std::string_view kZfsHoldTag = "asl";

// Whether `name` can be a data set's and nothing else to zfs(8): no option, no snapshot, no bookmark.
bool is_data_set_name(std::string_view name);

class ZfsPins final : public PinFileSystem {
 public:
  // `programs` must outlive the object.
  ZfsPins(std::string data_set, io::ProgramRunner& programs)
      : data_set_(std::move(data_set)), programs_(&programs) {}

  std::string describe() const override { return "ZFS data set " + data_set_; }
  Result<std::vector<HeldPin>> list() override;
  Result<void> make(const std::string& name) override;
  Result<void> hold(const std::string& name) override;
  Result<void> remove(const HeldPin& pin) override;
  Result<PinSizes> sizes(std::span<const std::string> names) override;

 private:
  Result<std::string> zfs(const std::vector<std::string>& arguments, std::string_view what,
                          const std::string& object);
  Result<std::map<std::string, std::uint64_t>> numbers(const std::string& property,
                                                       std::span<const std::string> objects);
  std::string full_name(const std::string& name) const { return data_set_ + "@" + name; }

  const std::string data_set_;
  io::ProgramRunner* programs_;
};

}  // namespace asl
