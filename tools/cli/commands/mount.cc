#include <asl/fusefs/mount.h>

#include "program.h"

namespace asl::cli {
namespace {

VerifyReads verify_reads_of(const ParsedOptions& options) {
  const std::string when = options.text("verify").value();
  if (when == "always") return VerifyReads::kAlways;
  return when == "once" ? VerifyReads::kOnce : VerifyReads::kNever;
}

}  // namespace

Result<int> run_mount(Context& context, const ParsedOptions& options) {
  fusefs::MountOptions mount{.mount_point = options.arguments("DIR").front(),
                             .store = options.text("media").value_or(context.root),
                             .media = options.has("media"),
                             .only = {},
                             .domain = context.domain.value_or(""),
                             .verify = verify_reads_of(options),
                             .foreground = options.flag("foreground"),
                             .options = options.list("option"),
                             .log_file = options.text("log").value_or("")};
  const auto& only = options.arguments("ID[:PATH]");
  if (!only.empty()) mount.only = only.front();
  ASL_TRY(fusefs::mount(mount));
  return kExitOk;
}

Result<int> run_umount(Context&, const ParsedOptions& options) {
  ASL_TRY(fusefs::unmount(options.arguments("DIR").front()));
  return kExitOk;
}

}  // namespace asl::cli
