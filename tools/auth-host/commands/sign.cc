#include <asl/auth/files.h>

#include "commands/key_access.h"
#include "commands/object_text.h"

namespace asl::cli {

Result<int> run_sign(Context& context, const ParsedOptions& options) {
  if (!options.flag("add"))
    return fail(Error{.code = ErrorCode::kUsage,
                      .message = "signatures are added to objects that other commands make",
                      .hint = "asl-auth-host sign --add FILE --key KEY"});
  const std::string& path = options.argument("FILE");
  ASL_ASSIGN(auth::Envelope envelope, auth::read_envelope_file(path));
  ASL_ASSIGN(const auth::RootSetChain roots, read_root_sets(options));
  ASL_TRY(confirm_object(context, options, envelope));
  ASL_ASSIGN(auto keys, open_signing_keys(context, options));
  for (auth::SigningKey& key : keys) {
    // What is there already must be sound before this key vouches for the same bytes.
    ASL_TRY(auth::verify_envelope(envelope, std::span(&key.public_key(), 1)));
    ASL_TRY(auth::add_signature(envelope, key));
  }
  ASL_TRY(auth::write_envelope_file(path, envelope));
  ASL_TRY(report_envelope(context, "sign", path, envelope, &roots));
  return kExitOk;
}

}  // namespace asl::cli
