// The I/O seam over io_uring: queues run in the kernel, everything else is a plain system call.
#pragma once

#include "io/plain_io.h"

namespace asl::io {

class UringIo : public PlainIo {
 public:
  // A plain queue where the kernel gives no ring.
  Result<std::unique_ptr<Queue>> make_queue(std::size_t capacity) override;
};

}  // namespace asl::io
