// Artifacts that name others: trees, snapshots and partials. What must be kept, copied or withdrawn with one
// is found through here.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <asl/engine/bytes.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

#include "store/view.h"

namespace asl {

class Domain;

// Whether an artifact with this tag names others by its bytes. Authority objects do not: records of the log
// and pins name theirs.
bool names_others(std::optional<std::uint32_t> tag);

// The whole of an artifact that names others, checked against its reference, also where a tombstone refuses
// it to everybody else: what lies below a withdrawn artifact is still there. kIntegrity for one that is
// damaged or longer than its kind can be.
Result<Bytes> read_naming_artifact(const Domain& domain, const std::shared_ptr<const View>& view,
                                   const ArtifactHandle& handle);

enum class Named : std::uint8_t {
  kRequired,
  kIfThere,  // the origin of a copied snapshot, of which usually only the name is known
};
using VisitNamed = std::function<Result<void>(const Reference& reference, Named named)>;
// Calls `visit` for each reference in `bytes`, an artifact of a tag that names others, in their order.
// Errors: those of decoding and of `visit`.
Result<void> visit_named(std::uint32_t tag, ByteSpan bytes, const VisitNamed& visit);

}  // namespace asl
