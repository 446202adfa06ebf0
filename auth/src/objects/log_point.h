// A log point inside another object.
#pragma once

#include <string_view>

#include <asl/auth/canonical_json.h>
#include <asl/auth/log_head.h>

#include "objects/object_reader.h"

namespace asl::auth {

LogPoint read_log_point(ObjectReader& reader, std::string_view name);

}  // namespace asl::auth
