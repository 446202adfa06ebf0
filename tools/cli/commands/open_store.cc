#include "commands/open_store.h"

namespace asl::cli {

Result<OpenStore> open_store(Context& context, const DomainOptions& options) {
  OpenStore store;
  store.io = io::make_default_io();
  ASL_ASSIGN(HostRoot root, HostRoot::open(*store.io, context.root));
  store.root = std::make_unique<HostRoot>(std::move(root));
  ASL_ASSIGN(const DomainSummary summary, store.root->find_domain(context.domain.value_or("")));
  ASL_ASSIGN(store.domain, Domain::open(*store.io, summary.directory, options));
  if (const auto damage = store.domain->corruption())
    context.warn("the log is damaged, what verifies is shown: " + damage->to_string());
  return store;
}

}  // namespace asl::cli
