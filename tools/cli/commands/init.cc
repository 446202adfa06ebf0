#include <asl/engine/host_root.h>

#include "json_out.h"
#include "program.h"
#include "text.h"

namespace asl::cli {

Result<int> run_init(Context& context, const ParsedOptions& options) {
  const auto io = io::make_default_io();
  const auto& given = options.arguments("DIR");
  const std::string directory = given.empty() ? context.root : given.front();
  ASL_ASSIGN(HostRoot root, HostRoot::init(*io, directory));
  ASL_ASSIGN(const DomainSummary domain, root.create_local_domain(options.text("alias").value_or("local")));
  if (context.json) {
    Json json = make_json("init");
    put_bytes(json, "root", directory);
    json["domain_id"] = to_hex(domain.id);
    json["alias"] = domain.alias;
    print_json(context.out, json);
  } else if (!context.quiet) {
    context.out.line("store made in " + printable(directory) + ", domain " + domain.alias);
    context.out.line("next: asl --root " + printable(directory) + " ingest DIRECTORY");
  }
  return 0;
}

}  // namespace asl::cli
