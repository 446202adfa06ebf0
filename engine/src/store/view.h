// One consistent state of a domain: the log as replayed to some commit, and the index over its live segments.
#pragma once

#include <memory>

#include <asl/engine/log_state.h>

#include "index/index.h"

namespace asl {

class View {
 public:
  std::shared_ptr<const LogState> state;
  std::shared_ptr<const Index> index;
};

}  // namespace asl
