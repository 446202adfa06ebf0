// The view in libfuse's terms: one function a request.
#pragma once

#include <functional>
#include <string>

#include "file_read_ahead.h"
#include "file_view.h"
#include "neighbour_reader.h"

#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 12)
#include <fuse_lowlevel.h>

namespace asl::fusefs {

// The largest read or directory listing that is asked for at once.
inline constexpr unsigned kRequestBytesMax = 1 << 20;

// What every request gets as its user data. Outlives the session.
struct Served {
  FileView& view;
  std::function<void(const std::string&)> log;
  // What the kernel can do; set when it says so.
  bool kernel_opens_directories = false;
  bool kernel_opens_files = false;
  // Set by the session.
  NeighbourReader* neighbours = nullptr;
  FileReadAhead* read_ahead = nullptr;
};

const fuse_lowlevel_ops& operations();

}  // namespace asl::fusefs
