// Whether `put` keeps an artifact from gc.
#pragma once

#include <asl/engine/domain.h>
#include <asl/engine/error.h>
#include <asl/engine/reference.h>

namespace asl {

// True if some live record of the artifact has the pinned flag and was sealed after the last unpin.
// kNotFound if there is no record at all.
Result<bool> is_pinned(const Domain& domain, const Reference& reference);

}  // namespace asl
