// Which files have a content: the way back from an artifact to the nodes that show it.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>

#include <asl/engine/reference.h>

#include "domain_view.h"

namespace asl::fusefs {

using References = std::unordered_set<Reference, ReferenceHash>;

// Calls `found` with the node of every file that has one of these contents, in all snapshots of the domain
// that were looked at in this mount; of every file that was read in part too, since its pieces may be among
// them. Walks whole snapshots: for what happens rarely. Errors: those of SnapshotTree, after the other
// snapshots.
Reply<void> find_nodes(DomainView& domain, const References& contents,
                       const std::function<void(std::uint64_t node)>& found);

}  // namespace asl::fusefs
