// Which reader checks which kind of object.
#pragma once

#include <asl/auth/kinds.h>
#include <asl/auth/value.h>
#include <asl/engine/error.h>

namespace asl::auth {

// Every rule that an object can be checked against by itself. kUnsupported for a kind without a reader.
Result<void> check_object(Kind kind, const Value& object);
bool can_check(Kind kind);

}  // namespace asl::auth
